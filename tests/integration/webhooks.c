/*
 * Webhooks' endpoints: who may be told, and who never.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/hooked.h"
#include "support/receiver.h"
#include "support/world.h"

#include "base/jsonread.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(webhooks, .init = receiver_start);

Test(webhooks, are_made_seen_changed_and_deleted)
{
	struct caller ann = on_tier(caller(ROLE_ADMIN), TIER_ADMIN);
	struct answer a = answer_is(
		post(&ann, "/webhooks",
		     strf("{\"url\":\"%s\",\"description\":\"Bills\",\"eventTypes\":[\"user.*\","
			  "\"apiKey.created\"],\"rateLimit\":50,\"ordered\":true}",
			  receiver_url("/told"))),
		201);
	const char *path = strf("/webhooks/%s", answer_text(a, "id"));
	const struct json *value;

	cr_assert(str_starts(str_of(answer_text(a, "secret")), "whsec_"));
	a = answer_is(get(&ann, path), 200);
	cr_assert_not(answer_find(&a, "secret", &value));
	cr_assert_str_eq(answer_text(a, "description"), "Bills");
	cr_assert_eq(answer_int(a, "rateLimit"), 50);
	cr_assert(answer_bool(a, "ordered") && answer_bool(a, "enabled"));

	a = answer_is(patch(&ann, path, "{\"rateLimit\":null,\"enabled\":false}"), 200);
	cr_assert_str_eq(answer_text(a, "disabledReason"), "request");
	cr_assert_eq(answer_int(get(&ann, "/webhooks?enabled=false"), "pagination.total"), 1);
	cr_assert_eq(answer_int(get(&ann, "/webhooks?eventType=user.created&search=bill"),
				"pagination.total"),
		     1);
	cr_assert_eq(answer_int(get(&ann, "/webhooks?eventType=role.created"), "pagination.total"),
		     0);
	cr_assert(answer_bool(answer_is(patch(&ann, path, "{\"enabled\":true}"), 200), "enabled"));

	answer_is(del(&ann, path), 204);
	answer_is_error(get(&ann, path), 404, "RESOURCE_NOT_FOUND", NULL);
	answer_is_error(get(&ann, strf("%s/deliveries", path)), 404, "RESOURCE_NOT_FOUND", NULL);
}

Test(webhooks, are_deleted_by_programs_too)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *path = strf("/webhooks/%s", webhook_make(&ann, "/told", ""));

	answer_is(del(&ann, path), 204);
	answer_is_error(del(&ann, path), 404, "RESOURCE_NOT_FOUND", NULL);
}

Test(webhooks, can_be_told_of_the_types_that_there_are)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct answer a = answer_is(get(&ann, "/webhooks/event-types"), 200);

	cr_assert_gt(answer_len(a, "data"), 10);
	a = post(&ann, "/webhooks",
		 strf("{\"url\":\"%s\",\"eventTypes\":[\"user.created\",\"user.ate\"]}",
		      receiver_url("/told")));
	answer_is_error(a, 400, "VALIDATION_ERROR", "eventTypes.1");
	answer_is_error(post(&ann, "/webhooks",
			     strf("{\"url\":\"%s\",\"eventTypes\":[\"access.refused\"]}",
				  receiver_url("/told"))),
			400, "VALIDATION_ERROR", "eventTypes.0");
}

Test(webhooks, are_as_many_as_the_plan_allows)
{
	struct caller ann = caller(ROLE_ADMIN);

	database_run("UPDATE tenants SET limits = '{\"webhooks\":1}' WHERE id = $1::uuid",
		     id_text(ann.tenant.u), NULL);
	(void)webhook_make(&ann, "/told", "");
	answer_is_error(post(&ann, "/webhooks", strf("{\"url\":\"%s\"}", receiver_url("/told"))),
			402, "PLAN_LIMIT_EXCEEDED", NULL);
}

Test(webhooks, are_a_hundred_where_no_plan_says_how_many)
{
	struct caller ann = caller(ROLE_ADMIN);

	database_run("INSERT INTO webhook_endpoints (tenant_id, id, url, secret_sealed, "
		     "disabled_at) "
		     "SELECT $1::uuid, uuid_v7(), 'https://hooks.example.com/', '', now() "
		     "FROM generate_series(1, 99)",
		     id_text(ann.tenant.u), NULL);
	(void)webhook_make(&ann, "/told", "");
	answer_is_error(post(&ann, "/webhooks", strf("{\"url\":\"%s\"}", receiver_url("/told"))),
			402, "PLAN_LIMIT_EXCEEDED", NULL);
}

Test(webhooks, may_be_made_before_anything_is_sent)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct answer a =
		answer_is(post(&ann, "/webhooks",
			       strf("{\"url\":\"%s\",\"enabled\":false}", receiver_url("/told"))),
			  201);

	cr_assert_not(answer_bool(a, "enabled"));
	cr_assert_str_eq(answer_text(a, "disabledReason"), "request");
}

/* Else who may manage webhooks could read by them whatever happens. */
Test(webhooks, are_told_of_what_their_maker_may_see)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct caller key = with_api_key(
		ann, api_key_make(ann.tenant, ann.user, "canManageWebhooks canViewWebhooks"));
	const char *path = strf("/webhooks/%s", webhook_make(&ann, "/told", PROJECTS));
	const char *url = strf("\"url\":\"%s\"", receiver_url("/elsewhere"));
	struct answer a = post(&key, "/webhooks", strf("{%s}", url));

	answer_is_error(a, 403, "AUTH_FORBIDDEN", NULL);
	answer_is_error(post(&key, "/webhooks", strf("{%s,\"eventTypes\":[\"user.*\"]}", url)), 403,
			"AUTH_FORBIDDEN", NULL);
	answer_is(post(&key, "/webhooks", strf("{%s,\"eventTypes\":[\"tenant.*\"]}", url)), 201);
	a = patch(&key, path, strf("{%s}", url));
	answer_is_error(a, 403, "AUTH_FORBIDDEN", NULL);
	cr_assert_str_eq(answer_text(a, "details.required"), "canViewProjects");
	answer_is_error(patch(&key, path, "{\"eventTypes\":[]}"), 403, "AUTH_FORBIDDEN", NULL);
	answer_is(patch(&key, path, "{\"rateLimit\":5}"), 200);
}

Test(webhooks, show_what_was_sent_to_who_may_see_it)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct caller key =
		with_api_key(ann, api_key_make(ann.tenant, ann.user, "canViewWebhooks"));
	const char *id = webhook_make(&ann, "/told", PROJECTS);
	const struct json *value;
	struct answer a;

	webhook_happen(&ann);
	webhook_await(id, "delivered", 1);
	a = webhook_delivery(&ann, id);
	cr_assert(str_starts(str_of(answer_text(a, "requestBody")), "{"));
	a = webhook_delivery(&key, id);
	cr_assert_eq(answer_int(a, "responseStatus"), 200);
	cr_assert(answer_find(&a, "requestBody", &value) && json_kind(value) == JSON_NULL);
	cr_assert(answer_find(&a, "attemptList.0.responseBody", &value) &&
		  json_kind(value) == JSON_NULL);
}

/* No address of ours, our neighbours or a cloud's metadata, in whatever form. */
Test(webhooks, go_to_public_addresses_alone)
{
	static const char *const refused[] = {
		"https://127.0.0.2/",
		"https://127.2/x",
		"https://0x7f.2/",
		"https://2130706434/",
		"https://0177.0.0.2/",
		"https://0.0.0.0/",
		"https://localhost.:9/",
		"https://10.1.2.3/",
		"https://172.16.0.1/",
		"https://192.168.1.1/",
		"https://100.64.0.1/",
		"https://169.254.169.254/latest/meta-data",
		"https://192.0.2.1/",
		"https://224.0.0.1/",
		"https://255.255.255.255/",
		"https://[::]/",
		"https://[::ffff:127.0.0.2]/",
		"https://[::ffff:10.0.0.1]/",
		"https://[::127.0.0.2]/",
		"https://[64:ff9b::10.0.0.1]/",
		"https://[2002:0a00:0001::]/",
		"https://[fe80::1]/",
		"https://[fe80::1%25lo]/",
		"https://[fc00::1]/",
		"https://[fd00:ec2::254]/",
		"https://[ff02::1]/",
		"http://1.1.1.1/",
		"http://hooks.example.com/",
		"https://user:secret@1.1.1.1/",
		"https://user@1.1.1.1/",
		"https://1.1.1.1:22/",
		"https://1.1.1.1:25/",
		"ftp://1.1.1.1/",
		"https:///x",
	};
	struct caller ann = caller(ROLE_ADMIN);
	const char *path;

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct answer a = post(&ann, "/webhooks", strf("{\"url\":\"%s\"}", refused[i]));

		cr_expect(a.status == 400 && answer_has_issue(&a, "url"), "%s: %d", refused[i],
			  a.status);
	}
	answer_is(post(&ann, "/webhooks", "{\"url\":\"https://1.1.1.1/hooks\"}"), 201);
	answer_is(post(&ann, "/webhooks", "{\"url\":\"https://[2606:4700::1111]:8443/\"}"), 201);

	path = strf("/webhooks/%s", webhook_make(&ann, "/told", ""));
	answer_is_error(patch(&ann, path, "{\"url\":\"https://10.0.0.1/\"}"), 400,
			"VALIDATION_ERROR", "url");
}

/* A name that was public when it was looked at, and is not when it is called. */
Test(webhooks, ask_again_about_the_address_that_is_connected_to)
{
	static const char *const moved[] = { "http://127.0.0.2:%u/told", "https://10.255.255.1/",
					     "https://[::ffff:127.0.0.2]/",
					     "https://169.254.169.254/" };
	struct caller ann = caller(ROLE_ADMIN);
	const char *id = webhook_make(&ann, "/told", PROJECTS);

	for (size_t i = 0; i < ARRAY_LEN(moved); i++) {
		database_run(
			"UPDATE webhook_endpoints SET url = $2 WHERE id = $1::uuid", id,
			i == 0 ? strf("http://127.0.0.2:%s", strrchr(receiver_url(""), ':') + 1)
			       : moved[i],
			NULL);
		webhook_happen(&ann);
		webhook_await(id, "delayed", (int64_t)i + 1);
	}
	cr_assert_eq(database_number("SELECT count(*) FROM webhook_deliveries WHERE error LIKE "
				     "'%%not a public one%%' AND endpoint_id = $1::uuid",
				     id, NULL),
		     ARRAY_LEN(moved));
	cr_assert_eq(receiver_count(), 0);
}

Test(webhooks, send_headers_of_ones_own_that_are_not_shown)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *id = webhook_make(
		&ann, "/told",
		PROJECTS ",\"headers\":[{\"name\":\"Authorization\",\"value\":"
			 "\"Bearer mine-alone\"},{\"name\":\"X-Team\",\"value\":\"blue\"}]");
	struct answer a = get(&ann, strf("/webhooks/%s", id));

	cr_assert_str_eq(answer_text(a, "headerNames.0"), "Authorization");
	cr_assert_null(memmem(a.body.ptr, a.body.len, "mine-alone", 10));
	webhook_happen(&ann);
	webhook_await(id, "delivered", 1);
	cr_assert_str_eq(receiver_header(0, "Authorization"), "Bearer mine-alone");
	cr_assert_str_eq(receiver_header(0, "X-Team"), "blue");
	a = webhook_delivery(&ann, id);
	cr_assert_null(memmem(a.body.ptr, a.body.len, "mine-alone", 10));

	answer_is_error(patch(&ann, strf("/webhooks/%s", id),
			      "{\"headers\":[{\"name\":\"Webhook-Id\",\"value\":\"x\"}]}"),
			400, "VALIDATION_ERROR", "headers.0.name");
	answer_is_error(patch(&ann, strf("/webhooks/%s", id),
			      "{\"headers\":[{\"name\":\"X-A\",\"value\":\"1\"},"
			      "{\"name\":\"x-a\",\"value\":\"2\"}]}"),
			400, "VALIDATION_ERROR", "headers.1.name");
}
