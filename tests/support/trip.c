/* Everything that a browser does between Zygo and a provider. */
#include "support/trip.h"

#include "base/config.h"
#include "base/str.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

const char *oidc_issuer(void)
{
	return config()->oauth_oidc_issuer;
}

const char *url_parameter(const char *url, const char *name)
{
	struct str rest = str_of(strchr(url, '?') + 1), value;

	for (struct str part = str_cut(&rest, '&'); part.ptr; part = str_cut(&rest, '&')) {
		if (str_is(str_cut(&part, '='), name)) {
			cr_assert(str_percent_decode(world_arena(), part, false, &value));
			return value.ptr;
		}
	}
	return NULL;
}

/*
 * On the way
 */

struct caller trip_browser(void)
{
	return on_tier(caller_nobody(), TIER_AUTH);
}

/* The name and value of the binding cookie that an answer sets. */
static const char *binding_of(const struct answer *a)
{
	const char *set = answer_header(a, "Set-Cookie");

	cr_assert(set && str_starts(str_of(set), "__Host-zygo_oauth="), "%s", set);
	cr_assert(strstr(set, "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600"), "%s", set);
	return strf("%.*s", (int)strcspn(set, ";"), set);
}

struct trip trip_of(const char *provider, const char *url, const struct answer *a)
{
	return (struct trip){ provider, binding_of(a), url_parameter(url, "state"),
			      url_parameter(url, "nonce"), url_parameter(url, "code_challenge") };
}

struct trip trip_begin_at(const struct caller *c, const char *provider)
{
	struct answer a = answer_is(get(c, strf("/oauth/%s", provider)), 200);

	return trip_of(provider, answer_text(a, "url"), &a);
}

struct trip trip_begin(const char *provider)
{
	struct caller c = trip_browser();

	return trip_begin_at(&c, provider);
}

struct trip trip_begin_link(const struct caller *c, const char *provider)
{
	struct answer a = answer_is(post(c, strf("/oauth/%s/link", provider), NULL), 200);

	return trip_of(provider, answer_text(a, "url"), &a);
}

/*
 * Coming back
 */

struct answer trip_end_as(const struct caller *c, const struct trip *t, const char *query,
			  const char *accept)
{
	return answer_to(&(struct ask){
		.method = "GET",
		.path = strf("/api/auth/oauth/%s/callback?%s", t->provider, query),
		.caller = c,
		.headers = { strf("Cookie: %s", t->cookie), strf("Accept: %s", accept) },
	});
}

struct answer trip_end(const struct trip *t, const char *query)
{
	struct caller c = trip_browser();

	return trip_end_as(&c, t, query, "application/json");
}

const char *code_text(const char *json)
{
	return str_base64url(world_arena(), json, strlen(json));
}

const char *trip_query(const struct trip *t, const char *code)
{
	return strf("state=%s&code=%s&iss=%s", t->state, code_text(code), oidc_issuer());
}

const char *trip_code(const struct trip *t, const char *claims, const char *more)
{
	return strf("{\"challenge\":\"%s\"%s,\"claims\":{\"nonce\":\"%s\",%s}}", t->challenge, more,
		    t->nonce, claims);
}

const char *claims_of(const char *subject, const char *email)
{
	return strf("\"sub\":\"%s\",\"email\":\"%s\",\"email_verified\":true,"
		    "\"given_name\":\"Ann\",\"family_name\":\"Example\"",
		    subject, email);
}

struct answer provider_log_in(const char *subject, const char *email)
{
	struct trip t = trip_begin("oidc");

	return trip_end(&t, trip_query(&t, trip_code(&t, claims_of(subject, email), "")));
}

/*
 * Looking
 */

const char *new_email(void)
{
	return strf("%s@example.com", new_word());
}

int64_t accounts_of(const char *email)
{
	return database_number("SELECT count(*) FROM accounts WHERE email = $1", email, NULL);
}

int64_t identities_of(struct account_id a)
{
	return database_number("SELECT count(*) FROM oauth_identities WHERE account_id = $1::uuid",
			       id_text(a.u), NULL);
}
