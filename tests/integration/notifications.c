/*
 * Notifications: who is told of what, and what one does with it. By mail: notifications_mail.c.
 */
#include "domains/notifications/kinds.h"
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/mailbox.h"
#include "support/notified.h"
#include "support/servers.h"
#include "support/world.h"

#include "base/config.h"
#include "cache/redis_impl.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(notifications, .fini = notified_forget);

/*
 * Who is told
 */

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

/* "admin:user.left owner:user.left": who was told of the tenant's events, and as what. */
static const char *told(struct tenant_id t)
{
	const char *all;

	notified_settle(t);
	all = database_value("SELECT string_agg(u.first_name || ':' || n.kind, ' ' ORDER BY "
			     "u.first_name, n.kind) "
			     "FROM notifications n JOIN users u ON u.tenant_id = n.tenant_id AND "
			     "u.id = n.user_id WHERE n.tenant_id = $1::uuid",
			     id_text(t.u), NULL);
	return all ? all : "";
}

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
Test(notifications, of_each_kind_reach_whom_they_should_and_nobody_else)
{
	const char *tried = "";

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *ids[PARTS];
		struct tenant_id t;

		cast(&t, ids);
		notified_of(t, cases[i].event, ids[cases[i].subject], ids[cases[i].actor], DATA);
		cr_expect_str_eq(told(t), cases[i].told, "%s by %d: %s", cases[i].event,
				 (int)cases[i].actor, told(t));
		cr_expect_eq(database_number("SELECT count(*) FROM notifications WHERE tenant_id = "
					     "$1::uuid AND title || ' ' || body ~ "
					     "'\\{\\{|\\}\\}|  |\"\"|: $|: \\.|^ '",
					     ids[TENANT], NULL),
			     0, "%s: a text has a hole", cases[i].event);
		tried = strf("%s %s", tried, told(t));
	}
	for (const struct notification_kind *k = notification_kinds; k->name; k++)
		cr_expect(strstr(strf("%s ", tried), strf(":%s ", k->name)),
			  "nobody was told of %s", k->name);
}

Test(notifications, say_who_did_what)
{
	const char *ids[PARTS];
	struct tenant_id t;

	cast(&t, ids);
	notified_of(t, "apiKey.revoked", ids[KEY], ids[OWNER], DATA);
	(void)told(t);
	cr_assert_str_eq(database_value("SELECT title || ' ' || body FROM notifications WHERE "
					"tenant_id = $1::uuid",
					ids[TENANT], NULL),
			 "Your API key \"Test key\" was revoked owner has revoked it in Test "
			 "tenant. Programs that use it are refused from now on.");
}

/* What somebody is called is no template, and is not filled in either. */
Test(notifications, take_names_for_text)
{
	const char *ids[PARTS];
	struct tenant_id t;

	cast(&t, ids);
	user_rename(t, (struct user_id){ id_of(ids[SUBJECT]) }, "{{tenant}}<b>", "}}{{");
	notified_of(t, "user.left", ids[SUBJECT], ids[SUBJECT], DATA);
	(void)told(t);
	cr_assert_str_eq(database_value("SELECT DISTINCT title FROM notifications WHERE tenant_id "
					"= $1::uuid",
					ids[TENANT], NULL),
			 "{{tenant}}<b> }}{{ has left Test tenant");
}

Test(notifications, are_for_those_who_are_there)
{
	const char *ids[PARTS];
	struct tenant_id t;

	cast(&t, ids);
	database_run("UPDATE users SET deleted_at = now() WHERE id = $1::uuid", ids[ADMIN], NULL);
	database_run("UPDATE users SET status = 'suspended' WHERE id = ANY (ARRAY[$1, $2]::uuid[])",
		     ids[OWNER], ids[SUBJECT], NULL);
	notified_of(t, "user.left", ids[MEMBER], ids[MEMBER], DATA);
	notified_of(t, "user.suspended", ids[SUBJECT], ids[MEMBER], DATA);
	cr_assert_str_eq(told(t), "subject:user.suspended");
}

Test(notifications, come_once_however_often_events_are_read)
{
	const char *ids[PARTS];
	struct tenant_id t;

	cast(&t, ids);
	notified_of(t, "user.left", ids[SUBJECT], ids[SUBJECT], DATA);
	cr_assert_str_eq(told(t), "admin:user.left owner:user.left");
	notified_rewind(t);
	cr_assert_str_eq(told(t), "admin:user.left owner:user.left");
	cr_assert_eq(database_number("SELECT count(*) FROM jobs WHERE tenant_id = $1::uuid AND "
				     "kind = 'notifications.live'",
				     ids[TENANT], NULL),
		     1);
}

Test(notifications, say_nothing_of_who_is_erased)
{
	const char *ids[PARTS];
	struct tenant_id t;

	cast(&t, ids);
	notified_of(t, "user.left", ids[SUBJECT], ids[SUBJECT], DATA);
	notified_of(t, "user.suspended", ids[MEMBER], ids[SUBJECT], DATA);
	notified_of(t, "user.rolesChanged", ids[SUBJECT], ids[OWNER], DATA);
	notified_of(t, "user.left", ids[MEMBER], ids[MEMBER], DATA);
	notified_of(t, "user.erased", ids[SUBJECT], NULL, "{}");
	cr_assert_str_eq(told(t), "admin:user.left owner:user.left");
}

/*
 * One's own
 */

static const enum tier tiers[] = { TIER_API, TIER_ADMIN };

/* Somebody who was told of a change of their roles that many times; the newest first. */
static struct caller told_times(unsigned n)
{
	struct caller ann = caller(ROLE_MEMBER);

	for (unsigned i = 0; i < n; i++)
		notified_of(ann.tenant, "user.rolesChanged", id_text(ann.user.u), NULL, "{}");
	notified_settle(ann.tenant);
	return ann;
}

static int64_t unread(const struct caller *c)
{
	return answer_int(answer_is(get(c, "/notifications/unread-count"), 200), "unread");
}

static const char *nth(const struct caller *c, unsigned n)
{
	return strf("%s",
		    answer_text(answer_is(get(c, "/notifications"), 200), strf("data.%u.id", n)));
}

Test(notifications, are_read_marked_and_archived)
{
	for (size_t i = 0; i < ARRAY_LEN(tiers); i++) {
		struct caller ann = on_tier(told_times(3), tiers[i]);
		const char *id = nth(&ann, 0);
		struct answer a;

		cr_assert_eq(unread(&ann), 3);
		a = answer_is(post(&ann, strf("/notifications/%s/read", id), NULL), 200);
		cr_assert_str_eq(answer_text(a, "kind"), "user.rolesChanged");
		cr_assert_eq(unread(&ann), 2);
		a = answer_is(get(&ann, "/notifications?unread=true"), 200);
		cr_assert_eq(answer_len(a, "data"), 2);
		answer_is(post(&ann, strf("/notifications/%s/unread", id), NULL), 200);
		cr_assert_eq(unread(&ann), 3);
		answer_is(del(&ann, strf("/notifications/%s", id)), 204);
		cr_assert_eq(unread(&ann), 2);
		answer_is_error(del(&ann, strf("/notifications/%s", id)), 404, "RESOURCE_NOT_FOUND",
				NULL);
		answer_is_error(post(&ann, strf("/notifications/%s/read", id), NULL), 404,
				"RESOURCE_NOT_FOUND", NULL);
		cr_assert_eq(answer_len(answer_is(get(&ann, "/notifications?kind=user.left"), 200),
					"data"),
			     0);
	}
}

Test(notifications, are_marked_all_up_to_what_was_seen)
{
	for (size_t i = 0; i < ARRAY_LEN(tiers); i++) {
		struct caller ann = on_tier(told_times(2), tiers[i]);
		const char *seen =
			strf("%s", answer_text(answer_is(get(&ann, "/notifications"), 200),
					       "data.0.createdAt"));
		struct answer a;

		database_run("UPDATE notifications SET created_at = created_at - interval '1 hour' "
			     "WHERE tenant_id = $1::uuid",
			     id_text(ann.tenant.u), NULL);
		notified_of(ann.tenant, "user.suspended", id_text(ann.user.u), NULL, "{}");
		notified_settle(ann.tenant);
		database_run("UPDATE notifications SET created_at = $2::timestamptz + interval '1 "
			     "second' WHERE tenant_id = $1::uuid AND kind = 'user.suspended'",
			     id_text(ann.tenant.u), seen, NULL);
		a = answer_is(
			post(&ann, "/notifications/read-all", strf("{\"upTo\":\"%s\"}", seen)),
			200);
		cr_assert_eq(answer_int(a, "marked"), 2);
		cr_assert_eq(unread(&ann), 1);
	}
}

/* Marks that race come to one: each is read once, and the count is what the list says. */
Test(notifications, that_are_marked_at_once_are_marked_once)
{
	struct caller ann = told_times(3);
	struct answer answers[8];
	int64_t marked = 0;
	struct ask ask = { .method = "POST",
			   .caller = &ann,
			   .path = "/api/v1/notifications/read-all",
			   .body = "{}" };

	answers_together(&ask, ARRAY_LEN(answers), answers);
	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		marked += answer_int(answer_is(answers[i], 200), "marked");
	cr_assert_eq(marked, 3);
	cr_assert_eq(unread(&ann), 0);
}

Test(notifications, that_are_read_stay_read_since_then)
{
	struct caller ann = told_times(1);
	const char *path = strf("/notifications/%s/read", nth(&ann, 0));
	const char *first =
		strf("%s", answer_text(answer_is(post(&ann, path, NULL), 200), "readAt"));

	cr_assert_str_eq(answer_text(answer_is(post(&ann, path, NULL), 200), "readAt"), first);
}

Test(notifications, of_others_in_the_tenant_are_not_found)
{
	struct caller ann = told_times(1), bob = caller_in(ann.tenant, ROLE_OWNER);
	const char *path = strf("/notifications/%s", nth(&ann, 0));

	answer_is_error(post(&bob, strf("%s/read", path), NULL), 404, "RESOURCE_NOT_FOUND", NULL);
	answer_is_error(post(&bob, strf("%s/unread", path), NULL), 404, "RESOURCE_NOT_FOUND", NULL);
	answer_is_error(del(&bob, path), 404, "RESOURCE_NOT_FOUND", NULL);
	cr_assert_eq(answer_len(answer_is(get(&bob, "/notifications"), 200), "data"), 0);
	cr_assert_eq(unread(&bob), 0);
	answer_is(post(&bob, "/notifications/read-all", "{}"), 200);
	cr_assert_eq(unread(&ann), 1);
}

Test(notifications, are_no_programs_and_nobodys_without_a_seat)
{
	struct caller ann = caller(ROLE_OWNER);
	struct caller key = with_api_key(ann, api_key_make(ann.tenant, ann.user, "canViewUsers"));
	struct caller root = naming(on_tier(caller_global_admin(), TIER_ADMIN), ann.tenant);

	answer_is_error(get(&key, "/notifications"), 403, "AUTH_FORBIDDEN", NULL);
	cr_assert_eq(unread(&root), 0);
	answer_is_error(patch(&root, "/notifications/preferences",
			      "{\"preferences\":[{\"kind\":\"user.joined\",\"inApp\":false}]}"),
			422, "RULE_VIOLATED", NULL);
}

/*
 * Preferences
 */

static const char *prefer(const char *kind, const char *rest)
{
	return strf("{\"preferences\":[{\"kind\":\"%s\",%s}]}", kind, rest);
}

Test(notifications, come_as_one_prefers)
{
	for (size_t i = 0; i < ARRAY_LEN(tiers); i++) {
		struct caller ann = on_tier(caller(ROLE_MEMBER), tiers[i]);
		struct answer a;

		a = answer_is(get(&ann, "/notifications/preferences"), 200);
		cr_assert_str_eq(answer_text(a, "data.0.kind"), "invitation.accepted");
		cr_assert(answer_bool(a, "data.0.inApp"));
		answer_is(patch(&ann, "/notifications/preferences",
				prefer("invitation.accepted", "\"inApp\":false")),
			  200);
		a = answer_is(patch(&ann, "/notifications/preferences",
				    prefer("invitation.accepted", "\"email\":\"digest\"")),
			      200);
		cr_assert(!answer_bool(a, "data.0.inApp"), "what is not named stays");
		cr_assert_str_eq(answer_text(a, "data.0.email"), "digest");
	}
}

Test(notifications, that_nobody_wants_are_not_made)
{
	struct caller ann = caller(ROLE_MEMBER);

	answer_is(patch(&ann, "/notifications/preferences",
			prefer("user.rolesChanged", "\"inApp\":false,\"email\":\"off\"")),
		  200);
	notified_of(ann.tenant, "user.rolesChanged", id_text(ann.user.u), NULL, "{}");
	answer_is(patch(&ann, "/notifications/preferences",
			prefer("user.reactivated", "\"inApp\":false,\"email\":\"digest\"")),
		  200);
	notified_of(ann.tenant, "user.reactivated", id_text(ann.user.u), NULL, "{}");
	cr_assert_str_eq(told(ann.tenant), "Ann:user.reactivated");
	cr_assert_eq(unread(&ann), 0, "what is only mailed is in no list");
	cr_assert_eq(answer_len(answer_is(get(&ann, "/notifications"), 200), "data"), 0);
}

Test(notifications, of_security_cannot_be_turned_off)
{
	struct caller ann = caller(ROLE_MEMBER);

	answer_is_error(patch(&ann, "/notifications/preferences",
			      prefer("apiKey.created", "\"email\":\"off\"")),
			422, "RULE_VIOLATED", "preferences.0.kind");
	answer_is_error(patch(&ann, "/notifications/preferences", prefer("none", "\"inApp\":true")),
			400, "VALIDATION_ERROR", "preferences.0.kind");
}

/*
 * Live
 */

static redisContext *hear_rooms(struct tenant_id t)
{
	redisContext *r = redisConnectUnix(getenv("ZYGO_TEST_REDIS_URL") + strlen("unix://"));
	redisReply *reply;

	cr_assert(r && !r->err);
	cr_assert_eq(redisSetTimeout(r, (struct timeval){ .tv_sec = 60 }), REDIS_OK);
	reply = redisCommand(r, "SUBSCRIBE %s:rooms:{%s}", config()->redis_prefix, id_text(t.u));
	cr_assert(reply);
	freeReplyObject(reply);
	return r;
}

static const char *next_message(redisContext *r)
{
	redisReply *reply;
	const char *text;

	cr_assert_eq(redisGetReply(r, (void **)&reply), REDIS_OK, "nothing was said");
	text = arena_strdup(world_arena(), reply->element[2]->str);
	freeReplyObject(reply);
	return text;
}

Test(notifications, are_said_live_to_their_reader_with_what_is_unread)
{
	struct caller ann = caller(ROLE_MEMBER);
	redisContext *r = hear_rooms(ann.tenant);
	const char *text;

	notified_of(ann.tenant, "user.rolesChanged", id_text(ann.user.u), NULL, "{}");
	text = next_message(r);
	cr_expect(strstr(text, strf("\"room\":\"user:%s\"", id_text(ann.user.u))), "%s", text);
	cr_expect(strstr(text, "\"event\":\"notification.created\""), "%s", text);
	cr_expect(strstr(text, strf("\"id\":\"%s\"", nth(&ann, 0))), "%s", text);
	cr_expect(strstr(text, "\"unread\":1"), "%s", text);

	answer_is(post(&ann, "/notifications/read-all", "{}"), 200);
	text = next_message(r);
	cr_expect(strstr(text, "\"event\":\"notification.unread\",\"data\":{\"unread\":0}"), "%s",
		  text);
	redisFree(r);
}

/*
 * What time takes away
 */

Test(notifications, are_swept_when_they_are_old)
{
	struct caller ann = told_times(4);
	const char *t = id_text(ann.tenant.u);

	database_run("WITH old AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM "
		     "notifications WHERE tenant_id = $1::uuid) UPDATE notifications SET "
		     "read_at = CASE WHEN n IN (1, 2) THEN now() END, created_at = now() - "
		     "(ARRAY[91, 89, 399, 401])[n] * interval '1 day' FROM old "
		     "WHERE notifications.id = old.id",
		     t, NULL);
	notified_run("housekeeping", "housekeeping.sweep");
	cr_assert_str_eq(
		database_value("SELECT string_agg(extract(day FROM now() - created_at)::text, ' ' "
			       "ORDER BY created_at DESC) FROM notifications WHERE tenant_id = "
			       "$1::uuid",
			       t, NULL),
		"89 399");
	database_run("UPDATE users SET deleted_at = now() WHERE tenant_id = $1::uuid", t, NULL);
	cr_assert_eq(
		database_number("SELECT count(*) FROM notifications WHERE tenant_id = $1::uuid", t,
				NULL),
		0, "a seat that ends leaves none");
}

static int64_t expiring_events(const char *t)
{
	notified_run("notifications", "notifications.hourly");
	return database_number("SELECT count(*) FROM events WHERE tenant_id = $1::uuid AND "
			       "type = 'apiKey.expiring'",
			       t, NULL);
}

Test(notifications, of_keys_that_run_out_come_once_for_each_end)
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
	cr_assert_str_eq(told(ann.tenant), "Ann:apiKey.expiring Ann:apiKey.expiring");
}

/* Jobs that failed already, in two queues. */
Test(notifications, of_jobs_that_failed_are_of_those_that_did_something)
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
	cr_assert_str_eq(told(ann.tenant), "Ann:job.failed");
	cr_assert_str_eq(database_value("SELECT body FROM notifications WHERE tenant_id = $1::uuid",
					t, NULL),
			 "\"test.archive\" was given up after its last attempt: No room");
}
