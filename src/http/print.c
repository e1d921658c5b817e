/* Pages printed from the tables: see print.h. */
#include "http/print.h"

#include "base/buf.h"
#include "base/err.h"
#include "http/route.h"

#include <assert.h>

/* Under each title, what made the page; scripts/check looks that it is still what the tables say.
 */
static void title(struct buf *out, const char *text, const char *command)
{
	buf_printf(out, "# %s\n\nPrinted by `zygo print %s`; change the tables, not this page.\n\n",
		   text, command);
}

/* "canViewUsers", or what the four others are called for people. */
static const char *perm_text(enum perm p)
{
	switch (p) {
	case PERM_PUBLIC: return "anyone";
	case PERM_ACCOUNT: return "any account";
	case PERM_MEMBER: return "any member";
	case PERM_GLOBAL_ADMIN: return "global admin with MFA";
	default: return permissions[p].name;
	}
}

static const char *const flag_names[] = {
	"slow",     "hot",     "idempotent", "replica",   "no-store", "hidden",
	"raw body", "step-up", "person",     "versioned", "moves",    "recent",
};

static_assert(1U << (ARRAY_LEN(flag_names) - 1) == ROUTE_RECENT, "a name for each flag");

static void write_flags(struct buf *out, unsigned flags)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(flag_names); i++)
		if (flags & 1U << i)
			buf_printf(out, "%s%s", n++ ? ", " : "", flag_names[i]);
}

void print_routes(struct buf *out)
{
	struct mounted m;

	title(out, "Routes", "routes");
	buf_str(out,
		"| method | path | permission | limit | flags | what |\n|---|---|---|---|---|---|\n");
	for (size_t i = 0; route_each(i, &m); i++) {
		buf_printf(out, "| %s | `%s` | %s | %s | ", method_name(m.route->method), m.path,
			   perm_text(m.route->perm), rate_name(m.route->rate));
		write_flags(out, m.route->flags);
		buf_printf(out, " | %s |\n", m.route->summary);
	}
}

void print_errors(struct buf *out)
{
	title(out, "Errors", "errors");
	buf_str(out,
		"Every error has this body:\n\n"
		"```json\n"
		"{\"error\": \"CODE\", \"message\": \"for people\", \"statusCode\": 400,\n"
		" \"timestamp\": \"2026-01-31T12:00:00.000Z\", \"requestId\": \"…\", \"details\": {}}\n"
		"```\n\n"
		"`details` is there when there is more to say: `issues` (each with `path`, `message`, "
		"`code`),\n`path` (the field), `required` (the permission), `retryAfter` (seconds).\n\n"
		"| status | code | message, unless the place has a better one |\n|---|---|---|\n");
	for (int e = OK + 1; e < ERR_COUNT; e++)
		buf_printf(out, "| %d | `%s` | %s |\n", err_info(e)->status, err_info(e)->code,
			   err_info(e)->message);
}

static const enum builtin_role roles[] = { ROLE_OWNER, ROLE_ADMIN, ROLE_MEMBER, ROLE_VIEWER };

/* The head of a table: columns, which are named as a row of it is written, and one for each
 * built-in role. */
static void write_role_columns(struct buf *out, const char *columns)
{
	size_t n = ARRAY_LEN(roles);

	buf_str(out, columns);
	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		buf_printf(out, " %s |", builtin_role_name(roles[i]));
	buf_str(out, "\n|");
	for (const char *c = columns + 1; *c; c++)
		n += *c == '|';
	while (n--)
		buf_str(out, "---|");
	buf_char(out, '\n');
}

void print_permissions(struct buf *out)
{
	title(out, "Permissions", "permissions");
	write_role_columns(out, "| permission | what the holder may do |");
	for (int p = 0; p < PERM_COUNT; p++) {
		if (!permissions[p].name)
			continue;
		buf_printf(out, "| `%s` | %s |", permissions[p].name, permissions[p].summary);
		for (size_t i = 0; i < ARRAY_LEN(roles); i++)
			buf_str(out, permissions[p].holders & roles[i] ? " yes |" : " |");
		buf_char(out, '\n');
	}
}

static bool may(const struct route *r, enum builtin_role role)
{
	switch (r->perm) {
	case PERM_PUBLIC:
	case PERM_ACCOUNT:
	case PERM_MEMBER: return true;
	case PERM_GLOBAL_ADMIN: return false;
	default: return permissions[r->perm].holders & role;
	}
}

static const char *credential_of(const struct mounted *m)
{
	if (m->route->perm == PERM_PUBLIC)
		return "none";

	switch (m->tier) {
	case TIER_API:
		return route_takes_api_key(m->route, m->tier) ? "bearer token or API key"
							      : "bearer token";
	case TIER_ADMIN:
	case TIER_SUPER: return "session cookie";
	case TIER_AUTH: return "session cookie or bearer token";
	case TIER_SYSTEM: return "none";
	}

	BUG("no such tier");
}

void print_access(struct buf *out)
{
	struct mounted m;

	title(out, "Who may do what", "access");
	buf_str(out,
		"Every route with the credential it takes and the built-in roles that may call it; a global "
		"admin may call\nall. A change of this page is a change of who may do what.\n\n");
	write_role_columns(out, "| method | path | credential | needs |");
	for (size_t i = 0; route_each(i, &m); i++) {
		buf_printf(out, "| %s | `%s` | %s | %s |", method_name(m.route->method), m.path,
			   credential_of(&m), perm_text(m.route->perm));
		for (size_t k = 0; k < ARRAY_LEN(roles); k++)
			buf_str(out, may(m.route, roles[k]) ? " yes |" : " |");
		buf_char(out, '\n');
	}
}

/* A path as nginx matches it: parameters are any segment. */
static void write_regex(struct buf *out, const char *path)
{
	struct str rest = str_of(path + 1);
	bool is_param;

	for (struct str s = route_segment(&rest, &is_param); s.ptr;
	     s = route_segment(&rest, &is_param)) {
		if (is_param)
			buf_str(out, "/[^/]+");
		else
			buf_printf(out, "/%.*s", STR_FMT(s));
	}
}

void print_nginx(struct buf *out)
{
	struct mounted m;

	buf_str(out,
		"# Which pool a request goes to. Printed by `zygo print nginx`; change the tables, not this file.\n"
		"#\n"
		"# By $uri, which nginx has decoded: what is written otherwise goes to the same pool.\n\n"
		"map \"$request_method $uri\" $zygo_pool {\n"
		"\tdefault zygo_fast;\n");
	for (size_t i = 0; route_each(i, &m); i++) {
		if (!(m.route->flags & ROUTE_SLOW))
			continue;
		/* HEAD finds the row of GET (route_find) */
		buf_printf(out, "\t\"~^%s ",
			   m.route->method == GET ? "(GET|HEAD)" : method_name(m.route->method));
		write_regex(out, m.path);
		buf_str(out, "$\" zygo_slow;\n");
	}
	buf_str(out, "}\n");
}
