/* Names of methods: see method.h. */
#include "http/method.h"

#include "base/arena.h"
#include "base/buf.h"

static const struct {
	enum method method;
	const char *name;
} methods[] = {
	{ GET, "GET" },     { HEAD, "HEAD" },     { POST, "POST" },       { PUT, "PUT" },
	{ PATCH, "PATCH" }, { DELETE, "DELETE" }, { OPTIONS, "OPTIONS" },
};

const char *method_name(enum method m)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (methods[i].method == m)
			return methods[i].name;

	BUG("a method has no name");
}

enum method method_parse(const char *s)
{
	for (size_t i = 0; s && i < ARRAY_LEN(methods); i++)
		if (!strcmp(methods[i].name, s))
			return methods[i].method;

	return 0;
}

const char *methods_text(struct arena *a, unsigned set)
{
	struct buf b;

	buf_init(&b, a, 64);
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (set & methods[i].method)
			buf_printf(&b, "%s%s", b.len ? ", " : "", methods[i].name);

	return b.data;
}
