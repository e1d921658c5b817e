/*
 * Who is told of what, of every kind there is.
 */
#include "domains/notifications/kinds.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/notified.h"
#include "support/world.h"

#include "base/arena.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(notifications_told, .fini = notified_forget);

/* Four people of one tenant, called after what they are, and a key that the member has made. */
enum part { NOBODY, OWNER, ADMIN, MEMBER, SUBJECT, KEY, TENANT, PARTS };

static void cast(struct tenant_id *ret_tenant, const char *ret_ids[PARTS])
{
	static const struct {
		enum part part;
		enum builtin_role role;
		const char *name;
	} people[] = {
		{ OWNER, ROLE_OWNER, "owner" },
		{ ADMIN, ROLE_ADMIN, "admin" },
		{ MEMBER, ROLE_MEMBER, "member" },
		{ SUBJECT, ROLE_MEMBER, "subject" },
	};
	struct tenant_id t = tenant_make();
	struct user_id u;

	for (size_t i = 0; i < ARRAY_LEN(people); i++) {
		u = user_make(t, people[i].role, NULL);
		user_rename(t, u, people[i].name, "");
		ret_ids[people[i].part] = arena_strdup(world_arena(), id_text(u.u));
	}
	u.u = id_of(ret_ids[MEMBER]);
	(void)api_key_make(t, u, "canViewUsers");
	ret_ids[KEY] = database_value("UPDATE api_keys SET expires_at = now() + interval '30 days' "
				      "WHERE tenant_id = $1::uuid RETURNING id",
				      id_text(t.u), NULL);
	ret_ids[TENANT] = arena_strdup(world_arena(), id_text(t.u));
	ret_ids[NOBODY] = NULL;
	database_run("INSERT INTO invitations (tenant_id, id, user_id, invited_by, expires_at) "
		     "VALUES ($1::uuid, $2::uuid, $3::uuid, $4::uuid, now())",
		     id_text(t.u), id_text(uuid_v7()), ret_ids[SUBJECT], ret_ids[ADMIN], NULL);
	*ret_tenant = t;
}

#define DATA                                                                                       \
	"{\"kind\":\"report\",\"error\":\"No room\",\"minutes\":15,\"reason\":\"Ticket 7\",\"after\":{\"url\":\"https://a.example\"}}"

static const struct {
	const char *event;
	enum part subject, actor;
	const char *told;
} cases[] = {
	{ "user.joined", SUBJECT, SUBJECT, "admin:invitation.accepted owner:user.joined" },
	{ "user.left", SUBJECT, SUBJECT, "admin:user.left owner:user.left" },
	{ "user.left", SUBJECT, ADMIN, "owner:user.left" },
	{ "user.rolesChanged", SUBJECT, OWNER, "subject:user.rolesChanged" },
	{ "user.rolesChanged", SUBJECT, SUBJECT, "" },
	{ "user.suspended", SUBJECT, ADMIN, "subject:user.suspended" },
	{ "user.reactivated", SUBJECT, ADMIN, "subject:user.reactivated" },
	{ "impersonation.started", SUBJECT, SUBJECT, "subject:impersonation.started" },
	{ "apiKey.created", KEY, MEMBER, "member:apiKey.created" },
	{ "apiKey.rotated", KEY, MEMBER, "member:apiKey.rotated" },
	{ "apiKey.revoked", KEY, OWNER, "member:apiKey.revoked" },
	{ "apiKey.revoked", KEY, MEMBER, "" },
	{ "apiKey.expiring", KEY, NOBODY, "member:apiKey.expiring" },
	{ "tenant.ownershipTransferred", TENANT, ADMIN, "owner:tenant.ownershipTransferred" },
	{ "tenant.planChanged", TENANT, NOBODY, "owner:tenant.planChanged" },
	{ "tenant.suspended", TENANT, NOBODY, "owner:tenant.suspended" },
	{ "tenant.reactivated", TENANT, NOBODY, "owner:tenant.reactivated" },
	{ "tenant.deletionScheduled", TENANT, ADMIN, "owner:tenant.deletionScheduled" },
	{ "tenant.deletionScheduled", TENANT, OWNER, "" },
	{ "tenant.deletionCancelled", TENANT, ADMIN, "owner:tenant.deletionCancelled" },
	{ "webhook.disabled", NOBODY, NOBODY, "owner:webhook.disabled" },
	{ "job.failed", NOBODY, NOBODY, "admin:job.failed owner:job.failed" },
	{ "project.created", TENANT, NOBODY, "" },
};

/* A row of the table that no case below is told of is one that nobody has tried. */
Test(notifications_told, of_each_kind_reach_whom_they_should_and_nobody_else)
{
	const char *tried = "";

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *ids[PARTS];
		struct tenant_id t;

		cast(&t, ids);
		notified_of(t, cases[i].event, ids[cases[i].subject], ids[cases[i].actor], DATA);
		cr_expect_str_eq(notified_told(t), cases[i].told, "%s by %d: %s", cases[i].event,
				 (int)cases[i].actor, notified_told(t));
		cr_expect_eq(database_number("SELECT count(*) FROM notifications WHERE tenant_id = "
					     "$1::uuid AND title || ' ' || body ~ "
					     "'\\{\\{|\\}\\}|  |\"\"|: $|: \\.|^ '",
					     ids[TENANT], NULL),
			     0, "%s: a text has a hole", cases[i].event);
		tried = strf("%s %s", tried, notified_told(t));
	}
	for (const struct notification_kind *k = notification_kinds; k->name; k++)
		cr_expect(strstr(strf("%s ", tried), strf(":%s ", k->name)),
			  "nobody was told of %s", k->name);
}

Test(notifications_told, say_who_did_what)
{
	const char *ids[PARTS];
	struct tenant_id t;

	cast(&t, ids);
	notified_of(t, "apiKey.revoked", ids[KEY], ids[OWNER], DATA);
	(void)notified_told(t);
	cr_assert_str_eq(database_value("SELECT title || ' ' || body FROM notifications WHERE "
					"tenant_id = $1::uuid",
					ids[TENANT], NULL),
			 "Your API key \"Test key\" was revoked owner has revoked it in Test "
			 "tenant. Programs that use it are refused from now on.");
}

/* What somebody is called is no template, and is not filled in either. */
Test(notifications_told, take_names_for_text)
{
	const char *ids[PARTS];
	struct tenant_id t;

	cast(&t, ids);
	user_rename(t, (struct user_id){ id_of(ids[SUBJECT]) }, "{{tenant}}<b>", "}}{{");
	notified_of(t, "user.left", ids[SUBJECT], ids[SUBJECT], DATA);
	(void)notified_told(t);
	cr_assert_str_eq(database_value("SELECT DISTINCT title FROM notifications WHERE tenant_id "
					"= $1::uuid",
					ids[TENANT], NULL),
			 "{{tenant}}<b> }}{{ has left Test tenant");
}

Test(notifications_told, are_for_those_who_are_there)
{
	const char *ids[PARTS];
	struct tenant_id t;

	cast(&t, ids);
	database_run("UPDATE users SET deleted_at = now() WHERE id = $1::uuid", ids[ADMIN], NULL);
	database_run("UPDATE users SET status = 'suspended' WHERE id = ANY (ARRAY[$1, $2]::uuid[])",
		     ids[OWNER], ids[SUBJECT], NULL);
	notified_of(t, "user.left", ids[MEMBER], ids[MEMBER], DATA);
	notified_of(t, "user.suspended", ids[SUBJECT], ids[MEMBER], DATA);
	cr_assert_str_eq(notified_told(t), "subject:user.suspended");
}

Test(notifications_told, come_once_however_often_events_are_read)
{
	const char *ids[PARTS];
	struct tenant_id t;

	cast(&t, ids);
	notified_of(t, "user.left", ids[SUBJECT], ids[SUBJECT], DATA);
	cr_assert_str_eq(notified_told(t), "admin:user.left owner:user.left");
	notified_rewind(t);
	cr_assert_str_eq(notified_told(t), "admin:user.left owner:user.left");
	cr_assert_eq(database_number("SELECT count(*) FROM jobs WHERE tenant_id = $1::uuid AND "
				     "kind = 'notifications.live'",
				     ids[TENANT], NULL),
		     1);
}

Test(notifications_told, say_nothing_of_who_is_erased)
{
	const char *ids[PARTS];
	struct tenant_id t;

	cast(&t, ids);
	notified_of(t, "user.left", ids[SUBJECT], ids[SUBJECT], DATA);
	notified_of(t, "user.suspended", ids[MEMBER], ids[SUBJECT], DATA);
	notified_of(t, "user.rolesChanged", ids[SUBJECT], ids[OWNER], DATA);
	notified_of(t, "user.left", ids[MEMBER], ids[MEMBER], DATA);
	notified_of(t, "user.erased", ids[SUBJECT], NULL, "{}");
	cr_assert_str_eq(notified_told(t), "admin:user.left owner:user.left");
}

static int64_t expiring_events(const char *t)
{
	notified_run("notifications", "notifications.hourly");
	return database_number("SELECT count(*) FROM events WHERE tenant_id = $1::uuid AND "
			       "type = 'apiKey.expiring'",
			       t, NULL);
}

Test(notifications_told, of_keys_that_run_out_come_once_for_each_end)
{
	struct caller ann = caller(ROLE_MEMBER);
	const char *t = id_text(ann.tenant.u);

	(void)api_key_make(ann.tenant, ann.user, "canViewUsers");
	cr_assert_eq(expiring_events(t), 0);
	database_run("UPDATE api_keys SET expires_at = now() + interval '6 days' WHERE tenant_id = "
		     "$1::uuid",
		     t, NULL);
	cr_assert_eq(expiring_events(t), 1);
	cr_assert_eq(expiring_events(t), 1);
	database_run("UPDATE api_keys SET expires_at = now() + interval '5 days' WHERE tenant_id = "
		     "$1::uuid",
		     t, NULL);
	cr_assert_eq(expiring_events(t), 2);
	cr_assert_str_eq(notified_told(ann.tenant), "Ann:apiKey.expiring Ann:apiKey.expiring");
}

/* Jobs that failed already, in two queues. */
Test(notifications_told, of_jobs_that_failed_are_of_those_that_did_something)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *t = id_text(ann.tenant.u);

	database_run("INSERT INTO jobs (tenant_id, id, queue, kind, state, max_attempts, errors) "
		     "SELECT $1::uuid, uuid_v7(), q, 'test.' || q, 'active', 3, "
		     "'[{\"message\":\"No room\"}]' FROM unnest('{archive,email}'::text[]) q",
		     t, NULL);
	database_run("UPDATE jobs SET state = 'failed', finished_at = now() WHERE tenant_id = "
		     "$1::uuid",
		     t, NULL);
	cr_assert_str_eq(notified_told(ann.tenant), "Ann:job.failed");
	cr_assert_str_eq(database_value("SELECT body FROM notifications WHERE tenant_id = $1::uuid",
					t, NULL),
			 "\"test.archive\" was given up after its last attempt: No room");
}
