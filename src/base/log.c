/*
 * Log lines: a JSON object for machines, or one coloured line for people.
 *
 * A line is assembled in one buffer of the process and leaves with one write(2). What might make it
 * longer than that buffer is cut beforehand, so that a line is always whole JSON.
 */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/jsonwrite.h"
#include "base/str.h"

#include <assert.h>
#include <stdarg.h>
#include <unistd.h>

#define LINE_BYTES_MAX  KIB(16)
#define FIELDS_MAX      32
#define LINE_END_BYTES  64 /* kept free: `,"truncated":true}`, the colour's end, the newline */
#define NUMBER_BYTES    20
#define ESCAPED_BYTES   6  /* one byte as \u00XX */
#define HOUR_IN_RFC3339 11 /* 2026-01-31Thh:mm:ss.mmmZ */
#define TIME_LEN        12

#define DIM   "\033[2m"
#define PLAIN "\033[0m"

static struct {
	enum log_level level;
	enum log_format format;
	const char *role;
	bool colours;
	struct buf line;  /* the heap's; made with the first line */
	struct buf clean; /* a text with what is not UTF-8 replaced */
} out = { .level = LOG_LEVEL_INFO, .format = LOG_FORMAT_JSON, .role = "zygo" };

static const struct {
	const char *name, *label, *colour;
} levels[] = {
	[LOG_LEVEL_DEBUG] = { "debug", "DEBUG", "\033[36m" },
	[LOG_LEVEL_INFO] = { "info", "INFO ", "\033[32m" },
	[LOG_LEVEL_WARN] = { "warn", "WARN ", "\033[33m" },
	[LOG_LEVEL_ERROR] = { "error", "ERROR", "\033[31m" },
	[LOG_LEVEL_FATAL] = { "fatal", "FATAL", "\033[1;31m" },
};
static_assert(ARRAY_LEN(levels) == LOG_LEVEL_FATAL + 1, "a row for each level");

void log_init(enum log_level level, enum log_format format, const char *role)
{
	out.level = level;
	out.format = format;
	out.role = role;
	out.colours = format == LOG_FORMAT_PRETTY && isatty(STDERR_FILENO);
}

/* Bytes of the line that are left for fields. */
static size_t room(void)
{
	const size_t max = LINE_BYTES_MAX - LINE_END_BYTES;

	return out.line.len < max ? max - out.line.len : 0;
}

/* The text with '?' for each byte that is not UTF-8. It stays valid until the next call. */
static struct str cleaned(const char *text)
{
	struct str rest = { text, strnlen(text, LINE_BYTES_MAX) };
	size_t n = str_utf8_prefix(rest);

	buf_reset(&out.clean);
	buf_add(&out.clean, rest.ptr, n);
	while (n < rest.len) {
		buf_char(&out.clean, '?');
		rest = (struct str){ rest.ptr + n + 1, rest.len - n - 1 };
		n = str_utf8_prefix(rest);
		buf_add(&out.clean, rest.ptr, n);
	}

	return buf_view(&out.clean);
}

/* What a byte takes in JSON: itself, an escape of two, or \u00XX. */
static size_t escaped_len(unsigned char c)
{
	if (c < 0x20)
		return ESCAPED_BYTES;

	return c == '"' || c == '\\' ? 2 : 1;
}

/* As much of the text as half of the room holds, so that later fields have theirs. */
static struct str fitting(const char *text)
{
	struct str s = cleaned(text);
	size_t max = room() / 2, taken = 0, n = 0;

	while (n < s.len && taken + escaped_len((unsigned char)s.ptr[n]) <= max)
		taken += escaped_len((unsigned char)s.ptr[n++]);
	while (n > 0 && n < s.len && ((unsigned char)s.ptr[n] & 0xc0) == 0x80)
		n--; /* not within a character */

	return (struct str){ s.ptr, n };
}

static void json_text(struct jsonwrite *w, const char *text)
{
	if (text)
		jsonwrite_str(w, fitting(text));
	else
		jsonwrite_null(w);
}

static void json_line(enum log_level level, const char *message, const struct log_field *fields,
		      size_t n)
{
	struct jsonwrite w;

	jsonwrite_init(&w, &out.line);
	jsonwrite_object(&w);
	jsonwrite_key(&w, "time");
	jsonwrite_time(&w, clock_now_us());
	jsonwrite_member_text(&w, "level", levels[level].name);
	jsonwrite_member_text(&w, "role", out.role);
	jsonwrite_member_i64(&w, "pid", getpid());
	jsonwrite_key(&w, "message");
	json_text(&w, message);

	for (size_t i = 0; i < n; i++) {
		if (room() < ESCAPED_BYTES * strlen(fields[i].name) + NUMBER_BYTES) {
			jsonwrite_member_bool(&w, "truncated", true);
			break;
		}
		jsonwrite_key(&w, fields[i].name);
		if (fields[i].is_number)
			jsonwrite_i64(&w, fields[i].number);
		else
			json_text(&w, fields[i].text);
	}
	jsonwrite_object_end(&w);
}

static void colour(const char *code)
{
	if (out.colours)
		buf_str(&out.line, code);
}

static bool is_plain(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] <= ' ' || s.ptr[i] == '"' || s.ptr[i] == '\\' ||
		    s.ptr[i] == 0x7f)
			return false;

	return s.len > 0;
}

/* A value as it is, or in quotes with escapes, so that no text feigns a field or a line. */
static void pretty_value(const struct log_field *f)
{
	struct jsonwrite w;
	struct str text;

	jsonwrite_init(&w, &out.line);
	if (f->is_number) {
		jsonwrite_i64(&w, f->number);
		return;
	}

	text = fitting(f->text ? f->text : "null");
	if (is_plain(text))
		buf_add(&out.line, text.ptr, text.len);
	else
		jsonwrite_str(&w, text);
}

/* 12:00:00.000 INFO  Server running url=http://localhost workers=4 */
static void pretty_line(enum log_level level, const char *message, const struct log_field *fields,
			size_t n)
{
	char time[RFC3339_SIZE];
	struct str text;

	clock_rfc3339(clock_now_us(), time);
	colour(DIM);
	buf_add(&out.line, time + HOUR_IN_RFC3339, TIME_LEN);
	colour(PLAIN);
	buf_char(&out.line, ' ');
	colour(levels[level].colour);
	buf_str(&out.line, levels[level].label);
	colour(PLAIN);
	buf_char(&out.line, ' ');

	text = fitting(message);
	for (size_t i = 0; i < text.len; i++)
		buf_char(&out.line, (unsigned char)text.ptr[i] < ' ' ? ' ' : text.ptr[i]);

	for (size_t i = 0; i < n; i++) {
		if (room() < strlen(fields[i].name) + NUMBER_BYTES)
			break;
		buf_char(&out.line, ' ');
		colour(DIM);
		buf_str(&out.line, fields[i].name);
		buf_char(&out.line, '=');
		colour(PLAIN);
		pretty_value(&fields[i]);
	}
}

void log_array(enum log_level level, const char *message, const struct log_field *fields, size_t n)
{
	if (level < out.level)
		return;

	if (!out.line.data) {
		buf_init_heap(&out.line, LINE_BYTES_MAX);
		buf_init_heap(&out.clean, LINE_BYTES_MAX);
	}
	buf_reset(&out.line);
	if (out.format == LOG_FORMAT_JSON)
		json_line(level, message, fields, n);
	else
		pretty_line(level, message, fields, n);
	buf_char(&out.line, '\n');

	/* When nobody takes the line, there is nowhere left to say so. */
	if (write(STDERR_FILENO, out.line.data, out.line.len) < 0)
		return;
}

void log_fields(enum log_level level, const char *message, ...)
{
	struct log_field fields[FIELDS_MAX];
	size_t n = 0;
	va_list ap;

	if (level < out.level)
		return;

	va_start(ap, message);
	for (;;) {
		struct log_field f = va_arg(ap, struct log_field);

		if (!f.name)
			break;
		BUG_IF(n == FIELDS_MAX);
		fields[n++] = f;
	}
	va_end(ap);

	log_array(level, message, fields, n);
}
