/* The table of routes, mounted: found by method and path, walked, asked what it may answer. */
#include "http/route.h"

#include "base/arena.h"
#include "db/batch.h"
#include "http/route_check.h"

#include <assert.h>

#define METHODS 7 /* bits of enum method */

/* One segment of the paths. Parameters have a child of their own, whatever their names. */
struct node {
	struct str segment;
	struct node *next; /* its sibling */
	struct node *children;
	struct node *param;
	unsigned allowed;                    /* methods of the path that ends here */
	const struct mounted *rows[METHODS]; /* by method's bit */
};

/* The process's, from routes_init() to the end. */
static struct {
	struct arena *arena;
	struct mounted *rows;
	size_t rows_len;
	struct node *root;
} table;

static const struct {
	enum tier tier;
	const char *name, *prefix;
} tiers[] = {
	{ TIER_API, "api", "/api/v1" },
	{ TIER_ADMIN, "admin", "/api/admin" },
	{ TIER_SUPER, "superadmin", "/api/superadmin" },
	{ TIER_AUTH, "auth", "/api/auth" },
	{ TIER_SYSTEM, "system", "" },
};

const char *tier_prefix(enum tier t)
{
	for (size_t i = 0; i < ARRAY_LEN(tiers); i++)
		if (tiers[i].tier == t)
			return tiers[i].prefix;

	BUG("no such tier");
}

const char *tier_name(enum tier t)
{
	for (size_t i = 0; i < ARRAY_LEN(tiers); i++)
		if (tiers[i].tier == t)
			return tiers[i].name;

	BUG("no such tier");
}

const char *rate_name(enum rate r)
{
	static const char *const names[] = {
		[RATE_EXEMPT] = "exempt", [RATE_READ] = "read", [RATE_WRITE] = "write",
		[RATE_SEARCH] = "search", [RATE_AUTH] = "auth",
	};
	static_assert(ARRAY_LEN(names) == RATE_COUNT, "a name for each class");

	BUG_IF(r == RATE_UNSTATED || r >= RATE_COUNT);
	return names[r];
}

static size_t bit_of(enum method m)
{
	return (size_t)__builtin_ctz((unsigned)m);
}

struct str route_segment(struct str *rest, bool *ret_is_param)
{
	struct str segment = str_cut(rest, '/');

	*ret_is_param = segment.len && segment.ptr[0] == ':';
	if (*ret_is_param)
		segment = (struct str){ segment.ptr + 1, segment.len - 1 };

	return segment;
}

bool route_has_params(const struct route *r)
{
	return strchr(r->path, ':') != NULL;
}

bool route_param_is_id(struct str name)
{
	return str_is(name, "id") || str_ends(name, "Id");
}

int route_status(const struct route *r)
{
	if (r->status)
		return r->status;

	return r->reply || r->handle ? 200 : 204;
}

/*
 * What a row may answer
 */

static bool states(const struct route *r, int err)
{
	for (size_t i = 0; r->errors && r->errors[i]; i++)
		if (r->errors[i] == err)
			return true;

	return false;
}

bool route_needs_tenant(const struct route *r)
{
	return r->perm == PERM_MEMBER || r->perm > PERM_GLOBAL_ADMIN;
}

bool route_takes_api_key(const struct route *r, enum tier t)
{
	return t == TIER_API && route_needs_tenant(r) && r->perm != PERM_MANAGE_API_KEYS &&
	       !(r->flags & (ROUTE_STEP_UP | ROUTE_PERSON));
}

bool route_may_fail(const struct route *r, enum tier t, int err)
{
	bool is_safe = method_is_safe(r->method);
	bool takes_cookie = t & (TIER_ADMIN | TIER_SUPER | TIER_AUTH);

	if (states(r, err))
		return true;

	switch (err) {
	case ERR_MALFORMED_JSON:
	case ERR_UNSUPPORTED_MEDIA_TYPE: return !is_safe; /* even where no body is taken */
	case ERR_AUTH_UNAUTHORIZED:
	case ERR_AUTH_TOKEN_EXPIRED: return r->perm != PERM_PUBLIC;
	case ERR_AUTH_FORBIDDEN: /* who acts as somebody else is kept from what is a person's own */
		return r->perm > PERM_ACCOUNT || (r->perm == PERM_ACCOUNT && !is_safe);
	case ERR_AUTH_MFA_REQUIRED: return r->perm > PERM_ACCOUNT || r->flags & ROUTE_STEP_UP;
	case ERR_AUTH_RECENT_LOGIN_REQUIRED: return r->flags & ROUTE_RECENT;
	case ERR_TENANT_SUSPENDED: return route_needs_tenant(r);
	case ERR_AUTH_CSRF: return takes_cookie && !is_safe;
	case ERR_RESOURCE_NOT_FOUND: return route_has_params(r);
	case ERR_PRECONDITION_FAILED: return !is_safe && (r->method != POST || route_has_params(r));
	case ERR_IDEMPOTENCY_IN_PROGRESS:
	case ERR_IDEMPOTENCY_MISMATCH: return r->flags & ROUTE_IDEMPOTENT;
	case ERR_RATE_LIMIT_EXCEEDED: return r->rate != RATE_EXEMPT;
	case ERR_VALIDATION_ERROR: /* every path, query and head may be broken or too long */
	case ERR_PAYLOAD_TOO_LARGE:
	case ERR_URI_TOO_LONG:
	case ERR_INTERNAL_ERROR:
	case ERR_SERVICE_UNAVAILABLE: return true;
	default: return false;
	}
}

/*
 * Finding
 */

static struct node *child_of(const struct node *n, struct str segment)
{
	for (struct node *child = n->children; child; child = child->next)
		if (str_eq(child->segment, segment))
			return child;

	return NULL;
}

/* Names for the values that were met on the way, in the words of the row that was found. */
static void name_params(struct route_match *m, const struct str *values)
{
	struct str rest = str_of(m->pattern + 1);
	bool is_param;

	for (struct str s = route_segment(&rest, &is_param); s.ptr;
	     s = route_segment(&rest, &is_param)) {
		if (!is_param)
			continue;
		m->params[m->params_len].name = s;
		m->params[m->params_len].value = values[m->params_len];
		m->params_len++;
	}
}

void route_find(enum method m, const char *path, struct route_match *ret)
{
	struct str rest = str_of(path), values[ROUTE_PARAMS_MAX];
	const struct node *n = table.root;
	const struct mounted *row;
	size_t values_len = 0;

	*ret = (struct route_match){ 0 };
	if (str_cut(&rest, '/').len) /* a path begins with '/' */
		return;

	for (struct str s = str_cut(&rest, '/'); s.ptr; s = str_cut(&rest, '/')) {
		const struct node *literal = child_of(n, s);

		if (!literal && (!n->param || !s.len || values_len == ROUTE_PARAMS_MAX))
			return;
		if (!literal)
			values[values_len++] = s;
		n = literal ? literal : n->param;
	}

	ret->allowed = n->allowed;
	if (!(n->allowed & m))
		return;

	row = n->rows[bit_of(m == HEAD ? GET : m)];
	if (!row) /* OPTIONS has no row */
		return;
	ret->route = row->route;
	ret->tier = row->tier;
	ret->pattern = row->path;
	name_params(ret, values);
}

bool route_each(size_t i, struct mounted *ret)
{
	if (i >= table.rows_len)
		return false;

	*ret = table.rows[i];
	return true;
}

/*
 * Building
 */

static struct node *make_child(struct node *n, struct str segment, bool is_param)
{
	struct node *child = is_param ? n->param : child_of(n, segment);

	if (child)
		return child;

	child = arena_make(table.arena, struct node);
	child->segment = segment;
	if (is_param) {
		n->param = child;
	} else {
		child->next = n->children;
		n->children = child;
	}

	return child;
}

/* False when another row has the method and path. */
static bool insert(const struct mounted *row)
{
	struct str rest = str_of(row->path + 1);
	enum method m = row->route->method;
	struct node *n = table.root;
	bool is_param;

	for (struct str s = route_segment(&rest, &is_param); s.ptr;
	     s = route_segment(&rest, &is_param))
		n = make_child(n, s, is_param);

	if (n->rows[bit_of(m)])
		return false;
	n->rows[bit_of(m)] = row;
	n->allowed |= m | OPTIONS | (m == GET ? HEAD : 0);

	return true;
}

static void mount_row(const struct mount *mount, const struct route *r)
{
	for (size_t t = 0; t < ARRAY_LEN(tiers); t++)
		if (r->tiers & tiers[t].tier)
			table.rows[table.rows_len++] = (struct mounted){
				.route = r,
				.mount = mount,
				.tier = tiers[t].tier,
				.path = arena_printf(table.arena, "%s%s", tiers[t].prefix, r->path),
			};
}

static size_t count_rows(const struct mount *const *mounts)
{
	size_t n = 0;

	for (; *mounts; mounts++)
		for (const struct route *r = (*mounts)->routes; r->method; r++)
			n++;

	return n;
}

bool routes_init(const struct mount *const *mounts)
{
	bool is_good = true;

	arena_free(table.arena);
	table.arena = arena_new();
	table.rows_len = 0;
	table.rows = arena_make_n(table.arena, struct mounted,
				  size_mul(count_rows(mounts), ARRAY_LEN(tiers)));
	table.root = arena_make(table.arena, struct node);

	for (; *mounts; mounts++) {
		for (const struct route *r = (*mounts)->routes; r->method; r++) {
			is_good &= route_check(table.arena, *mounts, r);
			mount_row(*mounts, r);
		}
		if ((*mounts)->conflicts)
			conflicts_register((*mounts)->conflicts);
	}

	for (size_t i = 0; is_good && i < table.rows_len; i++)
		if (!insert(&table.rows[i]))
			is_good = route_mistake(table.rows[i].mount, table.rows[i].route,
						"another row has this method and path");

	return is_good && schemas_check(table.arena);
}
