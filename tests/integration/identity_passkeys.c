/*
 * Passkeys with a device of our own (support/device.h): registering, logging in with and without a
 * password, stepping up, and whose they are. A real browser does the same in tests/e2e.
 */
#include "base/config.h"
#include "base/url.h"
#include "support/answer.h"
#include "support/caller.h"
#include "support/database.h"
#include "support/device.h"
#include "support/factories.h"
#include "support/person.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *base64url(struct str s)
{
	return str_base64url(world_arena(), s.ptr, s.len);
}

/* One of this site's people's, with a credential id like no other. */
static struct device device_new(void)
{
	struct device d;

	world();
	device_init(&d, world_arena(), -7);
	d.id = strf("%.8s", new_word() + 1);
	d.rp_id = str_dup(world_arena(), url_host(config()->app_url));
	d.origin = str_dup(world_arena(), url_origin(config()->app_url));
	return d;
}

/* Takes the challenge of these options. */
static struct answer listen(struct device *d, struct answer options)
{
	answer_is(options, 200);
	cr_assert(str_unbase64url(world_arena(), str_of(answer_text(options, "challenge")),
				  &d->challenge));
	return options;
}

static const char *attestation(const struct device *d)
{
	return strf("{\"credential\":{\"id\":\"%s\",\"type\":\"public-key\",\"response\":{"
		    "\"clientDataJSON\":\"%s\",\"attestationObject\":\"%s\","
		    "\"transports\":[\"internal\"]}}}",
		    base64url(str_of(d->id)), base64url(device_client_data(d, "webauthn.create")),
		    base64url(device_attestation(d)));
}

static const char *assertion(struct device *d, const char *mfa_token)
{
	struct str client = device_client_data(d, "webauthn.get"), data;
	const char *token = mfa_token ? strf("\"mfaToken\":\"%s\",", mfa_token) : "";

	d->sign_count++;
	data = device_authenticator_data(d, false);
	return strf("{%s\"credential\":{\"id\":\"%s\",\"response\":{\"clientDataJSON\":\"%s\","
		    "\"authenticatorData\":\"%s\",\"signature\":\"%s\"}}}",
		    token, base64url(str_of(d->id)), base64url(client), base64url(data),
		    base64url(device_sign(d, data, client)));
}

static struct answer add_passkey(const struct caller *c, struct device *d)
{
	listen(d, post(c, "/passkeys/register/options", NULL));
	return post(c, "/passkeys/register", attestation(d));
}

static struct answer log_in_by(struct device *d, const char *mfa_token)
{
	struct caller v = on_tier(caller_nobody(), TIER_AUTH);

	listen(d, post(&v, "/passkeys/login/options",
		       mfa_token ? strf("{\"mfaToken\":\"%s\"}", mfa_token) : "{}"));
	return post(&v, "/passkeys/login", assertion(d, mfa_token));
}

static const char *begin_log_in(const struct person *p)
{
	struct answer a = answer_is(try_log_in(p->caller.email, p->password, NULL), 200);

	cr_assert(answer_bool(a, "mfaRequired"));
	return strf("%s", answer_text(a, "mfaToken"));
}

Test(identity_passkeys, one_is_registered_named_and_removed)
{
	struct person ann = person_sign_up();
	struct device d = device_new();
	const char *path = strf("/passkeys/%s",
				answer_text(answer_is(add_passkey(&ann.caller, &d), 201), "id"));

	cr_assert(answer_bool(get(&ann.caller, "/mfa"), "enabled"));
	answer_is(patch(&ann.caller, path, "{\"name\":\"Ann's phone\"}"), 200);
	cr_assert_str_eq(answer_text(get(&ann.caller, "/passkeys"), "data.0.name"), "Ann's phone");
	answer_is(del(&ann.caller, path), 204);
	cr_assert_not(answer_bool(get(&ann.caller, "/mfa"), "enabled"));
	device_done(&d);
}

Test(identity_passkeys, a_credential_belongs_to_one_account)
{
	struct person ann = person_sign_up(), bob = person_sign_up();
	struct device d = device_new();
	const char *path = strf("/passkeys/%s",
				answer_text(answer_is(add_passkey(&ann.caller, &d), 201), "id"));

	answer_is_error(add_passkey(&bob.caller, &d), 409, "RESOURCE_CONFLICT", NULL);
	answer_is_error(patch(&bob.caller, path, "{\"name\":\"Mine\"}"), 404, "RESOURCE_NOT_FOUND",
			NULL);
	answer_is_error(del(&bob.caller, path), 404, "RESOURCE_NOT_FOUND", NULL);
	device_done(&d);
}

Test(identity_passkeys, one_is_both_factors_or_the_second)
{
	struct person ann = person_sign_up();
	struct device d = device_new();

	answer_is(add_passkey(&ann.caller, &d), 201);
	cr_assert_str_eq(answer_text(answer_is(log_in_by(&d, NULL), 200), "user.email"),
			 ann.caller.email);

	d.flags = 1; /* touched, by whom it does not know */
	answer_is_error(log_in_by(&d, NULL), 401, "AUTH_MFA_INVALID", NULL);
	cr_assert_str_eq(
		answer_text(answer_is(log_in_by(&d, begin_log_in(&ann)), 200), "user.email"),
		ann.caller.email);
	device_done(&d);
}

Test(identity_passkeys, somebody_elses_is_no_second_factor)
{
	struct person ann = person_sign_up(), bob = person_sign_up();
	struct device d = device_new(), e = device_new();

	answer_is(add_passkey(&ann.caller, &d), 201);
	answer_is(add_passkey(&bob.caller, &e), 201);
	answer_is_error(log_in_by(&e, begin_log_in(&ann)), 401, "AUTH_MFA_INVALID", NULL);
	device_done(&d);
	device_done(&e);
}

Test(identity_passkeys, a_challenge_is_answered_once_by_whom_it_was_made_for)
{
	struct person ann = person_sign_up();
	struct caller v = on_tier(caller_nobody(), TIER_AUTH);
	struct device d = device_new();
	const char *answer;

	answer_is(add_passkey(&ann.caller, &d), 201);
	listen(&d, post(&ann.caller, "/passkeys/step-up/options", NULL));
	answer_is_error(post(&v, "/passkeys/login", assertion(&d, NULL)), 401, "AUTH_MFA_INVALID",
			NULL);

	listen(&d, post(&v, "/passkeys/login/options", "{}"));
	answer = assertion(&d, NULL);
	answer_is(post(&v, "/passkeys/login", answer), 200);
	answer_is_error(post(&v, "/passkeys/login", answer), 401, "AUTH_MFA_INVALID", NULL);
	device_done(&d);
}

Test(identity_passkeys, a_copy_of_the_device_is_refused_and_noted)
{
	struct person ann = person_sign_up();
	struct device d = device_new();

	d.sign_count = 5;
	answer_is(add_passkey(&ann.caller, &d), 201);
	d.sign_count = 3;
	answer_is_error(log_in_by(&d, NULL), 401, "AUTH_MFA_INVALID", NULL);
	cr_assert_eq(database_number("SELECT count(*) FROM account_events WHERE account_id = "
				     "$1::uuid AND type = 'passkey.refused'",
				     id_text(ann.caller.account.u), NULL),
		     1);
	device_done(&d);
}

Test(identity_passkeys, a_page_of_another_origin_gets_nowhere)
{
	struct person ann = person_sign_up();
	struct device d = device_new();

	answer_is(add_passkey(&ann.caller, &d), 201);
	d.origin = "https://evil.example.com";
	answer_is_error(log_in_by(&d, NULL), 401, "AUTH_MFA_INVALID", NULL);
	device_done(&d);
}

Test(identity_passkeys, one_steps_up)
{
	struct person ann = person_sign_up();
	struct device d = device_new();

	answer_is(add_passkey(&ann.caller, &d), 201);
	database_run("UPDATE sessions SET mfa_at = now() - interval '16 minutes' "
		     "WHERE account_id = $1::uuid",
		     id_text(ann.caller.account.u), NULL);
	answer_is_error(post(&ann.caller, "/mfa/recovery-codes", NULL), 403, "AUTH_MFA_REQUIRED",
			NULL);
	listen(&d, post(&ann.caller, "/passkeys/step-up/options", NULL));
	answer_is(post(&ann.caller, "/passkeys/step-up", assertion(&d, NULL)), 204);
	answer_is(post(&ann.caller, "/mfa/recovery-codes", NULL), 200);
	device_done(&d);
}
