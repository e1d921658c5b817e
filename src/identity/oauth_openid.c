/*
 * Providers that speak OpenID Connect: where they are is read from their document (Discovery 1.0),
 * who it is from a signed ID token (Core 1.0 section 3.1.3.7, crypto/idtoken.h), and the email,
 * where that does not say it, from their userinfo.
 */
#include "identity/oauth_providers.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/jsonread.h"
#include "base/str.h"
#include "crypto/idtoken.h"
#include "net/fetch.h"

/* What the document says, in the ctx's arena. */
struct metadata {
	const char *issuer; /* as its tokens spell it */
	const char *authorization_endpoint, *token_endpoint, *userinfo_endpoint, *jwks_uri;
	bool says_issuer; /* answers carry iss */
	bool takes_basic; /* the client's secret goes into a header, else into the form */
};

static const char *copy(struct ctx *c, const struct json *document, const char *name)
{
	return arena_strdup(c->arena, oauth_text(document, name));
}

/* Equal but for a slash at the end, which settings do not keep. */
static bool is_same_issuer(const char *said, const char *configured)
{
	struct str s = str_of(said), wanted = str_of(configured);

	if (str_ends(s, "/"))
		s.len--;
	if (str_ends(wanted, "/"))
		wanted.len--;

	return s.len > 0 && str_eq(s, wanted);
}

/* In clear only where the issuer itself is; what may be called so is the guard's affair. */
static bool is_safe(const char *url, const char *issuer)
{
	struct str s = str_of(url);

	return str_starts(s, "https://") ||
	       (str_starts(s, "http://") && str_starts(str_of(issuer), "http://"));
}

static bool has(const struct json *document, const char *name, const char *word)
{
	const struct json *list;

	if (!jsonread_member(document, name, &list) || json_kind(list) != JSON_ARRAY)
		return false;
	for (size_t i = 0; i < jsonread_len(list); i++) {
		const struct json *one = jsonread_at(list, i);

		if (json_kind(one) == JSON_STRING && str_is(jsonread_string(one), word))
			return true;
	}

	return false;
}

static void read_metadata(struct ctx *c, const struct json *document, struct metadata *ret)
{
	const struct json *j;

	*ret = (struct metadata){
		.issuer = copy(c, document, "issuer"),
		.authorization_endpoint = copy(c, document, "authorization_endpoint"),
		.token_endpoint = copy(c, document, "token_endpoint"),
		.userinfo_endpoint = copy(c, document, "userinfo_endpoint"),
		.jwks_uri = copy(c, document, "jwks_uri"),
		.takes_basic =
			has(document, "token_endpoint_auth_methods_supported",
			    "client_secret_basic") ||
			!jsonread_member(document, "token_endpoint_auth_methods_supported", &j),
	};
	ret->says_issuer =
		oauth_is_true(document, "authorization_response_iss_parameter_supported");
}

/* Another issuer's document would be another issuer's people (Discovery 1.0 section 4.3). */
static int discover(struct ctx *c, const struct oauth_provider *p, struct metadata *ret)
{
	const char *url = arena_printf(c->arena, "%s%s.well-known/openid-configuration", p->issuer,
				       str_ends(str_of(p->issuer), "/") ? "" : "/");
	const struct json *document = NULL;
	int err;

	err = oauth_document(c, url, false, &document);
	if (err)
		return err;
	if (json_kind(document) != JSON_OBJECT)
		return oauth_disbelieve(c, p, "its document is no object");
	read_metadata(c, document, ret);
	if (!is_same_issuer(ret->issuer, p->issuer))
		return oauth_disbelieve(c, p, "its document names another issuer");
	if (!is_safe(ret->authorization_endpoint, p->issuer) ||
	    !is_safe(ret->token_endpoint, p->issuer) || !is_safe(ret->jwks_uri, p->issuer) ||
	    (ret->userinfo_endpoint && !is_safe(ret->userinfo_endpoint, p->issuer)))
		return oauth_disbelieve(c, p, "its document lacks an https endpoint");

	return OK;
}

static int find_authorization(struct ctx *c, const struct oauth_provider *p, const char **ret)
{
	struct metadata m = { 0 };
	int err;

	err = discover(c, p, &m);
	if (!err)
		*ret = m.authorization_endpoint;

	return err;
}

static int check_issuer(struct ctx *c, const struct oauth_provider *p, const char *issuer)
{
	struct metadata m = { 0 };
	int err;

	err = discover(c, p, &m);
	if (err)
		return err;
	if (issuer ? !str_eq(str_of(issuer), str_of(m.issuer)) : m.says_issuer)
		return oauth_disbelieve(c, p, "the answer came from another issuer");

	return OK;
}

/*
 * Who it is
 */

/* The client says who it is as the provider likes it (RFC 6749 section 2.3.1). */
static int ask_tokens(struct ctx *c, const struct oauth_provider *p, const struct metadata *m,
		      const struct oauth_code *code, int *ret_status, const struct json **ret)
{
	bool by_header = p->client_secret && m->takes_basic;
	struct fetch f = {
		.url = m->token_endpoint,
		.headers = { "Accept: application/json" },
		.body = fetch_form(c,
				   (const char *const[][2]){
					   { "grant_type", "authorization_code" },
					   { "code", code->code },
					   { "redirect_uri", code->redirect_uri },
					   { "code_verifier", code->verifier },
					   { "client_id", by_header ? NULL : p->client_id },
					   { "client_secret", by_header ? NULL : p->client_secret },
					   { 0 } }),
	};

	if (by_header) {
		f.user = fetch_escape(c, p->client_id);
		f.password = fetch_escape(c, p->client_secret);
	}

	return oauth_ask(c, &f, ret_status, ret);
}

static int change_code(struct ctx *c, const struct oauth_provider *p, const struct metadata *m,
		       const struct oauth_code *code, const struct json **ret)
{
	const char *error;
	int status = 0, err;

	err = ask_tokens(c, p, m, code, &status, ret);
	if (err)
		return err;
	error = oauth_text(*ret, "error");
	if (error && strcmp(error, "invalid_grant") == 0)
		return oauth_refuse_code(c, oauth_text(*ret, "error_description"));
	if (status != 200 || !oauth_text(*ret, "id_token"))
		return oauth_disbelieve(c, p, error ? error : "it gave no ID token");

	return OK;
}

/* A key that is not in the set may be newer than the copy of it. */
static int read_id_token(struct ctx *c, const struct oauth_provider *p, const struct metadata *m,
			 const char *nonce, const char *token, struct id_token *ret)
{
	const struct id_token_wanted wanted = { m->issuer, p->client_id, nonce,
						clock_now_us() / US_PER_S };
	enum id_token_outcome outcome = ID_TOKEN_UNKNOWN_KEY;
	const struct json *jwks = NULL;
	const char *why = NULL;
	int err;

	for (int anew = 0; anew < 2 && outcome == ID_TOKEN_UNKNOWN_KEY; anew++) {
		err = oauth_document(c, m->jwks_uri, anew, &jwks);
		if (err)
			return err;
		outcome = id_token_read(c->arena, str_of(token), jwks, &wanted, ret, &why);
	}

	return outcome == ID_TOKEN_GOOD ? OK : oauth_disbelieve(c, p, why);
}

/* It is about the same person, or it is not believed (Core 1.0 section 5.3.2). */
static int ask_userinfo(struct ctx *c, const struct oauth_provider *p, const struct metadata *m,
			const char *access_token, struct id_token *ret)
{
	const struct json *said = NULL;
	const char *subject;
	int status = 0, err;

	err = oauth_ask(
		c,
		&(struct fetch){ .url = m->userinfo_endpoint,
				 .headers = { "Accept: application/json",
					      arena_printf(c->arena, "Authorization: Bearer %s",
							   access_token) } },
		&status, &said);
	if (err)
		return err;
	subject = oauth_text(said, "sub");
	if (status != 200 || !subject || strcmp(subject, ret->subject) != 0)
		return oauth_disbelieve(c, p, "its userinfo is about somebody else");

	ret->email = oauth_text(said, "email");
	ret->email_verified = oauth_is_true(said, "email_verified");
	ret->given_name = ret->given_name ? ret->given_name : oauth_text(said, "given_name");
	ret->family_name = ret->family_name ? ret->family_name : oauth_text(said, "family_name");

	return OK;
}

static int identify(struct ctx *c, const struct oauth_provider *p, const struct oauth_code *code,
		    struct oauth_person *ret)
{
	const char *access_token;
	const struct json *tokens = NULL;
	struct id_token said = { 0 };
	struct metadata m = { 0 };
	int err;

	err = discover(c, p, &m);
	if (!err)
		err = change_code(c, p, &m, code, &tokens);
	if (!err)
		err = read_id_token(c, p, &m, code->nonce, oauth_text(tokens, "id_token"), &said);
	if (err)
		return err;

	access_token = oauth_text(tokens, "access_token");
	if (!said.email && m.userinfo_endpoint && access_token) {
		err = ask_userinfo(c, p, &m, access_token, &said);
		if (err)
			return err;
	}
	*ret = (struct oauth_person){
		.subject = said.subject,
		.email = said.email_verified ? oauth_email(c, said.email) : NULL,
		.first_name = said.given_name,
		.last_name = said.family_name,
	};

	return OK;
}

const struct oauth_speech oauth_openid = {
	.has_nonce = true,
	.find_authorization = find_authorization,
	.check_issuer = check_issuer,
	.identify = identify,
};
