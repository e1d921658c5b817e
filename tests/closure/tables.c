/*
 * The tables hang together: each permission is wanted and held, each error and setting is on its
 * page.
 */
#include "base/config.h"
#include "base/err.h"
#include "http/permissions.h"
#include "http/route.h"
#include "support/database.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <regex.h>
#include <string.h>

static bool is_wanted(enum perm p)
{
	struct mounted row;

	for (size_t i = 0; route_each(i, &row); i++) {
		if (row.route->perm == p)
			return true;
	}
	return false;
}

/* What each permission that no route wants yet is for. */
static const struct {
	enum perm perm;
	const char *waits_for;
} early[] = {
	{ PERM_MANAGE_BILLING, "billing" },
	{ PERM_MANAGE_SERVERS, "servers" },
};

static bool is_early(enum perm p)
{
	for (size_t i = 0; i < ARRAY_LEN(early); i++) {
		if (early[i].perm == p)
			return true;
	}
	return false;
}

Test(permissions, are_each_wanted_by_a_route_or_wait_for_their_domain)
{
	world();
	for (enum perm p = PERM_GLOBAL_ADMIN + 1; p < PERM_COUNT; p++)
		cr_expect(is_wanted(p) != is_early(p), "%s is %s", permissions[p].name,
			  is_early(p) ? "wanted by a route now: it waits for nothing"
				      : "wanted by no route");
}

Test(permissions, are_each_held_by_a_role_and_by_the_owner)
{
	for (enum perm p = PERM_GLOBAL_ADMIN + 1; p < PERM_COUNT; p++)
		cr_expect(permissions[p].holders & ROLE_OWNER, "%s is not an owner's",
			  permissions[p].name);
}

/* What enter() reads is what permissions.c says. */
Test(permissions, in_the_database_are_those_of_the_table)
{
	static const enum builtin_role roles[] = { ROLE_OWNER, ROLE_ADMIN, ROLE_MEMBER,
						   ROLE_VIEWER };

	world();
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		for (enum perm p = PERM_GLOBAL_ADMIN + 1; p < PERM_COUNT; p++) {
			bool holds = database_number("SELECT count(*) FROM builtin_roles "
						     "WHERE key = $1 AND $2 = ANY (permissions)",
						     builtin_role_name(roles[i]),
						     permissions[p].name, NULL);

			cr_expect_eq(holds, (permissions[p].holders & roles[i]) != 0, "%s of %s",
				     permissions[p].name, builtin_role_name(roles[i]));
		}
	}
}

static bool mentions(struct str page, const char *word)
{
	return memmem(page.ptr, page.len, word, strlen(word)) != NULL;
}

Test(errors, are_each_on_their_page_with_a_message)
{
	struct str page = world_file("docs/errors.md");

	for (int e = 1; e < ERR_COUNT; e++) {
		const struct err_info *info = err_info(e);

		cr_expect(mentions(page, info->code), "docs/errors.md lacks %s", info->code);
		cr_expect(*info->message, "%s has no message", info->code);
		cr_expect(info->status >= 400 && info->status < 600, "%s: %d", info->code,
			  info->status);
	}
}

Test(settings, are_each_in_the_example_and_on_their_page)
{
	struct str example = world_file("etc/zygo.env.example");
	struct str page = world_file("docs/settings.md");

	for (const struct setting *s = settings; s->name; s++) {
		cr_expect(mentions(example, strf("%s=", s->name)), "etc/zygo.env.example lacks %s",
			  s->name);
		cr_expect(mentions(page, s->name), "docs/settings.md lacks %s", s->name);
	}
}

/* A line of nginx' map ("\t\"~^POST /…$\" zygo_slow;") that matches the text. */
static bool is_mapped(const char *text)
{
	struct str rest = world_file("nginx/snippets/zygo-pools.conf");
	bool is_found = false;

	for (struct str line = str_cut(&rest, '\n'); line.ptr; line = str_cut(&rest, '\n')) {
		regex_t regex;

		if (!str_starts(line, "\t\"~"))
			continue;
		line = (struct str){ line.ptr + 3, line.len - 3 };
		cr_assert_eq(regcomp(&regex, strf("%.*s", STR_FMT(str_cut(&line, '"'))),
				     REG_EXTENDED | REG_NOSUB),
			     0);
		is_found |= regexec(&regex, text, 0, NULL, 0) == 0;
		regfree(&regex);
	}
	return is_found;
}

/* HEAD costs as much as GET: in the fast pool it would hold up everybody else's. */
Test(pools, take_slow_routes_by_every_method_that_finds_them)
{
	struct mounted row;

	for (size_t i = 0; route_each(i, &row); i++) {
		enum method m = row.route->method;

		if (!(row.route->flags & ROUTE_SLOW))
			continue;
		cr_expect(is_mapped(strf("%s %s", method_name(m), row.path)), "%s", row.path);
		cr_expect(m != GET || is_mapped(strf("HEAD %s", row.path)), "HEAD %s", row.path);
	}
}
