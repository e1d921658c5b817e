#include "base/log.h"

#include "base/arena.h"
#include "base/jsonread.h"

#include <criterion/criterion.h>
#include <sys/stat.h>
#include <unistd.h>

static struct arena *arena;
static FILE *caught; /* stands where standard error was */

static void begin(void)
{
	arena = arena_new();
	caught = tmpfile();
	cr_assert_not_null(caught);
	cr_assert_geq(dup2(fileno(caught), STDERR_FILENO), 0);
	log_init(LOG_LEVEL_DEBUG, LOG_FORMAT_JSON, "test");
}

static void end(void)
{
	(void)fclose(caught);
	arena_free(arena);
}

TestSuite(log, .init = begin, .fini = end);

static struct str output(void)
{
	struct stat st;
	char *text;

	cr_assert_eq(fstat(fileno(caught), &st), 0);
	text = arena_alloc(arena, (size_t)st.st_size + 1);
	cr_assert_eq(pread(fileno(caught), text, (size_t)st.st_size, 0), st.st_size);

	return (struct str){ text, (size_t)st.st_size };
}

/* The one line that was written, as JSON. */
static const struct json *line(void)
{
	struct str text = output();
	const struct json *json = NULL;
	const char *why = "";
	size_t at;

	cr_assert(str_ends(text, "\n"));
	text.len--;
	cr_assert_not(str_find(text, '\n', &at), "more than one line");
	cr_assert(jsonread_parse(arena, text, &json, &why, &at), "%s at %zu of %.*s", why, at,
		  STR_FMT(text));

	return json;
}

static struct str text_of(const struct json *object, const char *key)
{
	const struct json *value;

	cr_assert(jsonread_member(object, key, &value), "no %s", key);

	return jsonread_string(value);
}

Test(log, a_line_is_a_json_object_with_its_fields)
{
	const struct json *json, *value;
	int64_t number;

	log_warn("Job failed", LOG_S("queue", "mail"), LOG_I("attempt", 3), LOG_S("error", NULL));
	json = line();
	cr_assert(str_is(text_of(json, "level"), "warn"));
	cr_assert(str_is(text_of(json, "role"), "test"));
	cr_assert(str_is(text_of(json, "message"), "Job failed"));
	cr_assert(str_is(text_of(json, "queue"), "mail"));
	cr_assert_eq(text_of(json, "time").len, 24);
	cr_assert(jsonread_member(json, "attempt", &value));
	cr_assert(jsonread_i64(value, &number) && number == 3);
	cr_assert(jsonread_member(json, "error", &value));
	cr_assert_null(value);
}

Test(log, lines_below_the_level_are_dropped)
{
	log_init(LOG_LEVEL_WARN, LOG_FORMAT_JSON, "test");
	log_debug("no");
	log_info("no");
	cr_assert_eq(output().len, 0);
	log_error("yes");
	cr_assert(str_is(text_of(line(), "message"), "yes"));
}

Test(log, a_line_stays_one_line_of_json_whatever_is_in_it)
{
	const struct json *json;

	log_error("two\nlines", LOG_S("quote", "\"}\\"),
		  LOG_S("bytes", "a\xff\xfe"
				 "b\x01"));
	json = line();
	cr_assert(str_is(text_of(json, "message"), "two\nlines"));
	cr_assert(str_is(text_of(json, "quote"), "\"}\\"));
	cr_assert(str_is(text_of(json, "bytes"), "a??b\x01"));
}

Test(log, a_line_that_is_too_long_is_cut_and_still_json)
{
	static const char fillers[][3] = { "x", "\x01", "\xc3\xa9", "\xff" };

	for (size_t f = 0; f < ARRAY_LEN(fillers); f++) {
		const size_t width = strlen(fillers[f]);
		struct log_field fields[20];
		char *text = arena_alloc(arena, KIB(40));

		for (size_t at = 0; at + width < KIB(39); at += width)
			memcpy(text + at, fillers[f], width);
		for (size_t i = 0; i < ARRAY_LEN(fields); i++)
			fields[i] = LOG_S(arena_printf(arena, "field%zu", i), text);

		cr_assert_eq(ftruncate(fileno(caught), 0), 0);
		cr_assert_eq(lseek(fileno(caught), 0, SEEK_SET), 0);
		log_array(LOG_LEVEL_INFO, text, fields, ARRAY_LEN(fields));
		cr_assert_leq(output().len, KIB(16));
		cr_assert_gt(text_of(line(), "field0").len, 500);
	}
}

Test(log, pretty_lines_are_text_that_cannot_feign_another_line)
{
	struct str text;
	size_t at;

	log_init(LOG_LEVEL_DEBUG, LOG_FORMAT_PRETTY, "test");
	log_info("Server\nrunning", LOG_S("url", "http://localhost"), LOG_I("workers", 4),
		 LOG_S("path", "a b\n\033[2J"));
	text = output();
	cr_assert(str_ends(text, "INFO  Server running url=http://localhost workers=4 "
				 "path=\"a b\\n\\u001b[2J\"\n"),
		  "%.*s", STR_FMT(text));
	cr_assert(str_find(text, '\n', &at) && at == text.len - 1);
	cr_assert_not(str_find(text, '\033', &at), "colours belong on a terminal");
}
