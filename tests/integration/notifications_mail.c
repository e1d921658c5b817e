/*
 * Notifications by mail: at once, once a day, and no more of them.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/mailbox.h"
#include "support/notified.h"
#include "support/servers.h"
#include "support/world.h"

#include "base/arena.h"
#include "base/str.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(notifications_mail, .fini = notified_forget);

#define ROLES_SUBJECT "Your roles in "

/* Tells them that their roles changed. */
static void change_roles(const struct caller *c)
{
	notified_of(c->tenant, "user.rolesChanged", id_text(c->user.u), NULL, "{}");
	notified_settle(c->tenant);
}

static void prefer(const struct caller *c, const char *email)
{
	answer_is(
		patch(c, "/notifications/preferences",
		      strf("{\"preferences\":[{\"kind\":\"user.rolesChanged\",\"email\":\"%s\"}]}",
			   email)),
		200);
}

static const char *preferred(const struct caller *c)
{
	return database_value("SELECT email FROM notification_preferences WHERE tenant_id = "
			      "$1::uuid AND kind = 'user.rolesChanged'",
			      id_text(c->tenant.u), NULL);
}

/* Of List-Unsubscribe: from the root on. */
static const char *unsubscribe_path(struct letter l)
{
	const char *at = strstr(l.raw, "\r\nList-Unsubscribe: <");

	cr_assert(at, "no List-Unsubscribe in: %s", l.raw);
	at = strstr(at, "/api/unsubscribe/");
	cr_assert(at);
	return strf("%.*s", (int)strcspn(at, ">"), at);
}

/*
 * At once
 */

Test(notifications_mail, comes_at_once_and_says_how_to_end_it)
{
	struct caller ann = caller(ROLE_MEMBER);
	struct letter l;

	change_roles(&ann);
	l = mail_wait(ann.email, ROLES_SUBJECT);
	cr_expect_str_eq(l.subject, "Your roles in Test tenant changed");
	cr_expect(strstr(l.text, "You have now: member."), "%s", l.text);
	cr_expect(strstr(l.raw, "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
	cr_expect(strstr(l.text, unsubscribe_path(l)), "a reader finds the link too");
	cr_expect_eq(mail_count(ann.email, ROLES_SUBJECT), 1);
}

Test(notifications_mail, of_security_has_no_end)
{
	struct caller ann = caller(ROLE_MEMBER);
	struct letter l;

	notified_of(ann.tenant, "impersonation.started", id_text(ann.user.u), NULL,
		    "{\"minutes\":15,\"reason\":\"Ticket 7\"}");
	l = mail_wait(ann.email, "acts as you");
	cr_expect(strstr(l.text, "Ticket 7"));
	cr_expect_null(strstr(l.raw, "List-Unsubscribe"));
}

Test(notifications_mail, goes_to_nobody_whose_email_is_not_shown_to_be_theirs)
{
	struct caller ann = caller(ROLE_MEMBER);

	database_run("UPDATE users SET email_verified = false WHERE id = $1::uuid",
		     id_text(ann.user.u), NULL);
	change_roles(&ann);
	cr_assert_eq(mail_count(ann.email, ""), 0);
	cr_assert_eq(answer_len(answer_is(get(&ann, "/notifications"), 200), "data"), 1);
}

Test(notifications_mail, is_sent_once_however_often_events_are_read)
{
	struct caller ann = caller(ROLE_MEMBER);

	change_roles(&ann);
	notified_rewind(ann.tenant);
	notified_settle(ann.tenant);
	cr_assert_eq(mail_count(ann.email, ROLES_SUBJECT), 1);
}

/* Whatever people call themselves and their tenant. */
Test(notifications_mail, takes_names_for_text)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_MEMBER);
	struct letter l;

	database_run("UPDATE tenants SET name = E'<script>\r\nBcc: eve@example.com\r\n\r\n\"&' "
		     "WHERE id = $1::uuid",
		     id_text(ann.tenant.u), NULL);
	user_rename(ann.tenant, ann.user, "{{unsubscribe}}", "<b onclick='x'>");
	notified_of(ann.tenant, "user.rolesChanged", id_text(bob.user.u), id_text(ann.user.u),
		    "{}");
	l = mail_wait(bob.email, ROLES_SUBJECT);
	cr_expect_null(strstr(l.raw, "\r\nBcc:"), "%s", l.raw);
	cr_expect_null(strstr(l.html, "<script"), "%s", l.html);
	cr_expect_null(strstr(l.html, "<b "), "%s", l.html);
	cr_expect(strstr(l.html, "{{unsubscribe}} &lt;b onclick=&#39;x&#39;&gt; has changed"), "%s",
		  l.html);
	cr_expect(strstr(l.subject, "<script>  Bcc: eve@example.com"), "%s", l.subject);
}

/*
 * Ending it
 */

static bool has_no_jobs(void *c)
{
	return database_number("SELECT count(*) FROM jobs WHERE tenant_id = $1::uuid AND kind = "
			       "'notifications.mail' AND state IN ('waiting', 'active', 'delayed')",
			       id_text(((const struct caller *)c)->tenant.u), NULL) == 0;
}

static struct answer open_link(const char *method, const char *path)
{
	struct caller nobody = on_tier(caller_nobody(), TIER_SYSTEM);

	return answer_to(&(struct ask){
		.method = method,
		.path = path,
		.caller = &nobody,
		.content_type = "application/x-www-form-urlencoded",
		.body = strcmp(method, "POST") == 0 ? "List-Unsubscribe=One-Click" : NULL });
}

Test(notifications_mail, ends_by_its_link_and_not_by_opening_it)
{
	struct caller ann = caller(ROLE_MEMBER);
	const char *path;

	change_roles(&ann);
	path = unsubscribe_path(mail_wait(ann.email, ROLES_SUBJECT));
	answer_is(open_link("GET", path), 200);
	cr_assert_null(preferred(&ann), "a scanner that opens links ends nothing");
	answer_is(open_link("POST", path), 200);
	cr_assert_str_eq(preferred(&ann), "off");
	change_roles(&ann);
	cr_assert_eq(mail_count(ann.email, ROLES_SUBJECT), 1);
	cr_assert_eq(answer_len(answer_is(get(&ann, "/notifications"), 200), "data"), 2);
}

/* Whose mail the server has put off, and who turns it off meanwhile. */
Test(notifications_mail, that_waits_to_be_sent_ends_too)
{
	struct caller ann = caller(ROLE_MEMBER);

	prefer(&ann, "off");
	change_roles(&ann);
	database_run("INSERT INTO jobs (tenant_id, id, queue, kind, payload, state, max_attempts) "
		     "SELECT tenant_id, uuid_v7(), 'email', 'notifications.mail', "
		     "jsonb_build_object('notification', id), 'waiting', 3 FROM notifications "
		     "WHERE tenant_id = $1::uuid",
		     id_text(ann.tenant.u), NULL);
	wait_until(has_no_jobs, &ann, "the mail's job is over");
	cr_assert_eq(mail_count(ann.email, ""), 0);
}

/* Each character of a link counts: none makes it somebody else's, or of another kind. */
Test(notifications_mail, ends_by_no_link_that_was_not_signed)
{
	struct caller ann = caller(ROLE_MEMBER);
	const char *path;
	size_t from = strlen("/api/unsubscribe/");

	change_roles(&ann);
	path = unsubscribe_path(mail_wait(ann.email, ROLES_SUBJECT));
	for (size_t i = from; i < strlen(path); i += 5) {
		char *other = arena_strdup(world_arena(), path);

		other[i] = other[i] == 'A' ? 'B' : 'A';
		answer_is_error(open_link("POST", other), 404, "RESOURCE_NOT_FOUND", NULL);
		other[i] = '\0';
		if (i > from)
			answer_is_error(open_link("POST", other), 404, "RESOURCE_NOT_FOUND", NULL);
	}
	cr_assert_null(preferred(&ann));
}

/*
 * Once a day
 */

/* As if what waits had come two days ago. */
static void be_due(const struct caller *c)
{
	database_run("UPDATE notifications SET created_at = created_at - interval '2 days' "
		     "WHERE tenant_id = $1::uuid",
		     id_text(c->tenant.u), NULL);
}

/* As if what is new had come after the hour of digests, even when that passes now. */
static void be_new(const struct caller *c)
{
	database_run("UPDATE notifications SET created_at = now() + interval '1 hour' "
		     "WHERE tenant_id = $1::uuid AND created_at > now() - interval '1 day'",
		     id_text(c->tenant.u), NULL);
}

static size_t digests(const struct caller *c)
{
	notified_run("notifications", "notifications.hourly");
	return mail_count(c->email, "What is new in Test tenant");
}

Test(notifications_mail, of_a_day_comes_once_with_what_is_unread)
{
	struct caller ann = caller(ROLE_MEMBER);
	struct letter l;
	const char *id;

	prefer(&ann, "digest");
	for (size_t i = 0; i < 3; i++)
		change_roles(&ann);
	be_new(&ann);
	cr_assert_eq(digests(&ann), 0, "a day is not over before its hour");
	id = strf("%s", answer_text(answer_is(get(&ann, "/notifications"), 200), "data.0.id"));
	answer_is(post(&ann, strf("/notifications/%s/read", id), NULL), 200);
	be_due(&ann);
	change_roles(&ann);
	be_new(&ann);
	cr_assert_eq(digests(&ann), 1);
	cr_assert_eq(digests(&ann), 1, "a digest came twice");

	l = mail_wait(ann.email, "What is new");
	cr_expect(strstr(l.text, "2 in all"), "%s", l.text);
	cr_expect(strstr(l.text, "- Your roles in Test tenant changed\n"), "%s", l.text);
	cr_expect(strstr(l.html, "<li><b>Your roles in Test tenant changed</b>"), "%s", l.html);
	answer_is(open_link("POST", unsubscribe_path(l)), 200);
	cr_assert_str_eq(preferred(&ann), "off", "its link ends what comes in digests");
	be_due(&ann);
	cr_assert_eq(digests(&ann), 1, "nor does what waited already come");
}

Test(notifications_mail, of_a_day_without_anything_unread_does_not_come)
{
	struct caller ann = caller(ROLE_MEMBER);

	prefer(&ann, "digest");
	change_roles(&ann);
	answer_is(post(&ann, "/notifications/read-all", "{}"), 200);
	be_due(&ann);
	cr_assert_eq(digests(&ann), 0);
	cr_assert_eq(
		database_number("SELECT count(*) FROM notifications WHERE tenant_id = $1::uuid "
				"AND awaits_digest",
				id_text(ann.tenant.u), NULL),
		0);
}

Test(notifications_mail, of_a_day_is_mailed_once_by_many_at_once)
{
	struct caller ann = caller(ROLE_MEMBER);

	prefer(&ann, "digest");
	change_roles(&ann);
	be_due(&ann);
	database_run(
		"INSERT INTO jobs (tenant_id, id, queue, kind, state, max_attempts) "
		"SELECT platform_tenant(), uuid_v7(), 'notifications', 'notifications.hourly', "
		"'waiting', 3 FROM generate_series(1, 6)",
		NULL);
	cr_assert_eq(digests(&ann), 1);
}
