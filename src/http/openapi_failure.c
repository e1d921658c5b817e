/* What may go wrong, in the OpenAPI document: the replies that operations share, and their
 * examples. */
#include "http/openapi_impl.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jsonwrite.h"
#include "http/route.h"

#define NAME_BYTES_MAX KIB(2) /* every code there is */

static bool may(const struct mounted *m, int err)
{
	return route_may_fail(m->route, m->tier, err);
}

const char *openapi_failure_name(struct arena *a, const struct mounted *m, int status)
{
	struct buf b;

	buf_init(&b, a, NAME_BYTES_MAX);
	for (int e = OK + 1; e < ERR_COUNT; e++)
		if (err_info(e)->status == status && may(m, e))
			buf_printf(&b, "%s%s", b.len ? "." : "", err_info(e)->code);
	BUG_IF(b.overflow);

	return b.data;
}

/* The first speaks for them. */
static const char *message_of(const struct mounted *m, int status)
{
	for (int e = OK + 1; e < ERR_COUNT; e++)
		if (err_info(e)->status == status && may(m, e))
			return err_info(e)->message;

	BUG("a status without an error");
}

/* All errors of one status: one body, an example each. */
static void write_failure(struct jsonwrite *w, const struct mounted *m, int status)
{
	jsonwrite_object(w);
	jsonwrite_member_text(w, "description", message_of(m, status));
	openapi_headers_of(w, m, status);
	jsonwrite_key(w, "content");
	jsonwrite_object(w);
	jsonwrite_key(w, "application/json");
	jsonwrite_object(w);
	jsonwrite_key(w, "schema");
	openapi_ref(w, "schemas", "Error");
	jsonwrite_key(w, "examples");
	jsonwrite_object(w);
	for (int e = OK + 1; e < ERR_COUNT; e++) {
		if (err_info(e)->status != status || !may(m, e))
			continue;
		jsonwrite_key(w, err_info(e)->code);
		openapi_ref(w, "examples", err_info(e)->code);
	}
	jsonwrite_object_end(w);
	jsonwrite_object_end(w);
	jsonwrite_object_end(w);
	jsonwrite_object_end(w);
}

static bool is_first_of_status(int err)
{
	return err == OK + 1 || err_info(err)->status != err_info(err - 1)->status;
}

static bool is_among(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;

	return false;
}

/* errors.def is in the order of statuses, so that each status is met once a row. */
void openapi_failures(struct jsonwrite *w, struct arena *a, const struct mounted *rows, size_t n)
{
	const char **names = arena_make_n(a, const char *, size_mul(n, ERR_COUNT));
	size_t len = 0;

	jsonwrite_key(w, "responses");
	jsonwrite_object(w);
	for (size_t i = 0; i < n; i++) {
		for (int e = OK + 1; e < ERR_COUNT; e++) {
			const char *name;

			if (!is_first_of_status(e))
				continue;
			name = openapi_failure_name(a, &rows[i], err_info(e)->status);
			if (!*name || is_among(names, len, name))
				continue;
			names[len++] = name;
			jsonwrite_key(w, name);
			write_failure(w, &rows[i], err_info(e)->status);
		}
	}
	jsonwrite_object_end(w);
}
