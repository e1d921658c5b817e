/*
 * Realms: a tenant with a realm of its own has its own people.
 */
#include "base/str.h"
#include "crypto/token.h"
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/mailbox.h"
#include "support/person.h"
#include "support/trip.h"
#include "support/world.h"

#include <criterion/criterion.h>

/* A tenant with its own realm and a host of its own, made as the platform's people do. */
struct realm {
	struct tenant_id tenant;
	const char *slug, *host, *owner;
};

static struct caller admin(void)
{
	return on_tier(caller_global_admin(), TIER_SUPER);
}

static struct realm realm_make(const char *owner)
{
	struct caller root = admin();
	struct realm r = { .slug = new_word(), .owner = owner };
	struct answer a;

	r.host = strf("%s.example.com", r.slug);
	a = answer_is(post(&root, "/tenants",
			   strf("{\"name\":\"Own\",\"slug\":\"%s\",\"host\":\"%s\",\"ownerEmail\":"
				"\"%s\",\"ownRealm\":true}",
				r.slug, r.host, owner)),
		      201);
	cr_assert_str_eq(answer_text(a, "realm"), r.slug);
	r.tenant.u = id_of(answer_text(a, "id"));
	return r;
}

/* A link like the one in the mail of an invitation. */
static const char *invitation_token(struct tenant_id t, const char *email)
{
	char *token = arena_alloc(world_arena(), TOKEN_TEXT_SIZE);
	struct token_hash hash;

	token_make(token);
	token_hash(str_of(token), &hash);
	database_run("INSERT INTO invitation_tokens (tenant_id, invitation_id, token_hash) "
		     "SELECT i.tenant_id, i.id, decode($3, 'hex') FROM invitations i "
		     "JOIN users u ON u.tenant_id = i.tenant_id AND u.id = i.user_id "
		     "WHERE i.tenant_id = $1::uuid AND u.email = $2",
		     id_text(t.u), email, str_hex(world_arena(), hash.bytes, sizeof(hash.bytes)),
		     NULL);
	return token;
}

static struct answer accept_as(struct tenant_id t, const char *email, const char *password)
{
	struct caller visitor = on_tier(caller_nobody(), TIER_AUTH);

	return post(&visitor, strf("/invitations/%s/accept", invitation_token(t, email)),
		    strf("{\"password\":\"%s\"}", password));
}

Test(realms, have_people_of_their_own)
{
	struct person outside = person_sign_up();
	struct realm r = realm_make(outside.caller.email);
	const char *password = strf("another %s", new_word());
	struct answer a;

	a = answer_is(accept_as(r.tenant, r.owner, password), 200);
	cr_assert_str_neq(answer_text(a, "user.id"), id_text(outside.caller.account.u));

	/* each password opens its own realm alone */
	answer_is(try_log_in(r.owner, password, r.slug), 200);
	answer_is(try_log_in(r.owner, password, r.host), 200);
	answer_is(try_log_in(r.owner, password, id_text(r.tenant.u)), 200);
	answer_is_error(try_log_in(r.owner, password, NULL), 401, "AUTH_INVALID_CREDENTIALS", NULL);
	answer_is_error(try_log_in(r.owner, outside.password, r.slug), 401,
			"AUTH_INVALID_CREDENTIALS", NULL);
	answer_is(try_log_in(r.owner, outside.password, NULL), 200);
}

Test(realms, refuse_accounts_of_the_platform)
{
	struct person outside = person_sign_up();
	struct realm r = realm_make(outside.caller.email);
	struct answer a;

	a = post(&outside.caller, strf("/invitations/%s/join", invitation_token(r.tenant, r.owner)),
		 NULL);
	cr_assert(a.status == 403 || a.status == 404, "%d", a.status);
	cr_assert_eq(database_number("SELECT count(*) FROM users WHERE tenant_id = $1::uuid "
				     "AND account_id = $2::uuid",
				     id_text(r.tenant.u), id_text(outside.caller.account.u), NULL),
		     0);
}

/* Whatever statement it is: the table itself refuses. */
Test(realms, are_kept_by_the_table_of_seats)
{
	struct realm r = realm_make(strf("%s@example.com", new_word()));
	struct account_id a = account_make(NULL);

	cr_assert_str_eq(
		database_value("SELECT CASE WHEN realm_of_seat($1::uuid, false) = realm_id THEN "
			       "'same' ELSE 'other' END FROM accounts WHERE id = $2::uuid",
			       id_text(r.tenant.u), id_text(a.u), NULL),
		"other");
}

Test(realms, take_guests_whom_the_platform_invites)
{
	struct caller root = admin();
	struct person guest = person_sign_up();
	struct realm r = realm_make(strf("%s@example.com", new_word()));
	struct caller there;

	answer_is(post(&root, strf("/tenants/%s/invitations", id_text(r.tenant.u)),
		       strf("{\"email\":\"%s\",\"role\":\"admin\",\"isGuest\":true}",
			    guest.caller.email)),
		  204);
	answer_is(accept_as(r.tenant, guest.caller.email, guest.password), 200);
	there = naming(on_tier(guest.caller, TIER_API), r.tenant);
	answer_is(get(&there, "/users"), 200);
	answer_is_error(try_log_in(guest.caller.email, guest.password, r.slug), 401,
			"AUTH_INVALID_CREDENTIALS", NULL);
}

/* A reset that names no tenant is of the platform's account with that email. */
Test(realms, have_resets_of_their_own)
{
	struct person outside = person_sign_up();
	struct realm r = realm_make(outside.caller.email);
	const char *account;

	answer_is(accept_as(r.tenant, r.owner, strf("another %s", new_word())), 200);
	account = database_value("SELECT account_id FROM users WHERE tenant_id = $1::uuid",
				 id_text(r.tenant.u), NULL);
	cr_assert_str_eq(
		database_value("SELECT id FROM accounts WHERE realm_id = realm_of($1, NULL) "
			       "AND email = $2",
			       r.slug, r.owner, NULL),
		account);
	cr_assert_str_eq(database_value("SELECT id FROM accounts WHERE realm_id = "
					"realm_of(NULL, NULL) AND email = $1",
					r.owner, NULL),
			 id_text(outside.caller.account.u));
}

/* The same email has an account outside: what is asked for by mail is of the account that the
 * tenant's realm has. */
Test(realms, are_logged_in_to_and_reset_by_mail)
{
	struct person outside = person_sign_up();
	struct realm r = realm_make(outside.caller.email);
	struct caller visitor = on_tier(caller_nobody(), TIER_AUTH);
	const char *ask = strf("{\"email\":\"%s\",\"tenant\":\"%s\"}", r.owner, r.slug);
	const char *account, *password = strf("a third %s", new_word());
	struct answer a;

	a = answer_is(accept_as(r.tenant, r.owner, strf("another %s", new_word())), 200);
	account = strf("%s", answer_text(a, "user.id"));

	answer_is(post(&visitor, "/magic-link", ask), 202);
	a = answer_is(post(&visitor, "/magic-link/redeem",
			   strf("{\"token\":\"%s\",\"tenant\":\"%s\"}",
				mail_token(r.owner, "link to log in"), r.slug)),
		      200);
	cr_assert_str_eq(answer_text(a, "user.id"), account);
	cr_assert_str_eq(answer_text(a, "tenant.id"), id_text(r.tenant.u));

	answer_is(post(&visitor, "/password/forgot", ask), 202);
	answer_is(post(&visitor, "/password/reset",
		       strf("{\"token\":\"%s\",\"password\":\"%s\"}",
			    mail_token(r.owner, "Reset your password"), password)),
		  204);
	answer_is(try_log_in(r.owner, password, r.slug), 200);
	answer_is_error(try_log_in(r.owner, password, NULL), 401, "AUTH_INVALID_CREDENTIALS", NULL);
	answer_is(try_log_in(r.owner, outside.password, NULL), 200);
}

Test(realms, hosts_and_slugs_are_one_tenants)
{
	struct caller root = admin(), ann = caller(ROLE_OWNER);
	struct realm r = realm_make(strf("%s@example.com", new_word()));

	answer_is_error(patch(&root, strf("/tenants/%s", id_text(ann.tenant.u)),
			      strf("{\"host\":\"%s\"}", r.host)),
			409, "RESOURCE_CONFLICT", "host");
	answer_is_error(post(&root, "/tenants",
			     strf("{\"name\":\"x\",\"slug\":\"%s\",\"ownerEmail\":\"a@b.example\"}",
				  r.slug)),
			409, "RESOURCE_CONFLICT", "slug");
}

/*
 * Through a provider
 */

/* aim: what the start's query says of where to. */
static struct answer through_provider(const char *subject, const char *email, const char *aim)
{
	struct caller c = trip_browser();
	struct answer a = answer_is(get(&c, strf("/oauth/oidc?%s", aim)), 200);
	struct trip t = trip_of("oidc", answer_text(a, "url"), &a);

	return trip_end(&t, trip_query(&t, trip_code(&t, claims_of(subject, email), "")));
}

Test(realms, are_entered_through_a_provider_by_who_has_linked_it_there)
{
	const char *subject = new_word(), *email = new_email();
	struct realm r = realm_make(email);
	const char *aim = strf("tenant=%s", r.slug);
	struct answer inside =
		answer_is(accept_as(r.tenant, email, "a password of the realm"), 200);
	struct answer outside = answer_is(provider_log_in(subject, email), 200);
	struct caller owner = with_token(trip_browser(), answer_text(inside, "accessToken"));
	struct trip t;

	cr_assert_str_neq(answer_text(outside, "user.id"), answer_text(inside, "user.id"));
	answer_is_error(through_provider(subject, email, aim), 409, "RESOURCE_CONFLICT", NULL);

	/* the same identity, of one account in each realm */
	t = trip_begin_link(&owner, "oidc");
	answer_is(trip_end(&t, trip_query(&t, trip_code(&t, claims_of(subject, email), ""))), 302);
	inside = answer_is(through_provider(subject, email, aim), 200);
	cr_assert_str_eq(answer_text(inside, "tenant.id"), id_text(r.tenant.u));
	inside = answer_is(through_provider(subject, email, strf("tenant=%s", id_text(r.tenant.u))),
			   200);
	cr_assert_str_eq(answer_text(answer_is(provider_log_in(subject, email), 200), "user.id"),
			 answer_text(outside, "user.id"));
	cr_assert_str_neq(answer_text(inside, "user.id"), answer_text(outside, "user.id"));
}

Test(realms, take_invitations_through_a_provider)
{
	const char *subject = new_word(), *email = new_email();
	struct realm r = realm_make(email);
	const char *aim = strf("inviteToken=%s", invitation_token(r.tenant, email));
	struct caller visitor = trip_browser();
	struct answer a;

	answer_is_error(through_provider(new_word(), new_email(), aim), 403, "AUTH_FORBIDDEN",
			NULL);
	a = answer_is(through_provider(subject, email, aim), 200);
	cr_assert_str_eq(answer_text(a, "tenant.id"), id_text(r.tenant.u));
	cr_assert_str_eq(answer_text(a, "user.role"), "owner");
	cr_assert_eq(
		database_number("SELECT count(*) FROM accounts a JOIN tenants t USING (realm_id) "
				"WHERE a.email = $1 AND t.id = $2::uuid AND password_hash IS NULL",
				email, id_text(r.tenant.u), NULL),
		1);
	answer_is(through_provider(subject, email, strf("tenant=%s", r.host)), 200);
	answer_is_error(get(&visitor, strf("/oauth/oidc?%s", aim)), 404, "RESOURCE_NOT_FOUND",
			NULL);
}

Test(realms, of_the_platform_take_who_is_there_through_a_provider)
{
	const char *subject = new_word(), *email = new_email();
	struct caller ann = caller(ROLE_ADMIN);
	struct answer before = answer_is(provider_log_in(subject, email), 200), after;

	answer_is(post(&ann, "/users", strf("{\"email\":\"%s\"}", email)), 201);
	after = answer_is(
		through_provider(subject, email,
				 strf("inviteToken=%s", invitation_token(ann.tenant, email))),
		200);
	cr_assert_str_eq(answer_text(after, "user.id"), answer_text(before, "user.id"));
	cr_assert_str_eq(answer_text(after, "tenant.id"), id_text(ann.tenant.u));
}

Test(realms, are_closed_to_strangers_of_a_provider)
{
	const char *email = new_email();
	struct realm r = realm_make(new_email());
	struct caller ann = caller(ROLE_ADMIN), visitor = trip_browser();

	answer_is_error(through_provider(new_word(), email, strf("tenant=%s", r.slug)), 403,
			"AUTH_FORBIDDEN", NULL);
	answer_is_error(
		through_provider(new_word(), email, strf("tenant=%s", id_text(ann.tenant.u))), 403,
		"AUTH_FORBIDDEN", NULL);
	cr_assert_eq(accounts_of(email), 0);
	answer_is_error(get(&visitor, strf("/oauth/oidc?tenant=%s", new_word())), 404,
			"RESOURCE_NOT_FOUND", NULL);
}
