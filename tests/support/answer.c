/*
 * What an answer holds, found by path and by name. The asking is in answer_ask.c.
 */
#include "support/answer.h"

#include "support/answer_impl.h"

#include <criterion/criterion.h>

struct arena *answers_arena(void)
{
	static struct arena *a;

	if (!a)
		a = arena_new();
	return a;
}

void answers_forget(void)
{
	arena_reset(answers_arena());
}

struct answer answer_is(struct answer a, int status)
{
	cr_assert_eq(a.status, status, "%s: %d instead of %d: %.*s", a.asked, a.status, status,
		     STR_FMT(a.body));
	return a;
}

bool answer_has_issue(const struct answer *a, const char *path)
{
	const struct json *issues, *value;

	if (answer_find(a, "details.path", &value) && json_kind(value) == JSON_STRING &&
	    str_is(jsonread_string(value), path))
		return true;
	if (!answer_find(a, "details.issues", &issues))
		return false;
	for (size_t i = 0; i < jsonread_len(issues); i++) {
		if (jsonread_member(jsonread_at(issues, i), "path", &value) &&
		    str_is(jsonread_string(value), path))
			return true;
	}
	return false;
}

struct answer answer_is_error(struct answer a, int status, const char *code, const char *path)
{
	answer_is(a, status);
	cr_assert_str_eq(answer_text(a, "error"), code, "%s: not %s: %.*s", a.asked, code,
			 STR_FMT(a.body));
	cr_assert(!path || answer_has_issue(&a, path), "%s: not about %s: %.*s", a.asked, path,
		  STR_FMT(a.body));
	return a;
}

const char *answer_header(const struct answer *a, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < a->headers_len; i++) {
		const struct answer_header *h = &a->headers[i];

		if (str_is_nocase(h->name, name))
			value = arena_printf(answers_arena(), "%s%s%.*s", value ? value : "",
					     value ? ", " : "", STR_FMT(h->value));
	}
	return value;
}

/* One step of a path: a member's name, or an item's number. */
static bool step(const struct json *from, struct str name, const struct json **ret)
{
	int64_t i;

	if (json_kind(from) == JSON_OBJECT)
		return jsonread_member(from, str_dup(answers_arena(), name), ret);
	if (json_kind(from) != JSON_ARRAY || !str_to_i64(name, 0, INT64_MAX, &i) ||
	    (size_t)i >= jsonread_len(from))
		return false;
	*ret = jsonread_at(from, (size_t)i);
	return true;
}

bool answer_find(const struct answer *a, const char *path, const struct json **ret)
{
	struct str rest = str_of(path), name;

	*ret = a->json;
	while ((name = str_cut(&rest, '.')).ptr) {
		if (!step(*ret, name, ret))
			return false;
	}
	return true;
}

static const struct json *find(const struct answer *a, const char *path, enum json_kind kind)
{
	const struct json *value;

	cr_assert(answer_find(a, path, &value), "%s: no %s in %.*s", a->asked, path,
		  STR_FMT(a->body));
	cr_assert_eq(json_kind(value), kind, "%s: %s is %s in %.*s", a->asked, path,
		     json_kind_name(json_kind(value)), STR_FMT(a->body));
	return value;
}

const char *answer_text(struct answer a, const char *path)
{
	return str_dup(answers_arena(), jsonread_string(find(&a, path, JSON_STRING)));
}

int64_t answer_int(struct answer a, const char *path)
{
	int64_t number;

	cr_assert(jsonread_i64(find(&a, path, JSON_INT), &number));
	return number;
}

bool answer_bool(struct answer a, const char *path)
{
	return jsonread_bool(find(&a, path, JSON_BOOL));
}

size_t answer_len(struct answer a, const char *path)
{
	return jsonread_len(find(&a, path, JSON_ARRAY));
}
