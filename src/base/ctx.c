/* The unit of work's context, and how the first failure is kept: see ctx.h. */
#include "base/ctx.h"

#include "base/arena.h"

#include <assert.h>

void ctx_reset(struct ctx *c, struct arena *a)
{
	*c = (struct ctx){ .arena = a };
}

/* Fills in the fault when it is the first; returns whether it was. */
static bool is_first(struct ctx *c, int err, const char *file, int line)
{
	BUG_IF(err <= OK || err >= ERR_COUNT);
	if (c->fault.err)
		return false;

	c->fault.err = err;
	c->fault.where = arena_printf(c->arena, "%s:%d", file, line);

	return true;
}

int fail_at(struct ctx *c, int err, const char *path, const char *message, const char *file,
	    int line)
{
	if (is_first(c, err, file, line)) {
		c->fault.path = path;
		c->fault.message = message;
	}

	return c->fault.err;
}

int fail_internal_at(struct ctx *c, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	if (is_first(c, ERR_INTERNAL_ERROR, file, line)) {
		va_start(ap, fmt);
		c->fault.detail = arena_vprintf(c->arena, fmt, ap);
		va_end(ap);
	}

	return c->fault.err;
}

void errdetail_log(struct ctx *c, const char *fmt, ...)
{
	const char *more;
	va_list ap;

	va_start(ap, fmt);
	more = arena_vprintf(c->arena, fmt, ap);
	va_end(ap);

	if (c->fault.detail)
		more = arena_printf(c->arena, "%s; %s", c->fault.detail, more);
	c->fault.detail = more;
}

/* A query is read by more than one shape: what each of them finds is said once. */
static bool is_told(const struct fault *f, const char *path, const char *message)
{
	for (size_t i = 0; i < f->issues_len; i++)
		if (!strcmp(f->issues[i].path, path) && !strcmp(f->issues[i].message, message))
			return true;

	return false;
}

int fail_issue(struct ctx *c, const char *path, const char *code, const char *message)
{
	struct fault *f = &c->fault;

	if (f->err && f->err != ERR_VALIDATION_ERROR)
		return f->err;

	f->err = ERR_VALIDATION_ERROR;
	if (!f->issues)
		f->issues = arena_make_n(c->arena, struct issue, ISSUES_MAX);
	if (f->issues_len < ISSUES_MAX && !is_told(f, path, message))
		f->issues[f->issues_len++] = (struct issue){
			.path = arena_strdup(c->arena, path),
			.message = message,
			.code = code,
		};

	return f->err;
}

static const char *const actor_kind_names[] = {
	[ACTOR_NONE] = "none",      [ACTOR_SESSION] = "session", [ACTOR_TOKEN] = "token",
	[ACTOR_API_KEY] = "apiKey", [ACTOR_SYSTEM] = "system",
};
static_assert(ARRAY_LEN(actor_kind_names) == ACTOR_SYSTEM + 1, "one name for each kind of actor");

const char *actor_kind_name(enum actor_kind k)
{
	BUG_IF((size_t)k >= ARRAY_LEN(actor_kind_names));
	return actor_kind_names[k];
}
