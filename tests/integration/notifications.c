/*
 * Notifications: what one does with them. Who gets which: notifications_told.c; by mail:
 * notifications_mail.c.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/notified.h"
#include "support/servers.h"
#include "support/world.h"

#include "base/config.h"
#include "cache/redis_impl.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(notifications, .fini = notified_forget);

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

/* createdAt is shown to the millisecond, and what was seen is among them. */
Test(notifications, are_marked_with_the_one_that_was_seen_last)
{
	struct caller ann = told_times(2);
	struct answer a;

	database_run("UPDATE notifications SET created_at = date_trunc('milliseconds', created_at) "
		     "+ interval '999 microseconds' WHERE tenant_id = $1::uuid",
		     id_text(ann.tenant.u), NULL);
	a = answer_is(get(&ann, "/notifications"), 200);
	answer_is(post(&ann, "/notifications/read-all",
		       strf("{\"upTo\":\"%s\"}", answer_text(a, "data.0.createdAt"))),
		  200);
	cr_assert_eq(unread(&ann), 0);
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

/* Somebody of the platform who acts as another could hide the notice that says so. */
Test(notifications, are_left_as_they_are_by_who_acts_as_another)
{
	struct caller ann = told_times(1);
	const char *path = strf("/notifications/%s", nth(&ann, 0));

	database_run("UPDATE sessions SET impersonator_id = $2::uuid WHERE id = $1::uuid",
		     id_text(ann.session.u), id_text(account_make(NULL).u), NULL);
	answer_is_error(post(&ann, strf("%s/read", path), NULL), 403, "AUTH_FORBIDDEN", NULL);
	answer_is_error(post(&ann, "/notifications/read-all", "{}"), 403, "AUTH_FORBIDDEN", NULL);
	answer_is_error(del(&ann, path), 403, "AUTH_FORBIDDEN", NULL);
	answer_is_error(patch(&ann, "/notifications/preferences",
			      "{\"preferences\":[{\"kind\":\"user.left\",\"email\":\"off\"}]}"),
			403, "AUTH_FORBIDDEN", NULL);
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
	cr_assert_str_eq(notified_told(ann.tenant), "Ann:user.reactivated");
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
