/*
 * Invitations, from both sides: what the tenant sends, sees and takes back, and how their person
 * takes the seat.
 */
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/mailbox.h"
#include "support/person.h"
#include "support/site.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

#define PASSWORD "a good password"

static struct caller visitor(void)
{
	return on_tier(caller_nobody(), TIER_AUTH);
}

static const char *new_email(void)
{
	return strf("%s@example.com", new_word());
}

/* Invites, as a member; the user's id. */
static const char *invite(const struct caller *c, const char *email)
{
	return strf(
		"%s",
		answer_text(answer_is(post(c, "/users", strf("{\"email\":\"%s\"}", email)), 201),
			    "id"));
}

static const char *invitation_of(const struct caller *c, const char *user)
{
	return database_value("SELECT id FROM invitations WHERE tenant_id = $1::uuid AND user_id = "
			      "$2::uuid",
			      id_text(c->tenant.u), user, NULL);
}

static const char *path_of(const char *token, const char *verb)
{
	return strf("/invitations/%s%s", token, verb);
}

static struct answer accept(const char *token, const char *password)
{
	struct caller v = visitor();

	return post(&v, path_of(token, "/accept"), strf("{\"password\":\"%s\"}", password));
}

static const char *status_of(const struct caller *c, const char *user)
{
	return strf("%s", answer_text(answer_is(get(c, strf("/users/%s", user)), 200), "status"));
}

Test(invitations, are_mailed_and_accepted_by_a_new_account)
{
	struct caller ann = caller(ROLE_ADMIN), v = visitor();
	const char *email = new_email(), *user = invite(&ann, email);
	const char *token = mail_token(email, "invites you");
	struct answer a = answer_is(get(&v, path_of(token, "")), 200);

	cr_assert_str_eq(answer_text(a, "email"), email);
	cr_assert_str_eq(answer_text(a, "tenantName"), "Test tenant");
	cr_assert_str_eq(answer_text(a, "roles.0"), "member");
	cr_assert(!answer_bool(a, "hasAccount"));

	a = answer_is(post(&v, path_of(token, "/accept"),
			   "{\"password\":\"" PASSWORD "\",\"firstName\":\"Bob\"}"),
		      200);
	cr_assert_str_eq(answer_text(a, "user.email"), email);
	cr_assert_str_eq(answer_text(a, "user.firstName"), "Bob");
	cr_assert_str_eq(answer_text(a, "tenant.id"), id_text(ann.tenant.u));
	cr_assert_str_eq(answer_text(a, "user.userId"), user);
	cr_assert(answer_bool(a, "user.emailVerified"));
	cr_assert_str_eq(status_of(&ann, user), "active");
	cr_assert_eq(database_number("SELECT count(*) FROM events WHERE tenant_id = $1::uuid AND "
				     "subject_id = $2::uuid AND type = 'user.joined'",
				     id_text(ann.tenant.u), user, NULL),
		     1);
	answer_is(try_log_in(email, PASSWORD, NULL), 200);
}

Test(invitations, are_good_once)
{
	struct caller ann = caller(ROLE_ADMIN), v = visitor();
	const char *email = new_email(), *token;

	invite(&ann, email);
	token = mail_token(email, "invites you");
	answer_is(accept(token, PASSWORD), 200);
	answer_is_error(accept(token, PASSWORD), 404, "RESOURCE_NOT_FOUND", NULL);
	answer_is_error(get(&v, path_of(token, "")), 404, "RESOURCE_NOT_FOUND", NULL);
}

Test(invitations, of_many_acceptances_at_once_one_is_made)
{
	struct caller ann = caller(ROLE_ADMIN), v = visitor();
	const char *email = new_email();
	struct answer answers[6];
	unsigned made = 0;
	struct ask ask = { .method = "POST",
			   .caller = &v,
			   .body = "{\"password\":\"" PASSWORD "\"}" };

	invite(&ann, email);
	ask.path = strf("/api/auth%s", path_of(mail_token(email, "invites you"), "/accept"));
	answers_together(&ask, ARRAY_LEN(answers), answers);
	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		made += answers[i].status == 200;
	cr_assert_eq(made, 1);
	cr_assert_eq(database_number("SELECT count(*) FROM accounts WHERE email = $1", email, NULL),
		     1);
	cr_assert_eq(
		database_number("SELECT count(*) FROM users WHERE tenant_id = $1::uuid AND email = "
				"$2 AND status = 'active'",
				id_text(ann.tenant.u), email, NULL),
		1);
}

Test(invitations, are_accepted_by_the_password_of_an_account)
{
	struct caller ann = caller(ROLE_ADMIN), v = visitor();
	struct person bob = person_sign_up();
	const char *token;
	struct answer a;

	invite(&ann, bob.caller.email);
	token = mail_token(bob.caller.email, "invites you");
	cr_assert(answer_bool(answer_is(get(&v, path_of(token, "")), 200), "hasAccount"));
	answer_is_error(accept(token, "not his password"), 401, "AUTH_INVALID_CREDENTIALS", NULL);
	a = answer_is(accept(token, bob.password), 200);
	cr_assert_str_eq(answer_text(a, "user.id"), id_text(bob.caller.account.u));
	cr_assert_str_eq(answer_text(a, "tenant.id"), id_text(ann.tenant.u));
}

Test(invitations, are_accepted_by_who_is_logged_in)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct person bob = person_sign_up();
	struct answer a;

	invite(&ann, bob.caller.email);
	a = answer_is(post(&bob.caller,
			   path_of(mail_token(bob.caller.email, "invites you"), "/join"), NULL),
		      200);
	cr_assert_str_eq(answer_text(a, "id"), id_text(ann.tenant.u));
	cr_assert_str_eq(answer_text(a, "userStatus"), "active");
	cr_assert(!answer_bool(a, "isActive"), "the session stays where it is");
	answer_is(post(&bob.caller, "/switch-tenant",
		       strf("{\"tenantId\":\"%s\"}", id_text(ann.tenant.u))),
		  200);
}

Test(invitations, are_for_the_email_that_they_were_sent_to)
{
	struct caller ann = caller(ROLE_ADMIN);
	struct person eve = person_sign_up();
	const char *email = new_email(), *token;

	invite(&ann, email);
	token = mail_token(email, "invites you");
	answer_is_error(post(&eve.caller, path_of(token, "/join"), NULL), 403, "AUTH_FORBIDDEN",
			NULL);
	answer_is(accept(token, PASSWORD), 200);
}

Test(invitations, are_the_only_way_in_where_sign_up_is_closed)
{
	struct caller ann = caller(ROLE_ADMIN), v = visitor();
	const char *email = new_email(), *token;

	invite(&ann, email);
	token = mail_token(email, "invites you");
	v.url = site_start("invited", (const char *[]){ "SIGN_UP=false", NULL });
	answer_is_error(post(&v, "/signup",
			     strf("{\"email\":\"%s\",\"password\":\"" PASSWORD "\"}", new_email())),
			403, "AUTH_FORBIDDEN", NULL);
	answer_is(
		post(&v, "/signup",
		     strf("{\"email\":\"%s\",\"password\":\"" PASSWORD "\",\"inviteToken\":\"%s\"}",
			  email, token)),
		201);
	site_stop("invited");
}

Test(invitations, may_be_signed_up_with)
{
	struct caller ann = caller(ROLE_ADMIN), v = visitor();
	const char *email = new_email(), *token;
	struct answer a;

	invite(&ann, email);
	token = mail_token(email, "invites you");
	answer_is_error(
		post(&v, "/signup",
		     strf("{\"email\":\"%s\",\"password\":\"" PASSWORD "\",\"inviteToken\":\"%s\"}",
			  new_email(), token)),
		400, "VALIDATION_ERROR", "email");
	a = answer_is(
		post(&v, "/signup",
		     strf("{\"email\":\"%s\",\"password\":\"" PASSWORD "\",\"inviteToken\":\"%s\"}",
			  email, token)),
		201);
	cr_assert_str_eq(answer_text(a, "tenant.id"), id_text(ann.tenant.u));
	cr_assert_eq(database_number(
			     "SELECT count(*) FROM users u JOIN accounts a ON a.id = u.account_id "
			     "WHERE a.email = $1",
			     email, NULL),
		     1, "no tenant is founded");
}

Test(invitations, are_listed_with_their_state)
{
	struct caller ann = caller(ROLE_ADMIN), dash = on_tier(ann, TIER_ADMIN);
	const char *waits = new_email(), *comes = new_email();
	struct answer a;

	invite(&ann, waits);
	invite(&ann, comes);
	answer_is(accept(mail_token(comes, "invites you"), PASSWORD), 200);
	a = answer_is(get(&ann, "/invitations?sort=createdAt"), 200);
	cr_assert_eq(answer_int(a, "pagination.total"), 2);
	cr_assert_str_eq(answer_text(a, "data.0.email"), waits);
	cr_assert_str_eq(answer_text(a, "data.0.status"), "pending");
	cr_assert_str_eq(answer_text(a, "data.0.invitedBy"), id_text(ann.user.u));
	cr_assert_str_eq(answer_text(a, "data.1.status"), "accepted");
	a = answer_is(get(&dash, "/invitations?status=pending"), 200);
	cr_assert_eq(answer_len(a, "data"), 1);
}

Test(invitations, that_ran_out_can_be_sent_again)
{
	struct caller ann = caller(ROLE_ADMIN), dash = on_tier(ann, TIER_ADMIN);
	const char *email = new_email(), *user = invite(&ann, email), *token;
	struct answer a;

	token = mail_token(email, "invites you");
	mail_settle();
	database_run("UPDATE invitations SET expires_at = now() WHERE user_id = $1::uuid", user,
		     NULL);
	answer_is(accept(token, PASSWORD), 404);
	a = answer_is(post(&ann, strf("/invitations/%s/resend", invitation_of(&ann, user)), NULL),
		      200);
	cr_assert_eq(answer_int(a, "sends"), 2);
	cr_assert_str_eq(answer_text(a, "status"), "pending");
	cr_assert_eq(mail_count(email, "invites you"), 2);
	answer_is(post(&dash, strf("/invitations/%s/resend", invitation_of(&ann, user)), NULL),
		  200);
	answer_is(accept(token, PASSWORD), 200);
	answer_is_error(post(&ann, strf("/invitations/%s/resend", invitation_of(&ann, user)), NULL),
			409, "RESOURCE_CONFLICT", "status");
}

Test(invitations, that_are_revoked_leave_nothing)
{
	struct caller ann = caller(ROLE_ADMIN), dash = on_tier(ann, TIER_ADMIN);
	const char *email = new_email(), *user = invite(&ann, email), *token, *path;

	token = mail_token(email, "invites you");
	path = strf("/invitations/%s", invitation_of(&ann, user));
	answer_is(del(&ann, path), 204);
	answer_is(accept(token, PASSWORD), 404);
	answer_is(get(&ann, strf("/users/%s", user)), 404);
	answer_is_error(del(&ann, path), 409, "RESOURCE_CONFLICT", "status");

	user = invite(&ann, email);
	answer_is(del(&dash, strf("/invitations/%s", invitation_of(&ann, user))), 204);
}

Test(invitations, end_with_the_user)
{
	struct caller ann = caller(ROLE_OWNER);
	const char *email = new_email(), *user = invite(&ann, email), *token;

	token = mail_token(email, "invites you");
	answer_is(del(&ann, strf("/users/%s", user)), 204);
	answer_is(accept(token, PASSWORD), 404);
	cr_assert_str_eq(answer_text(get(&ann, "/invitations"), "data.0.status"), "revoked");
}

/* Nor resends or revokes one for a seat that may more than oneself. */
Test(invitations, of_who_may_more_are_not_touched)
{
	struct caller owner = caller(ROLE_OWNER), admin = caller_in(owner.tenant, ROLE_ADMIN);
	const char *email = new_email(), *user, *path;

	user = strf(
		"%s",
		answer_text(answer_is(post(&owner, "/users",
					   strf("{\"email\":\"%s\",\"roles\":[\"owner\"]}", email)),
				      201),
			    "id"));
	path = strf("/invitations/%s", invitation_of(&owner, user));
	answer_is_error(post(&admin, strf("%s/resend", path), NULL), 403, "AUTH_FORBIDDEN", NULL);
	answer_is_error(del(&admin, path), 403, "AUTH_FORBIDDEN", NULL);
}

Test(invitations, are_limited_by_tenant)
{
	struct caller ann = caller(ROLE_ADMIN), bob = caller(ROLE_ADMIN);

	ann.url = bob.url =
		site_start("invite", (const char *[]){ "INVITATIONS_PER_HOUR=2", NULL });
	invite(&ann, new_email());
	invite(&ann, new_email());
	answer_is_error(post(&ann, "/users", strf("{\"email\":\"%s\"}", new_email())), 429,
			"RATE_LIMIT_EXCEEDED", NULL);
	invite(&bob, new_email());
	site_stop("invite");
}

Test(invitations, a_mail_says_who_invites_and_cannot_be_dressed_up)
{
	struct caller ann = caller(ROLE_ADMIN);
	const char *email = new_email();
	struct letter l;

	database_run("UPDATE tenants SET name = '<b>Blue</b>' || chr(10) || 'Bcc: eve@example.com' "
		     "WHERE id = $1::uuid",
		     id_text(ann.tenant.u), NULL);
	invite(&ann, email);
	l = mail_wait(email, "invites you");
	cr_assert(strstr(l.subject, "invites you to <b>Blue</b> Bcc: eve@example.com"), "%s",
		  l.subject);
	cr_assert(!strstr(l.html, "<b>"), "%s", l.html);
	cr_assert(!strstr(l.raw, "\nBcc"));
}
