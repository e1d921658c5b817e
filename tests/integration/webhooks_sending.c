/*
 * Webhooks' deliveries: what is sent, how often, in which order. The receiver is the test's own;
 * due times are moved in the database, so nothing waits for a schedule.
 */
#include "domains/webhooks/webhooks_attempt.h"
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/hooked.h"
#include "support/receiver.h"
#include "support/servers.h"
#include "support/world.h"

#include "base/clock.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(webhooks_sending, .init = receiver_start);

Test(webhooks_sending, are_told_once_of_what_happened_and_say_what_was_sent)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *id = webhook_make(&ann, "/told", PROJECTS);
	const char *other = webhook_make(&ann, "/told/other", ",\"eventTypes\":[\"role.created\"]");
	struct answer project = webhook_happen(&ann), a;
	const char *signature;

	receiver_await(1);
	webhook_await(id, "delivered", 1);
	a = webhook_delivery(&ann, id);
	cr_assert_str_eq(answer_text(a, "eventType"), "project.created");
	cr_assert_str_eq(answer_text(a, "messageId"), receiver_header(0, "webhook-id"));
	cr_assert_str_eq(answer_text(a, "requestBody"), receiver_body(0).ptr);
	cr_assert_eq(answer_int(a, "responseStatus"), 200);
	cr_assert_str_eq(answer_text(a, "attemptList.0.responseBody"), "heard\n");
	cr_assert_str_eq(answer_text(a, "attemptList.0.responseHeaders.X-Kept"), "yes");
	signature = receiver_header(0, "webhook-signature");
	cr_assert(str_starts(str_of(signature), "v1,") && strlen(signature) == 47);
	cr_assert_str_eq(answer_text(a, "attemptList.0.requestHeaders.webhook-signature"),
			 signature);
	cr_assert_not_null(strstr(receiver_body(0).ptr, answer_text(project, "id")));
	cr_assert(str_starts(receiver_body(0), "{\"type\" : \"project.created\""));

	cr_assert_eq(receiver_count(), 1);
	cr_assert_eq(answer_len(get(&ann, strf("/webhooks/%s/deliveries", other)), "data"), 0);
	cr_assert_eq(answer_len(get(&ann, strf("/webhooks/deliveries?messageId=%s",
					       receiver_header(0, "webhook-id"))),
				"data"),
		     1);
	cr_assert_eq(answer_len(get(&ann, strf("/webhooks/deliveries?messageId=%s", id)), "data"),
		     0);
	cr_assert_eq(answer_len(get(&ann, "/webhooks/deliveries?status=delivered&eventType="
					  "project.created&since=2020-01-01T00:00:00Z"),
				"data"),
		     1);
	a = answer_is(get(&ann, strf("/webhooks/%s/stats", id)), 200);
	cr_assert_eq(answer_int(a, "delivered"), 1);
	cr_assert_eq(answer_int(a, "hours.0.attempts"), 1);
}

Test(webhooks_sending, sign_with_the_old_secret_too_for_a_while)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *id = webhook_make(&ann, "/told", PROJECTS);
	struct answer a = answer_is(
		post(&ann, strf("/webhooks/%s/rotate-secret", id), "{\"graceSeconds\":3600}"), 200);

	cr_assert(str_starts(str_of(answer_text(a, "secret")), "whsec_"));
	webhook_happen(&ann);
	receiver_await(1);
	cr_assert_eq(strlen(receiver_header(0, "webhook-signature")), 47 + 1 + 47);

	database_run("UPDATE webhook_endpoints SET old_secret_expires_at = now() "
		     "WHERE id = $1::uuid",
		     id, NULL);
	webhook_happen(&ann);
	receiver_await(2);
	cr_assert_eq(strlen(receiver_header(1, "webhook-signature")), 47);
}

Test(webhooks_sending, can_be_tried_out)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *id = webhook_make(&ann, "/told", "");
	struct answer a = answer_is(post(&ann, strf("/webhooks/%s/test", id), "{}"), 202);
	const char *path = answer_header(&a, "Location");

	receiver_await(1);
	webhook_await(id, "delivered", 1);
	cr_assert_str_eq(path, strf("/api/v1/webhooks/deliveries/%s", answer_text(a, "id")));
	cr_assert_str_eq(answer_text(a, "requestBody"), receiver_body(0).ptr);
	cr_assert_not_null(strstr(receiver_body(0).ptr, "{\"test\": true}"));

	answer_is(post(&ann, strf("/webhooks/%s/test", id), "{\"eventType\":\"user.suspended\"}"),
		  202);
	receiver_await(2);
	cr_assert_not_null(strstr(receiver_body(1).ptr, "\"email\": \"ann@example.com\""));

	answer_is_error(post(&ann, strf("/webhooks/%s/test", id), "{\"eventType\":\"no.such\"}"),
			400, "VALIDATION_ERROR", "eventType");
	answer_is(patch(&ann, strf("/webhooks/%s", id), "{\"enabled\":false}"), 200);
	answer_is_error(post(&ann, strf("/webhooks/%s/test", id), "{}"), 409, "RESOURCE_CONFLICT",
			"enabled");
}

#define FIRST_ATTEMPT(what)                                                                        \
	"SELECT " what " FROM webhook_deliveries d JOIN webhook_attempts a ON "                    \
	"a.tenant_id = d.tenant_id AND a.delivery_id = d.id AND a.number = 1 "                     \
	"WHERE d.endpoint_id = $1::uuid"

/* What is an answer, and what is none. */
Test(webhooks_sending, know_what_was_heard)
{
	static const struct {
		const char *path, *state;
		int64_t status; /* 0: none */
		const char *error;
	} cases[] = {
		{ "/redirect", "delayed", 302, "redirect" },
		{ "/hang", "delayed", 0, "in time" },
		{ "/reset", "delayed", 0, "closed" },
		{ "/torn", "delayed", 0, "closed" },
		{ "/endless", "delivered", 200, "" },
		{ "/bytes", "delivered", 200, "" },
		{ "/later", "delayed", 503, "not 2xx" },
		{ "/strange", "delayed", 0, "no answer of HTTP" },
		{ "/header", "delayed", 0, "too long" },
	};
	struct caller ann = caller(ROLE_ADMIN);
	const char *ids[ARRAY_LEN(cases)];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ids[i] = webhook_make(&ann, cases[i].path, PROJECTS);
	webhook_happen(&ann);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		webhook_await(ids[i], cases[i].state, 1);
		/* Of its first attempt; some are under way again when /hang has timed out. */
		cr_expect_eq(database_number(FIRST_ATTEMPT("a.status"), ids[i], NULL),
			     cases[i].status, "%s", cases[i].path);
		cr_expect(
			strstr(database_value(FIRST_ATTEMPT("coalesce(a.error, '')"), ids[i], NULL),
			       cases[i].error),
			"%s", cases[i].path);
		(void)webhook_delivery(&ann, ids[i]);
	}
	/* /later has asked for an hour. */
	cr_assert(database_number(
		FIRST_ATTEMPT("(d.due_at > a.started_at + interval '59 minutes')::int"), ids[6],
		NULL));
}

struct pause {
	const char *webhook;
	const char *seen; /* "2 300": attempts, and seconds from the last to the next */
	int64_t least;
};

/* One look: what is due after 5 s may be under way again at the next. */
static bool has_paused(void *p)
{
	struct pause *w = p;

	w->seen = database_value(
		"SELECT d.attempts || ' ' || extract(epoch FROM d.due_at - a.started_at)::bigint "
		"FROM webhook_deliveries d JOIN webhook_attempts a ON a.tenant_id = d.tenant_id "
		"AND a.delivery_id = d.id AND a.number = d.attempts "
		"WHERE d.endpoint_id = $1::uuid AND d.state = 'delayed' AND d.attempts >= $2::int",
		w->webhook, strf("%ld", (long)w->least), NULL);

	return w->seen;
}

/* Waits until its only delivery has so many attempts behind it, which may be more by now: then
 * *attempts says how many. The seconds to the next. */
static int64_t delay_after(const char *webhook, int64_t *attempts)
{
	struct pause w = { .webhook = webhook, .least = *attempts };
	struct str rest;
	int64_t s;

	wait_until(has_paused, &w, "another attempt to be over");
	rest = str_of(w.seen);
	cr_assert(str_to_i64(str_cut(&rest, ' '), 1, WEBHOOK_TRIES, attempts));
	cr_assert(str_to_i64(rest, 0, INT64_MAX, &s));

	return s;
}

Test(webhooks_sending, are_tried_eight_times_within_28_hours_with_the_same_bytes)
{
	static const int64_t delays_s[] = { 5, 300, 1800, 7200, 18000, 36000, 36000 };
	struct caller ann = caller(ROLE_ADMIN);
	const char *id = webhook_make(&ann, "/told", PROJECTS);

	receiver_says(500);
	webhook_happen(&ann);
	for (int64_t i = 1; i < WEBHOOK_TRIES; i++) {
		int64_t s = delay_after(id, &i);

		cr_assert(s >= delays_s[i - 1], "after %ld: %ld s", (long)i, (long)s);
		webhook_make_due(id);
	}
	webhook_await_trying(id, "failed", 1);
	cr_assert_eq(receiver_count(), WEBHOOK_TRIES);
	for (size_t i = 1; i < WEBHOOK_TRIES; i++) {
		cr_assert_str_eq(receiver_header(i, "webhook-id"),
				 receiver_header(0, "webhook-id"));
		cr_assert_str_eq(receiver_body(i).ptr, receiver_body(0).ptr);
	}
	cr_assert_eq(answer_len(webhook_delivery(&ann, id), "attemptList"), WEBHOOK_TRIES);
	cr_assert_eq(answer_int(get(&ann, strf("/webhooks/%s/stats", id)), "failed"), 1);
}

Test(webhooks_sending, are_sent_again_when_asked_to)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *id = webhook_make(&ann, "/told", PROJECTS), *path;

	webhook_happen(&ann);
	webhook_await(id, "delivered", 1);
	path = strf("/webhooks/deliveries/%s/replay",
		    answer_text(webhook_delivery(&ann, id), "id"));
	answer_is(post(&ann, path, NULL), 202);
	receiver_await(2);
	webhook_await(id, "delivered", 1);
	cr_assert_str_eq(receiver_header(1, "webhook-id"), receiver_header(0, "webhook-id"));
	cr_assert_eq(answer_int(webhook_delivery(&ann, id), "attempts"), 2);

	answer_is(patch(&ann, strf("/webhooks/%s", id), "{\"enabled\":false}"), 200);
	answer_is_error(post(&ann, path, NULL), 409, "RESOURCE_CONFLICT", "webhookId");
}

static struct answer replay(const struct caller *c, const char *id, const char *which)
{
	struct answer a =
		post(c, strf("/webhooks/%s/replay", id),
		     strf("{\"which\":\"%s\",\"since\":\"2020-01-01T00:00:00Z\"}", which));

	answer_is(a, 202);
	cr_assert_str_eq(answer_header(&a, "Location"),
			 strf("/api/v1/jobs/%s", answer_text(a, "jobId")));

	return a;
}

Test(webhooks_sending, catch_up_with_what_they_were_not_told)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *id = webhook_make(&ann, "/gone", PROJECTS), *path = strf("/webhooks/%s", id);
	const char *other;

	webhook_happen(&ann);
	webhook_await(id, "failed", 1);
	answer_is(patch(&ann, path,
			strf("{\"url\":\"%s\",\"enabled\":false}", receiver_url("/told"))),
		  200);
	other = webhook_make(&ann, "/told/other", PROJECTS);
	webhook_happen(&ann); /* while it is disabled: once another was told, it has missed it */
	webhook_await(other, "delivered", 1);
	answer_is(patch(&ann, path, "{\"enabled\":true}"), 200);

	cr_assert_eq(webhook_replayed(&ann, replay(&ann, id, "failed")), 1);
	webhook_await(id, "delivered", 1);
	cr_assert_eq(webhook_replayed(&ann, replay(&ann, id, "missed")), 1);
	webhook_await(id, "delivered", 2);
	cr_assert_eq(webhook_replayed(&ann, replay(&ann, id, "all")), 2);
	receiver_await(1 + 1 + 1 + 1 + 2);
	webhook_await(id, "delivered", 2);
	answer_is_error(
		post(&ann, strf("/webhooks/%s/replay", id),
		     "{\"since\":\"2026-01-02T00:00:00Z\",\"until\":\"2026-01-01T00:00:00Z\"}"),
		400, "VALIDATION_ERROR", "until");
	answer_is_error(
		post(&ann, strf("/webhooks/%s/replay", id), "{\"since\":\"9999-01-01T00:00:00Z\"}"),
		400, "VALIDATION_ERROR", "since");
}

Test(webhooks_sending, that_would_be_tried_again_in_hours_are_sent_when_asked_to)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *id = webhook_make(&ann, "/later", PROJECTS);

	webhook_happen(&ann);
	webhook_await(id, "delayed", 1);
	answer_is(patch(&ann, strf("/webhooks/%s", id),
			strf("{\"url\":\"%s\"}", receiver_url("/told"))),
		  200);
	cr_assert_eq(webhook_replayed(&ann, replay(&ann, id, "failed")), 1);
	webhook_await(id, "delivered", 1);
}

Test(webhooks_sending, are_looked_after_in_the_dashboard)
{
	struct caller ann = on_tier(caller(ROLE_ADMIN), TIER_ADMIN);
	const char *id = webhook_make(&ann, "/told", PROJECTS), *path = strf("/webhooks/%s", id);
	struct answer a;

	answer_is(post(&ann, strf("%s/rotate-secret", path), "{}"), 200);
	answer_is(post(&ann, strf("%s/test", path), "{}"), 202);
	webhook_await(id, "delivered", 1);
	a = webhook_delivery(&ann, id);
	answer_is(post(&ann, strf("/webhooks/deliveries/%s/replay", answer_text(a, "id")), NULL),
		  202);
	receiver_await(2);
	webhook_await(id, "delivered", 1); /* what is under way still is not replayed */
	a = answer_is(post(&ann, strf("%s/replay", path),
			   "{\"which\":\"all\",\"since\":\"2020-01-01T00:00:00Z\"}"),
		      202);
	cr_assert_str_eq(answer_header(&a, "Location"),
			 strf("/api/admin/jobs/%s", answer_text(a, "jobId")));
	receiver_await(3);
	answer_is(get(&ann, strf("%s/stats", path)), 200);
}

static bool is_disabled(void *p)
{
	return database_number("SELECT count(*) FROM webhook_endpoints "
			       "WHERE id = $1::uuid AND disabled_at IS NOT NULL",
			       *(const char *const *)p, NULL) == 1;
}

static int64_t events_of(const char *id, const char *type)
{
	return database_number(
		"SELECT count(*) FROM events WHERE subject_id = $1::uuid AND type = $2", id, type,
		NULL);
}

Test(webhooks_sending, that_are_gone_are_disabled_and_what_waits_is_cancelled)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *id = webhook_make(&ann, "/told", PROJECTS ",\"ordered\":true");
	struct answer a;

	receiver_says(500);
	webhook_happen(&ann);
	webhook_happen(&ann);
	webhook_await(id, "delayed", 1);
	webhook_await(id, "waiting", 1);
	receiver_says(410);
	webhook_make_due(id);
	wait_until(is_disabled, &id, "the webhook to be disabled");
	webhook_await(id, "cancelled", 1);
	cr_assert_eq(events_of(id, "webhook.disabled"), 1);
	a = answer_is(get(&ann, strf("/webhooks/%s", id)), 200);
	cr_assert_str_eq(answer_text(a, "disabledReason"), "gone");
	answer_is(patch(&ann, strf("/webhooks/%s", id), "{\"enabled\":true}"), 200);
	receiver_says(200);
	webhook_happen(&ann);
	webhook_await(id, "delivered", 1);
}

/* What waits is due at each look: an attempt may be under way at one. */
static bool fails_anew(void *p)
{
	const char *id = *(const char *const *)p;

	webhook_make_due(id);

	return database_number("SELECT count(*) FROM webhook_states WHERE endpoint_id = "
			       "$1::uuid AND failing_since > now() - interval '1 hour'",
			       id, NULL) == 1;
}

static bool is_disabled_when_tried(void *p)
{
	webhook_make_due(*(const char *const *)p);

	return is_disabled(p);
}

Test(webhooks_sending, that_failed_for_five_days_are_disabled)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *id = webhook_make(&ann, "/told", PROJECTS);

	receiver_says(500);
	webhook_happen(&ann);
	webhook_await(id, "delayed", 1);
	cr_assert_not(is_disabled(&id));

	/* A day without a word begins it anew. */
	database_run("UPDATE webhook_states SET failing_since = now() - interval '6 days', "
		     "last_failure_at = now() - interval '25 hours' WHERE endpoint_id = $1::uuid",
		     id, NULL);
	wait_until(fails_anew, &id, "another attempt, which begins the five days anew");
	cr_assert_not(is_disabled(&id));

	database_run("UPDATE webhook_states SET failing_since = now() - interval '6 days' "
		     "WHERE endpoint_id = $1::uuid",
		     id, NULL);
	wait_until(is_disabled_when_tried, &id, "the webhook to be disabled");
	webhook_await(id, "cancelled", 1);
	cr_assert_str_eq(answer_text(get(&ann, strf("/webhooks/%s", id)), "disabledReason"),
			 "failing");
	cr_assert_eq(events_of(id, "webhook.disabled"), 1);
}

Test(webhooks_sending, in_order_wait_for_the_former)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *id = webhook_make(&ann, "/told", PROJECTS ",\"ordered\":true");
	const char *projects[3];

	receiver_says(500);
	for (size_t i = 0; i < ARRAY_LEN(projects); i++)
		projects[i] = answer_text(webhook_happen(&ann), "id");
	webhook_await(id, "delayed", 1);
	webhook_await(id, "waiting", 2);
	webhook_make_due(id);
	receiver_await(2); /* the first again */
	webhook_await(id, "delayed", 1);
	receiver_says(200);
	webhook_await_trying(id, "delivered", 3);
	/* The first may have been tried once more by itself, if all this took long. */
	for (size_t i = 0; i < receiver_count(); i++)
		cr_assert_not_null(strstr(receiver_body(receiver_count() - 1 - i).ptr,
					  projects[i < 2 ? 2 - i : 0]));
}

Test(webhooks_sending, keep_to_their_rate)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *id = webhook_make(&ann, "/told", PROJECTS ",\"rateLimit\":5");
	int64_t began_us = clock_monotonic_us();

	for (size_t i = 0; i < 20; i++)
		webhook_happen(&ann);
	webhook_await(id, "delivered", 20);
	/* Five at once, and the others at five a second. */
	cr_assert_geq(clock_monotonic_us() - began_us, 2900 * US_PER_MS);
}

Test(webhooks_sending, keep_the_last_of_very_many_attempts)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *id = webhook_make(&ann, "/told", PROJECTS);
	struct answer a;

	webhook_happen(&ann);
	webhook_await(id, "delivered", 1);
	database_run(
		"WITH d AS (UPDATE webhook_deliveries SET attempts = 120 "
		"WHERE endpoint_id = $1::uuid RETURNING tenant_id, id) "
		"INSERT INTO webhook_attempts (tenant_id, delivery_id, number, url, "
		"request_headers, duration_us, started_at) SELECT tenant_id, id, n, 'https://x', "
		"'{}', 1, now() FROM d, generate_series(2, 120) AS n",
		id, NULL);
	a = webhook_delivery(&ann, id);
	cr_assert_eq(answer_len(a, "attemptList"), 50);
	cr_assert_eq(answer_int(a, "attemptList.49.number"), 120);
	answer_is(post(&ann, strf("/webhooks/deliveries/%s/replay", answer_text(a, "id")), NULL),
		  202);
	webhook_await(id, "delivered", 1);
	cr_assert_eq(database_number("SELECT min(number) FROM webhook_attempts "
				     "WHERE delivery_id = $1::uuid",
				     answer_text(a, "id"), NULL),
		     121 - 49);
}

Test(webhooks_sending, tell_nothing_of_another_tenant)
{
	struct caller ann = caller(ROLE_ADMIN), bob = caller(ROLE_ADMIN);
	const char *id = webhook_make(&ann, "/told/ann", ""),
		   *other = webhook_make(&bob, "/told/bob", "");

	webhook_happen(&bob);
	webhook_await(other, "delivered", 1);
	cr_assert_eq(database_number("SELECT count(*) FROM webhook_deliveries "
				     "WHERE endpoint_id = $1::uuid",
				     id, NULL),
		     0);
}

Test(webhooks_sending, of_long_ago_are_swept)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *id = webhook_make(&ann, "/told", PROJECTS);

	webhook_happen(&ann);
	webhook_await(id, "delivered", 1);
	database_run("UPDATE webhook_deliveries SET created_at = now() - interval '31 days' "
		     "WHERE endpoint_id = $1::uuid",
		     id, NULL);
	database_run("UPDATE webhook_messages SET created_at = now() - interval '32 days' "
		     "WHERE tenant_id = $1::uuid",
		     id_text(ann.tenant.u), NULL);
	database_run("UPDATE webhook_endpoints SET deleted_at = now() - interval '33 days' "
		     "WHERE id = $1::uuid",
		     id, NULL);
	database_run("INSERT INTO jobs (tenant_id, id, queue, kind, state, max_attempts) VALUES "
		     "(platform_tenant(), $1::uuid, 'housekeeping', 'housekeeping.sweep', "
		     "'waiting', 3)",
		     id_text(uuid_v7()), NULL);
	webhook_await(id, "delivered", 0);
	cr_assert_eq(database_number("SELECT count(*) FROM webhook_attempts WHERE tenant_id = "
				     "$1::uuid",
				     id_text(ann.tenant.u), NULL),
		     0);
}

Test(webhooks_sending, are_counted_for_prometheus)
{
	struct caller nobody = on_tier(caller_nobody(), TIER_SYSTEM);
	struct answer a = answer_is(get(&nobody, "/metrics"), 200);

	cr_assert_not_null(
		memmem(a.body.ptr, a.body.len, "zygo_webhook_deliveries{state=\"waiting\"}", 39));
	cr_assert_not_null(memmem(a.body.ptr, a.body.len, "zygo_webhook_lag_milliseconds ", 30));
}
