/* JSON into a buffer, as it is said: see jsonwrite.h. */
#include "base/jsonwrite.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/id.h"

void jsonwrite_init(struct jsonwrite *w, struct buf *out)
{
	*w = (struct jsonwrite){ .out = out };
}

static uint64_t bit(unsigned depth)
{
	return UINT64_C(1) << depth;
}

static void new_line(struct jsonwrite *w)
{
	if (!w->pretty)
		return;

	buf_char(w->out, '\n');
	for (unsigned i = 0; i < w->depth; i++)
		buf_add(w->out, "  ", 2);
}

/* What stands before an item of the innermost object or array. */
static void begin_item(struct jsonwrite *w)
{
	if (w->has_items & bit(w->depth))
		buf_char(w->out, ',');
	w->has_items |= bit(w->depth);
	new_line(w);
}

static void begin_value(struct jsonwrite *w)
{
	if (w->after_key) {
		w->after_key = false;
		return;
	}
	if (w->depth == 0) {
		BUG_IF(w->has_items & bit(0)); /* a second value */
		w->has_items |= bit(0);
		return;
	}

	BUG_IF(w->is_object & bit(w->depth)); /* a value without its key */
	begin_item(w);
}

static void open_container(struct jsonwrite *w, char c, bool is_object)
{
	begin_value(w);
	buf_char(w->out, c);

	w->depth++;
	BUG_IF(w->depth == JSONWRITE_DEPTH_MAX);
	w->has_items &= ~bit(w->depth);
	w->is_object &= ~bit(w->depth);
	if (is_object)
		w->is_object |= bit(w->depth);
}

static void close_container(struct jsonwrite *w, char c, bool is_object)
{
	bool has_items = w->has_items & bit(w->depth);

	BUG_IF(w->depth == 0 || w->after_key);
	BUG_IF(!!(w->is_object & bit(w->depth)) != is_object);

	w->depth--;
	if (has_items)
		new_line(w);
	buf_char(w->out, c);
}

void jsonwrite_object(struct jsonwrite *w)
{
	open_container(w, '{', true);
}

void jsonwrite_object_end(struct jsonwrite *w)
{
	close_container(w, '}', true);
}

void jsonwrite_array(struct jsonwrite *w)
{
	open_container(w, '[', false);
}

void jsonwrite_array_end(struct jsonwrite *w)
{
	close_container(w, ']', false);
}

/* A character that may not stand in a string as it is: RFC 8259 section 7. */
static void put_escaped(struct buf *out, unsigned char c)
{
	static const char letters[0x20] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
	};
	char text[6] = { '\\', 'u', '0', '0', hex_digits[c >> 4], hex_digits[c & 0x0f] };

	if (c < sizeof(letters) && !letters[c]) {
		buf_add(out, text, 6);
		return;
	}

	text[1] = c < sizeof(letters) ? letters[c] : (char)c;
	buf_add(out, text, 2);
}

/* The high bit of some byte is set when a byte of w is less than n, which is at most 0x80. */
static uint64_t has_less(uint64_t w, uint64_t n)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);

	return (w - ones * n) & ~w & (ones * 0x80);
}

/* How many bytes from s.ptr + at, counted by eights, may stand in a string as they are. */
static size_t plain_run(struct str s, size_t at)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	size_t i = at;
	uint64_t w;

	for (; s.len - i >= sizeof(w); i += sizeof(w)) {
		memcpy(&w, s.ptr + i, sizeof(w));
		if (has_less(w, 0x20) | has_less(w ^ ones * '"', 1) | has_less(w ^ ones * '\\', 1))
			break;
	}

	return i - at;
}

static void put_string(struct buf *out, struct str s)
{
	size_t done = 0; /* bytes of s that are written */

	buf_char(out, '"');
	for (size_t i = plain_run(s, 0); i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_add(out, s.ptr + done, i - done);
		put_escaped(out, c);
		done = i + 1;
		i += plain_run(s, done);
	}
	if (s.len > done)
		buf_add(out, s.ptr + done, s.len - done);
	buf_char(out, '"');
}

void jsonwrite_key(struct jsonwrite *w, const char *key)
{
	BUG_IF(w->after_key || !(w->is_object & bit(w->depth)));

	begin_item(w);
	put_string(w->out, str_of(key));
	buf_add(w->out, ": ", w->pretty ? 2 : 1);
	w->after_key = true;
}

void jsonwrite_str(struct jsonwrite *w, struct str s)
{
	begin_value(w);
	put_string(w->out, s);
}

void jsonwrite_text(struct jsonwrite *w, const char *s)
{
	if (s)
		jsonwrite_str(w, str_of(s));
	else
		jsonwrite_null(w);
}

void jsonwrite_i64(struct jsonwrite *w, int64_t v)
{
	begin_value(w);
	buf_i64(w->out, v);
}

void jsonwrite_bool(struct jsonwrite *w, bool v)
{
	jsonwrite_raw(w, v ? STR("true") : STR("false"));
}

void jsonwrite_null(struct jsonwrite *w)
{
	jsonwrite_raw(w, STR("null"));
}

/* Text that needs no escapes. */
static void put_plain(struct jsonwrite *w, const char *text, size_t len)
{
	begin_value(w);
	buf_char(w->out, '"');
	buf_add(w->out, text, len);
	buf_char(w->out, '"');
}

void jsonwrite_uuid(struct jsonwrite *w, const struct uuid *u)
{
	char text[UUID_TEXT_SIZE];

	uuid_format(*u, text);
	put_plain(w, text, sizeof(text) - 1);
}

void jsonwrite_time(struct jsonwrite *w, int64_t us)
{
	char text[RFC3339_SIZE];

	clock_rfc3339(us, text);
	put_plain(w, text, sizeof(text) - 1);
}

void jsonwrite_raw(struct jsonwrite *w, struct str json)
{
	begin_value(w);
	buf_add(w->out, json.ptr, json.len);
}

void jsonwrite_member_text(struct jsonwrite *w, const char *key, const char *s)
{
	jsonwrite_key(w, key);
	jsonwrite_text(w, s);
}

void jsonwrite_member_i64(struct jsonwrite *w, const char *key, int64_t v)
{
	jsonwrite_key(w, key);
	jsonwrite_i64(w, v);
}

void jsonwrite_member_bool(struct jsonwrite *w, const char *key, bool v)
{
	jsonwrite_key(w, key);
	jsonwrite_bool(w, v);
}
