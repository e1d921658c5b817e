/*
 * Rows are checked when the program starts: what is not stated, or cannot be, is said with the
 * row's own name. To add a rule: a row in rules[].
 */
#include "http/route_check.h"

#include "base/arena.h"
#include "http/openapi.h"
#include "http/route.h"
#include "http/schemas.h"
#include "http/shape.h"

#define TIERS_ALL (TIER_API | TIER_ADMIN | TIER_SUPER | TIER_AUTH | TIER_SYSTEM)

static bool method_is_one(const struct route *r)
{
	return r->method & (GET | POST | PUT | PATCH | DELETE) && !(r->method & (r->method - 1));
}

bool route_mistake(const struct mount *m, const struct route *r, const char *what)
{
	dprintf(2, "route %s %s of %s: %s\n", method_is_one(r) ? method_name(r->method) : "?",
		r->path ? r->path : "?", m->name, what);

	return false;
}

static bool tiers_are_stated(const struct route *r)
{
	return r->tiers && !(r->tiers & ~(unsigned)TIERS_ALL);
}

static bool perm_is_stated(const struct route *r)
{
	return r->perm > PERM_UNSTATED && r->perm < PERM_COUNT;
}

static bool rate_is_stated(const struct route *r)
{
	return r->rate > RATE_UNSTATED && r->rate < RATE_COUNT;
}

static bool path_is_good(const struct route *r)
{
	struct str rest = str_of(r->path);
	size_t params = 0;
	bool is_param;

	if (str_cut(&rest, '/').len || !rest.ptr)
		return false;
	for (struct str s = route_segment(&rest, &is_param); s.ptr;
	     s = route_segment(&rest, &is_param)) {
		params += is_param;
		if (!s.len)
			return false;
	}

	return params <= ROUTE_PARAMS_MAX;
}

static bool has_one_handler(const struct route *r)
{
	return !!r->one + !!r->page + !!r->all + !!r->none + !!r->handle == 1;
}

static bool page_is_sorted(const struct route *r)
{
	return !r->page || (r->sorts && r->method == GET);
}

static bool reply_is_stated(const struct route *r)
{
	return r->one || r->page || r->all ? r->reply != NULL : !r->none || !r->reply;
}

static bool system_is_public(const struct route *r)
{
	return !(r->tiers & TIER_SYSTEM) || r->perm == PERM_PUBLIC;
}

static bool super_is_guarded(const struct route *r)
{
	return !(r->tiers & TIER_SUPER) || r->perm == PERM_GLOBAL_ADMIN;
}

static bool body_has_method(const struct route *r)
{
	return r->method != GET || !(r->body || r->flags & ROUTE_RAW_BODY);
}

/* And somebody's: a key is its caller's own. */
static bool idempotent_is_post(const struct route *r)
{
	return !(r->flags & ROUTE_IDEMPOTENT) || (r->method == POST && r->perm != PERM_PUBLIC);
}

static bool hot_is_get(const struct route *r)
{
	return !(r->flags & ROUTE_HOT) || (r->method == GET && r->perm != PERM_PUBLIC);
}

/* enter() looks, so it must be asked: not on open rows, hot ones, or where a program's key comes.
 */
static bool step_up_is_entered(const struct route *r)
{
	bool is_keys = r->tiers & TIER_API && route_takes_api_key(r, TIER_API);

	return !(r->flags & ROUTE_STEP_UP) ||
	       (r->perm != PERM_PUBLIC && !(r->flags & ROUTE_HOT) && !is_keys);
}

/* enter() is asked for the one or the other by what a row needs. */
static bool recent_is_of_account(const struct route *r)
{
	return !(r->flags & ROUTE_RECENT) || (r->perm == PERM_ACCOUNT && r->flags & ROUTE_STEP_UP);
}

static bool deprecation_is_dated(const struct route *r)
{
	struct str rest = str_of(r->deprecated);
	struct str since = str_cut(&rest, ' '), until = str_cut(&rest, ' ');

	return !r->deprecated || (since.len == 10 && until.len == 10 && str_starts(rest, "/"));
}

static bool is_summed_up(const struct route *r)
{
	return r->summary && r->summary[0];
}

static const struct {
	bool (*holds)(const struct route *r);
	const char *else_say;
} rules[] = {
	{ method_is_one, "its method is one of GET, POST, PUT, PATCH, DELETE" },
	{ path_is_good, "its path begins with /, has no empty segment and few parameters" },
	{ tiers_are_stated, "it states no tier" },
	{ perm_is_stated, "it states no permission (an open one says PERM_PUBLIC)" },
	{ rate_is_stated, "it states no rate class" },
	{ has_one_handler, "it has one of one, page, all, none and handle" },
	{ page_is_sorted, "a page states its sorts, and is read by GET" },
	{ reply_is_stated, "one, page and all state the shape of their reply, none has none" },
	{ system_is_public, "the system tier knows no credential" },
	{ super_is_guarded, "the superadmin tier wants PERM_GLOBAL_ADMIN" },
	{ body_has_method, "GET has no body" },
	{ idempotent_is_post, "only POST takes an Idempotency-Key" },
	{ hot_is_get, "only a GET that wants a credential is answered from the hot copy" },
	{ step_up_is_entered,
	  "who steps up is a person, and enters: no open row, no hot one, no API key" },
	{ recent_is_of_account, "who has to have logged in lately is an account, and steps up" },
	{ deprecation_is_dated, "deprecated is two dates and the successor's path" },
	{ is_summed_up, "it has no summary" },
};

bool route_check(struct arena *a, const struct mount *m, const struct route *r)
{
	const struct shape *shapes[] = { r->query, r->body, r->reply, r->accepted };
	bool is_good = true;

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (!rules[i].holds(r))
			is_good = route_mistake(m, r, rules[i].else_say);

	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		bool is_input = shapes[i] == r->query || shapes[i] == r->body;
		const char *what = shapes[i] ? shape_mistake(a, shapes[i], is_input) : NULL;

		if (what)
			is_good = route_mistake(m, r, what);
	}

	return is_good;
}

bool schemas_check(struct arena *a)
{
	const struct schemas *s = schemas_collect(a, TIERS_ALL, openapi_included_shape);
	bool is_good = true;

	for (size_t i = 1; i < s->len; i++) {
		if (strcmp(s->shapes[i - 1]->name, s->shapes[i]->name) != 0)
			continue;
		dprintf(2, "two shapes are named %s\n", s->shapes[i]->name);
		is_good = false;
	}

	return is_good;
}
