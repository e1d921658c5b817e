/* Tenants that are deleted: asked for, taken back, archived, removed, whatever dies meanwhile. */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/hooked.h"
#include "support/mailbox.h"
#include "support/receiver.h"
#include "support/servers.h"
#include "support/websocket.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* A deletion that waits for its state or step. The queue's rate, five a minute, is not for tests.
 */
struct wanted {
	const char *tenant, *column, *value;
};

static bool has_come(void *p)
{
	const struct wanted *w = p;

	database_run("UPDATE job_queues SET starts = '{}' WHERE name = 'tenant-deletion'", NULL);
	return database_number(strf("SELECT count(*) FROM tenant_deletions "
				    "WHERE tenant_id = $1::uuid AND %s = $2",
				    w->column),
			       w->tenant, w->value, NULL) == 1;
}

static void await(struct tenant_id t, const char *column, const char *value)
{
	struct wanted w = { id_text(t.u), column, value };

	wait_until(has_come, &w, strf("the deletion's %s is %s", column, value));
}

static const char *slug_of(struct tenant_id t)
{
	return database_value("SELECT slug FROM tenants WHERE id = $1::uuid", id_text(t.u), NULL);
}

static struct answer request(const struct caller *c, const char *path, const char *confirm)
{
	return ask_with(c, "DELETE", path,
			strf("{\"confirm\":\"%s\",\"reason\":\"We have moved\"}", confirm), NULL);
}

static bool is_put_off(void *tenant)
{
	return database_number("SELECT count(*) FROM jobs WHERE tenant_id = $1::uuid "
			       "AND kind = 'tenant.delete' AND state = 'delayed'",
			       tenant, NULL) == 1;
}

static void await_grace(struct tenant_id t)
{
	wait_until(is_put_off, (void *)(uintptr_t)id_text(t.u),
		   "the job waits for the end of the grace period");
}

/* As if the grace period were over. */
static void end_grace(struct tenant_id t)
{
	const char *tenant = id_text(t.u);

	await_grace(t);
	database_run("UPDATE tenant_deletions SET deletes_at = now() WHERE tenant_id = $1::uuid",
		     tenant, NULL);
	database_run(
		"UPDATE jobs SET run_at = now() WHERE tenant_id = $1::uuid AND state = 'delayed'",
		tenant, NULL);
}

/* Rows of the tenant in all its tables, but those of its deletion. */
static int64_t rows_left(struct tenant_id t)
{
	size_t n;
	const char *const *tables = database_column(
		&n,
		"SELECT name FROM tenant_tables() WHERE name NOT IN ('jobs', 'tenant_deletions')",
		NULL);
	int64_t rows = 0;

	for (size_t i = 0; i < n; i++)
		rows += database_number(
			strf("SELECT count(*) FROM %s WHERE %s = $1::uuid", tables[i],
			     strcmp(tables[i], "tenants") == 0 ? "id" : "tenant_id"),
			id_text(t.u), NULL);
	return rows;
}

/* Somebody who owns a tenant with something in many tables. */
static struct caller owner_of_much(void)
{
	struct caller ann = caller(ROLE_OWNER);

	(void)user_make(ann.tenant, ROLE_MEMBER, NULL);
	for (int i = 0; i < 3; i++)
		answer_is(
			post(&ann, "/projects",
			     strf("{\"slug\":\"%s\",\"name\":\"x\",\"description\":\"\\u00e4\\n\"}",
				  new_word())),
			201);
	answer_is(post(&ann, "/users", strf("{\"email\":\"%s@example.com\"}", new_word())), 201);
	(void)api_key_make(ann.tenant, ann.user, "canViewUsers");
	return ann;
}

Test(deletion, wants_the_slug_typed_and_comes_once)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_ADMIN);
	const char *slug = slug_of(ann.tenant);

	answer_is_error(request(&ann, "/tenant", "another"), 422, "RULE_VIOLATED", NULL);
	answer_is_error(request(&bob, "/tenant", slug), 403, "AUTH_FORBIDDEN", NULL);
	answer_is_error(get(&ann, "/tenant/deletion"), 404, "RESOURCE_NOT_FOUND", NULL);
	answer_is(request(&ann, "/tenant", slug), 202);
	await(ann.tenant, "step", "revoked");
	ann = caller_of(ann.tenant, ann.user);
	answer_is_error(request(&ann, "/tenant", slug), 409, "RESOURCE_CONFLICT", NULL);
}

Test(deletion, lets_nobody_in_but_who_may_take_it_back)
{
	struct caller ann = owner_of_much(), bob = caller_in(ann.tenant, ROLE_ADMIN), program;
	struct answer a;

	program = with_api_key(ann, api_key_make(ann.tenant, ann.user, "canViewProjects"));
	answer_is(get(&program, "/projects"), 200);

	a = answer_is(request(&ann, "/tenant", slug_of(ann.tenant)), 202);
	cr_expect_str_eq(answer_header(&a, "Location"), "/api/v1/tenant/deletion");
	cr_expect_str_eq(answer_text(a, "state"), "pending");
	await(ann.tenant, "step", "revoked");

	answer_is_error(get(&ann, "/projects"), 401, "AUTH_TOKEN_EXPIRED", NULL);
	answer_is_error(get(&program, "/projects"), 403, "TENANT_SUSPENDED", NULL);
	ann = caller_of(ann.tenant, ann.user);
	bob = caller_of(bob.tenant, bob.user);
	answer_is_error(get(&ann, "/projects"), 403, "TENANT_SUSPENDED", NULL);
	answer_is_error(get(&bob, "/projects"), 403, "TENANT_SUSPENDED", NULL);
	answer_is_error(get(&bob, "/tenant/deletion"), 403, "AUTH_FORBIDDEN", NULL);
	a = answer_is(get(&ann, "/tenant/deletion"), 200);
	cr_expect_eq(answer_int(a, "progress"), 30);

	await_grace(ann.tenant); /* a job that runs would be cancelled only when it is asked next */
	answer_is(post(&ann, "/tenant/deletion/cancel", NULL), 204);
	answer_is(get(&ann, "/projects"), 200);
	answer_is(get(&program, "/projects"), 200);
	cr_expect_str_eq(database_value("SELECT state FROM jobs WHERE tenant_id = $1::uuid "
					"AND kind = 'tenant.delete'",
					id_text(ann.tenant.u), NULL),
			 "cancelled");
	cr_expect_eq(
		database_number("SELECT count(*) FROM events WHERE tenant_id = $1::uuid AND type "
				"IN ('tenant.deletionScheduled', 'tenant.deletionCancelled')",
				id_text(ann.tenant.u), NULL),
		2);
	answer_is_error(post(&ann, "/tenant/deletion/cancel", NULL), 404, "RESOURCE_NOT_FOUND",
			NULL);
}

Test(deletion, is_asked_for_and_taken_back_in_the_dashboard)
{
	struct caller ann = on_tier(caller(ROLE_OWNER), TIER_ADMIN);
	struct answer a = answer_is(request(&ann, "/tenant", slug_of(ann.tenant)), 202);

	cr_expect_str_eq(answer_header(&a, "Location"), "/api/admin/tenant/deletion");
	await(ann.tenant, "step", "revoked");
	ann = on_tier(caller_of(ann.tenant, ann.user), TIER_ADMIN);
	answer_is(get(&ann, "/tenant/deletion"), 200);
	answer_is(post(&ann, "/tenant/deletion/cancel", NULL), 204);
	answer_is(get(&ann, "/projects"), 200);
}

Test(deletion, of_the_platform_can_be_taken_back_too)
{
	struct caller root = on_tier(caller_global_admin(), TIER_SUPER), ann = caller(ROLE_OWNER);
	const char *tenant = id_text(ann.tenant.u), *path = strf("/tenants/%s", tenant);
	struct answer a;

	a = answer_is(request(&root, path, slug_of(ann.tenant)), 202);
	cr_expect_str_eq(answer_header(&a, "Location"),
			 strf("/api/superadmin/jobs/%s", answer_text(a, "id")));
	await(ann.tenant, "step", "revoked");
	answer_is(post(&root, strf("%s/deletion/cancel", path), NULL), 204);
	a = answer_is(get(&root, strf("%s/deletion", path)), 200);
	cr_expect_str_eq(answer_text(a, "state"), "cancelled");
	ann = caller_of(ann.tenant, ann.user);
	answer_is(get(&ann, "/projects"), 200);
}

/* What zygo admin restore-tenant says; its exit status is status. */
static const char *restore(const char *location, const char *option, int status)
{
	const char *argv[] = { world()->binary, "admin", "restore-tenant", location, option, NULL };
	struct str said;
	int is;

	(void)setenv("ZYGO_ENV_FILE", world()->env_file, 1);
	said = world_run(argv, &is);
	cr_assert_eq(is, status, "%.*s", STR_FMT(said));
	return strf("%.*s", STR_FMT(said));
}

static const char *archive_of(struct tenant_id t)
{
	return database_value("SELECT archive FROM tenant_deletions WHERE tenant_id = $1::uuid",
			      id_text(t.u), NULL);
}

/* Tables whose rows are not what they were when they were archived: of a restored tenant, keys that
 * are revoked, and the event that it is back. Its own row is not looked at: it is no more deleted.
 */
static const char *differences(struct tenant_id t)
{
	return database_value(
		"SELECT string_agg(x.name, ' ' ORDER BY x.name) FROM tenant_tables() x "
		"CROSS JOIN tenant_deletions d CROSS JOIN LATERAL table_digest(x.name, $1::uuid) g "
		"WHERE d.tenant_id = $1::uuid AND x.is_archived AND x.name <> 'tenants' "
		"AND (d.digests -> x.name ->> 'rows' <> g.row_count::text "
		"  OR d.digests -> x.name ->> 'digest' <> g.digest)",
		id_text(t.u), NULL);
}

Test(deletion, leaves_an_archive_that_gives_everything_back)
{
	struct caller ann = owner_of_much(), eve = owner_of_much();
	struct caller root = on_tier(caller_global_admin(), TIER_SUPER);
	const char *others = database_tenant_digest(eve.tenant), *slug = slug_of(ann.tenant);
	const char *said;
	struct answer a;

	answer_is(request(&ann, "/tenant", slug), 202);
	await(ann.tenant, "step", "revoked");
	end_grace(ann.tenant);
	await(ann.tenant, "state", "completed");

	cr_expect_eq(rows_left(ann.tenant), 0);
	cr_expect_str_eq(database_tenant_digest(eve.tenant), others);
	a = answer_is(get(&root, strf("/tenants/%s/deletion", id_text(ann.tenant.u))), 200);
	cr_expect_str_eq(answer_text(a, "step"), "completed");
	cr_expect_eq(answer_int(a, "progress"), 100);
	cr_expect_str_eq(database_value("SELECT result ->> 'success' FROM jobs WHERE id = $1::uuid",
					answer_text(a, "id"), NULL),
			 "true");

	said = restore(archive_of(ann.tenant), "--dry-run", 0);
	cr_expect(strstr(said, "Nothing was changed"), "%s", said);
	cr_expect_eq(rows_left(ann.tenant), 0);

	said = restore(archive_of(ann.tenant), NULL, 0);
	cr_expect(strstr(said, "API keys stay revoked"), "%s", said);
	cr_expect_str_eq(differences(ann.tenant), "api_keys events");
	cr_expect_str_eq(slug_of(ann.tenant), slug);
	ann = caller_of(ann.tenant, ann.user);
	a = answer_is(get(&ann, "/projects"), 200);
	cr_expect_eq(answer_len(a, "data"), 3);
	(void)restore(archive_of(ann.tenant), NULL, 1); /* it exists */
}

/* A step, as the job says it live to who watches: percent and name. */
struct stage {
	int64_t percent;
	const char *what;
};

/* The next that it says; while it archives it says more, in between. */
static void says(struct websocket *w, struct stage s, bool is_archived)
{
	for (;;) {
		const char *message = hears_in_the_end(w, "event", "job.progress");

		if (!strstr(message, "\"kind\":\"tenant.delete\""))
			continue; /* the child's own */
		if (strstr(message,
			   strf("\"progress\":%ld,\"message\":\"%s\"", (long)s.percent, s.what)))
			return;
		cr_assert(is_archived, "not %s: %s", s.what, message);
	}
}

Test(deletion, says_how_far_it_is_and_tells_who_worked_there)
{
	static const struct stage asked[] = { { 5, "verifyRequest" },
					      { 10, "notifyUsers" },
					      { 20, "softDeleteTenant" },
					      { 30, "revokeAccess" },
					      { 30, "gracePeriod" } };
	struct caller ann = caller(ROLE_OWNER), root = caller_global_admin();
	struct websocket *w = websocket_open(
		strf("/ws?token=%s&tenant=%s", root.token, id_text(ann.tenant.u)), NULL);
	const char *slug = slug_of(ann.tenant), *email = strf("%s@example.com", new_word());

	(void)user_make(ann.tenant, ROLE_MEMBER, email);
	heard_is(w, "type", "connected");
	websocket_joins(w, room_of(&ann, "jobs"));
	answer_is(request(&ann, "/tenant", slug), 202);
	for (size_t i = 0; i < ARRAY_LEN(asked); i++)
		says(w, asked[i], false);
	(void)mail_wait(email, "deleted");

	end_grace(ann.tenant);
	says(w, asked[ARRAY_LEN(asked) - 1], false);
	says(w, (struct stage){ 40, "archiveData" }, false);
	says(w, (struct stage){ 90, "removeData" }, true);
	await(ann.tenant, "state", "completed");
	cr_expect_eq(
		database_number(
			"SELECT count(*) FROM jobs WHERE tenant_id = $1::uuid "
			"AND kind = 'tenant.delete' AND progress = 100 "
			"AND payload = jsonb_build_object('tenantId', $1::text, 'requestedBy', $2::text, "
			"'reason', 'We have moved') "
			"AND result = jsonb_build_object('success', true, 'tenantId', $1::text)",
			id_text(ann.tenant.u), id_text(ann.account.u), NULL),
		1);
}

/* It is the last that a tenant's webhooks hear. */
Test(deletion, is_told_to_webhooks_before_the_tenant_is_gone)
{
	struct caller ann = caller(ROLE_OWNER);

	receiver_start();
	(void)webhook_make(&ann, "/told", ",\"eventTypes\":[\"tenant.deleted\"]");
	answer_is(request(&ann, "/tenant", slug_of(ann.tenant)), 202);
	await(ann.tenant, "step", "revoked");
	end_grace(ann.tenant);
	await(ann.tenant, "state", "completed");
	cr_assert_eq(receiver_count(), 1);
	cr_expect(strstr(receiver_body(0).ptr, "\"tenant.deleted\""));
}

/* A deletion that has come so far; its id, which its job has yet to get. */
static const char *record_make(struct tenant_id t, const char *step)
{
	const char *id = id_text(uuid_v7());

	database_run(
		"INSERT INTO tenant_deletions (tenant_id, id, slug, name, requested_by, deletes_at, "
		"step) SELECT t.id, $2::uuid, t.slug, t.name, u.account_id, now(), $3 "
		"FROM tenants t JOIN users u ON u.tenant_id = t.id AND 'owner' = ANY (u.role_keys) "
		"WHERE t.id = $1::uuid LIMIT 1",
		id_text(t.u), id, step, NULL);
	return id;
}

/* Its worker died right behind that step, and was heard of no more. */
static void stop_at(struct tenant_id t, const char *step)
{
	database_run(
		"INSERT INTO jobs (tenant_id, id, queue, kind, state, attempts, max_attempts, worker) "
		"VALUES ($1::uuid, $2::uuid, 'tenant-deletion', 'tenant.delete', 'active', 1, 5, "
		"'nobody')",
		id_text(t.u), record_make(t, step), NULL);
}

Test(deletion, goes_on_behind_whatever_step_its_worker_died_at)
{
	static const char *const steps[] = { "requested", "verified", "notified",
					     "ended",     "revoked",  "closed" };
	struct caller owners[ARRAY_LEN(steps)];

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		owners[i] = owner_of_much();
		stop_at(owners[i].tenant, steps[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		await(owners[i].tenant, "state", "completed");
		cr_expect_eq(rows_left(owners[i].tenant), 0, "%s", steps[i]);
	}
}

/* What changed behind the archive's back is archived again, and not lost. */
Test(deletion, removes_nothing_that_is_not_in_the_archive)
{
	struct caller ann = owner_of_much();
	const char *tenant = id_text(ann.tenant.u);

	stop_at(ann.tenant, "archived");
	database_run("UPDATE tenant_deletions SET digests = '{\"users\": {\"rows\": 0}}' "
		     "WHERE tenant_id = $1::uuid",
		     tenant, NULL);
	await(ann.tenant, "state", "completed");
	cr_expect_eq(rows_left(ann.tenant), 0);
	(void)restore(archive_of(ann.tenant), NULL, 0);
	cr_expect_str_eq(differences(ann.tenant), "api_keys events");
}

/* The place was full, say: all attempts and all their archives have failed. Then it is mended. */
Test(deletion, that_failed_for_good_goes_on_when_it_is_retried)
{
	struct caller root = on_tier(caller_global_admin(), TIER_SUPER), ann = owner_of_much();
	const char *id = record_make(ann.tenant, "closed");

	database_run("INSERT INTO jobs (tenant_id, id, parent_id, queue, kind, state, attempts, "
		     "max_attempts, errors, finished_at) "
		     "SELECT $1::uuid, CASE n WHEN 0 THEN $2::uuid ELSE gen_random_uuid() END, "
		     "CASE WHEN n > 0 THEN $2::uuid END, "
		     "CASE n WHEN 0 THEN 'tenant-deletion' ELSE 'archive' END, "
		     "CASE n WHEN 0 THEN 'tenant.delete' ELSE 'tenant.archive' END, "
		     "'failed', 5, 5, '[{},{},{},{},{}]', now() FROM generate_series(0, 5) AS n",
		     id_text(ann.tenant.u), id, NULL);
	answer_is(post(&root, strf("/jobs/%s/retry", id), NULL), 200);
	await(ann.tenant, "state", "completed");
	cr_expect_eq(rows_left(ann.tenant), 0);
}

Test(deletion, stops_when_who_asked_may_not_any_more)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_OWNER);
	const char *tenant = id_text(ann.tenant.u);

	database_run(
		"UPDATE users SET deleted_at = now() WHERE tenant_id = $1::uuid AND id = $2::uuid",
		tenant, id_text(ann.user.u), NULL);
	database_run(
		"UPDATE users SET deleted_at = now() WHERE tenant_id = $1::uuid AND id = $2::uuid",
		tenant, id_text(bob.user.u), NULL);
	stop_at(ann.tenant, "requested");
	await(ann.tenant, "state", "cancelled");
	cr_expect_null(
		database_value("SELECT deleted_at FROM tenants WHERE id = $1::uuid", tenant, NULL));
}

/*
 * Real deaths
 */

/* The worker that runs a job of this tenant, if it is one of that master's; 0: none. */
static pid_t runner(pid_t master, const char *tenant)
{
	const char *worker = database_value(
		"SELECT worker FROM jobs WHERE tenant_id = $1::uuid AND state = 'active' "
		"AND worker LIKE '%/' || $2 || '.%/%' LIMIT 1",
		tenant, strf("%d", (int)master), NULL);

	return worker ? (pid_t)strtoul(strrchr(worker, '/') + 1, NULL, 10) : 0;
}

Test(deletion, survives_the_deaths_of_its_workers)
{
	struct caller ann = owner_of_much();
	const char *tenant = id_text(ann.tenant.u);
	struct wanted done = { tenant, "state", "completed" };
	pid_t master = work_start(), worker;
	int kills = 0;

	database_run(
		"INSERT INTO projects (tenant_id, id, slug, name) "
		"SELECT $1::uuid, gen_random_uuid(), 'p' || n, 'x' FROM generate_series(1, 6000) n",
		tenant, NULL);
	answer_is(request(&ann, "/tenant", slug_of(ann.tenant)), 202);
	await(ann.tenant, "step", "revoked");
	end_grace(ann.tenant);
	while (!has_come(&done)) {
		worker = kills < 3 ? runner(master, tenant) : 0;
		if (worker > 1 && kill(worker, SIGKILL) == 0)
			kills++;
		cr_assert_null(
			database_value("SELECT 'failed' FROM jobs WHERE tenant_id = $1::uuid AND "
				       "kind = 'tenant.delete' AND state = 'failed'",
				       tenant, NULL));
	}
	cr_expect_eq(rows_left(ann.tenant), 0);
	cr_expect_eq(work_stop(master), 0);
	(void)restore(archive_of(ann.tenant), NULL, 0);
	cr_expect_str_eq(differences(ann.tenant), "api_keys events");
}
