/*
 * The audit: that events say who, what and from where, and that they can be found and taken away.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/servers.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static struct answer newest(const struct caller *c, const char *filter)
{
	struct answer a = answer_is(get(c, strf("/audit?limit=1&%s", filter)), 200);

	cr_assert_eq(answer_len(a, "data"), 1, "nothing of %s", filter);
	return a;
}

Test(audit, says_who_changed_what_from_what_to_what)
{
	struct caller ann = caller(ROLE_OWNER);
	const char *id = id_text(project_make(ann.tenant, "blue"));
	struct answer a;

	answer_is(patch(&ann, strf("/projects/%s", id), "{\"name\":\"Bluer\"}"), 200);
	a = newest(&ann, strf("subjectId=%s", id));
	cr_assert_str_eq(answer_text(a, "data.0.type"), "project.updated");
	cr_assert_str_eq(answer_text(a, "data.0.userId"), id_text(ann.user.u));
	cr_assert_str_eq(answer_text(a, "data.0.userEmail"), ann.email);
	cr_assert_str_eq(answer_text(a, "data.0.actorKind"), "token");
	cr_assert_str_eq(answer_text(a, "data.0.sessionId"), id_text(ann.session.u));
	cr_assert(strncmp(answer_text(a, "data.0.ip"), "127.", 4) == 0);
	cr_assert_str_eq(answer_text(a, "data.0.before.name"), "Test project");
	cr_assert_str_eq(answer_text(a, "data.0.after.name"), "Bluer");
	answer_is(get(&ann, strf("/audit/%s", answer_text(a, "data.0.id"))), 200);
}

/* What changed is found though another table's trigger changed it. */
Test(audit, shows_the_roles_that_a_user_had)
{
	struct caller ann = on_tier(caller(ROLE_OWNER), TIER_ADMIN);
	const char *bob = id_text(user_make(ann.tenant, ROLE_VIEWER, NULL).u);
	struct answer a;

	answer_is(put(&ann, strf("/users/%s/roles", bob), "{\"roles\":[\"admin\"]}"), 200);
	a = newest(&ann, "type=user.rolesChanged");
	cr_assert_str_eq(answer_text(a, "data.0.before.roleKeys.0"), "viewer");
	cr_assert_str_eq(answer_text(a, "data.0.after.roleKeys.0"), "admin");
	answer_is(get(&ann, strf("/audit/%s", answer_text(a, "data.0.id"))), 200);
}

Test(audit, redacts_what_is_named_like_a_secret)
{
	const char *shown = database_value("SELECT shown_value('password_hash', '\"x\"') || "
					   "shown_value('name', '\"\\\\xff\"') || "
					   "shown_value('name', '\"x\"')",
					   NULL);

	cr_assert_str_eq(shown, "[\"[redacted]\", \"[redacted]\", \"x\"]");
}

Test(audit, is_filtered)
{
	struct caller ann = caller(ROLE_OWNER);
	const char *word = new_word();

	answer_is(post(&ann, "/projects", strf("{\"slug\":\"%s\",\"name\":\"x\"}", word)), 201);
	answer_is(patch(&ann, "/tenant", "{\"name\":\"Acme\"}"), 200);
	cr_assert_eq(answer_len(get(&ann, strf("/audit?search=%s", word)), "data"), 1);
	cr_assert_eq(answer_len(get(&ann, "/audit?type=project"), "data"), 1);
	cr_assert_eq(answer_len(get(&ann, "/audit?type=proj"), "data"), 0);
	cr_assert_eq(answer_len(get(&ann, strf("/audit?userId=%s", id_text(ann.user.u))), "data"),
		     2);
	cr_assert_eq(answer_len(get(&ann, "/audit?to=2020-01-01T00:00:00Z"), "data"), 0);
	cr_assert_eq(answer_len(get(&ann, "/audit?from=2020-01-01T00:00:00Z"), "data"), 2);
}

/*
 * Exports
 */

static size_t lines_of(const struct answer *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->body.len; i++)
		n += a->body.ptr[i] == '\n';
	return n;
}

static void make_events(struct tenant_id t, int n)
{
	database_run("INSERT INTO events (tenant_id, id, type, actor_kind, created_at) "
		     "SELECT $1::uuid, uuid_v7(), 'project.updated', 'system', "
		     "now() - i * interval '1 minute' FROM generate_series(1, $2::int) AS i",
		     id_text(t.u), strf("%d", n), NULL);
}

static void export_both(const struct caller *c)
{
	struct answer json = answer_is(get(c, "/audit/export"), 200);
	struct answer csv = answer_is(get(c, "/audit/export?format=csv"), 200);

	cr_assert_eq(lines_of(&json), 250);
	cr_assert_eq(lines_of(&csv), 251);
	cr_assert_str_eq(answer_header(&json, "Content-Type"),
			 "application/x-ndjson; charset=utf-8");
	cr_assert(strstr(answer_header(&csv, "Content-Disposition"), "audit.csv"));
	cr_assert(strncmp(csv.body.ptr, "id,type,", 8) == 0);
}

Test(audit, is_exported_in_two_formats_on_both_tiers)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct caller dash = on_tier(ann, TIER_ADMIN);

	make_events(ann.tenant, 250);
	export_both(&ann);
	export_both(&dash);
}

#define CREATED "\"createdAt\":\""

/* In parts: what comes is all of it, each event once, and in order. */
Test(audit, is_exported_whole_however_long)
{
	struct caller ann = on_tier(caller(ROLE_OWNER), TIER_ADMIN);
	struct answer a, csv;
	struct str rest;
	const char *last = "";
	size_t lines = 0;

	make_events(ann.tenant, 10250);
	a = answer_is(get(&ann, "/audit/export"), 200);
	cr_assert_eq(lines_of(&a), 10250);
	cr_assert_null(answer_header(&a, "Content-Length"));
	rest = a.body;
	for (struct str line = str_cut(&rest, '\n'); line.len; line = str_cut(&rest, '\n')) {
		const char *moment = memmem(line.ptr, line.len, CREATED, strlen(CREATED));

		cr_assert(moment);
		moment += strlen(CREATED);
		cr_assert_lt(strncmp(last, moment, 24), 0, "line %zu", lines);
		last = moment;
		lines++;
	}
	cr_assert_eq(lines, 10250);

	csv = answer_is(get(&ann, "/audit/export?format=csv&search=nothing-of-this"), 200);
	cr_assert_eq(lines_of(&csv), 1);
	cr_assert_not_null(answer_header(&csv, "Content-Length"));
}

/* A spreadsheet would run it. */
Test(audit, does_not_export_formulas)
{
	struct caller ann = caller(ROLE_OWNER);
	struct answer a;

	database_run("INSERT INTO events (tenant_id, id, type, actor_kind, request_id) "
		     "VALUES ($1::uuid, uuid_v7(), 'project.updated', 'system', "
		     "'=HYPERLINK(\"x\")')",
		     id_text(ann.tenant.u), NULL);
	a = answer_is(get(&ann, "/audit/export?format=csv"), 200);
	cr_assert(strstr(a.body.ptr, "\"'=HYPERLINK(\"\"x\"\")\""));
}

/*
 * Refused attempts
 */

/* It is written when the reply has left. */
struct refused {
	const struct caller *who;
	const char *required;
};

static int64_t notes_of(const struct caller *c, const char *required)
{
	return database_number("SELECT count(*) FROM events WHERE tenant_id = $1::uuid AND "
			       "type = 'access.refused' AND user_id = $2::uuid "
			       "AND data ->> 'required' = $3",
			       id_text(c->tenant.u), id_text(c->user.u), required, NULL);
}

static bool is_noted(void *p)
{
	const struct refused *r = p;

	return notes_of(r->who, r->required) > 0;
}

static void await_note(const struct caller *c, const char *required)
{
	struct refused r = { c, required };

	wait_until(is_noted, &r, "the refusal is an event");
}

Test(audit, notes_what_was_refused_once_a_minute)
{
	struct caller vic = caller(ROLE_VIEWER);
	struct caller dash = on_tier(caller(ROLE_VIEWER), TIER_ADMIN);
	const char *body = strf("{\"email\":\"%s@example.com\"}", new_word());

	for (int i = 0; i < 3; i++) {
		answer_is_error(post(&vic, "/users", body), 403, "AUTH_FORBIDDEN", NULL);
		await_note(&vic, "canManageUsers");
	}
	answer_is_error(post(&vic, "/projects", "{\"slug\":\"blue\",\"name\":\"Blue\"}"), 403,
			"AUTH_FORBIDDEN", NULL);
	await_note(&vic, "canManageProjects");
	cr_assert_eq(notes_of(&vic, "canManageUsers"), 1);
	answer_is_error(post(&dash, "/users", body), 403, "AUTH_FORBIDDEN", NULL);
	await_note(&dash, "canManageUsers");
}

Test(audit, of_all_tenants_is_the_platforms)
{
	struct caller root = on_tier(caller_global_admin(), TIER_SUPER);
	struct caller ann = caller(ROLE_OWNER), dash = on_tier(ann, TIER_ADMIN);
	struct answer a;

	answer_is(patch(&dash, "/tenant", "{\"name\":\"Acme\"}"), 200);
	a = answer_is(get(&root, strf("/audit?tenantId=%s", id_text(ann.tenant.u))), 200);
	cr_assert_eq(answer_len(a, "data"), 1);
	cr_assert_str_eq(answer_text(a, "data.0.tenantId"), id_text(ann.tenant.u));
	cr_assert_str_eq(answer_text(a, "data.0.after.name"), "Acme");
	a = get(&root, strf("/audit?accountId=%s", id_text(ann.account.u)));
	cr_assert_eq(answer_len(a, "data"), 1);
}
