/*
 * GitHub, which speaks OAuth 2 alone: who it is says its API (docs.github.com, "Authorizing OAuth
 * apps", "Get the authenticated user", "List email addresses for the authenticated user"). GitHub
 * Enterprise Server is the same at other addresses.
 */
#include "identity/oauth_providers.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/jsonread.h"
#include "base/str.h"
#include "net/fetch.h"

static int find_authorization(struct ctx *c, const struct oauth_provider *p, const char **ret)
{
	*ret = arena_printf(c->arena, "%s/login/oauth/authorize", p->issuer);

	return OK;
}

/* It has no issuer to name: the address that it comes back to is its own. */
static int check_issuer(UNUSED struct ctx *c, UNUSED const struct oauth_provider *p,
			UNUSED const char *issuer)
{
	return OK;
}

/* Its refusals come with status 200 (docs.github.com, "Troubleshooting OAuth app access token
 * request errors"); what is not a person's to mend, such as incorrect_client_credentials, is the
 * admin's. */
static int change_code(struct ctx *c, const struct oauth_provider *p, const struct oauth_code *code,
		       const char **ret_token)
{
	const struct json *said = NULL;
	const char *error;
	int status = 0, err;

	err = oauth_ask(
		c,
		&(struct fetch){
			.url = arena_printf(c->arena, "%s/login/oauth/access_token", p->issuer),
			.headers = { "Accept: application/json" },
			.body = fetch_form(
				c, (const char *const[][2]){ { "client_id", p->client_id },
							     { "client_secret", p->client_secret },
							     { "code", code->code },
							     { "redirect_uri", code->redirect_uri },
							     { "code_verifier", code->verifier },
							     { 0 } }) },
		&status, &said);
	if (err)
		return err;
	error = oauth_text(said, "error");
	if (error && strcmp(error, "bad_verification_code") == 0)
		return oauth_refuse_code(c, oauth_text(said, "error_description"));
	if (error && strcmp(error, "unverified_user_email") == 0)
		return fail(c, ERR_AUTH_EMAIL_UNVERIFIED, NULL,
			    "Verify your primary email at GitHub first");
	*ret_token = oauth_text(said, "access_token");
	if (status != 200 || error || !*ret_token)
		return oauth_disbelieve(c, p, error ? error : "it gave no access token");

	return OK;
}

static int ask_api(struct ctx *c, const struct oauth_provider *p, const char *path,
		   const char *token, const struct json **ret)
{
	int status = 0, err;

	err = oauth_ask(
		c,
		&(struct fetch){
			.url = arena_printf(c->arena, "%s%s", config()->oauth_github_api_url, path),
			.headers = { "Accept: application/vnd.github+json",
				     "X-GitHub-Api-Version: 2022-11-28",
				     arena_printf(c->arena, "Authorization: Bearer %s", token) } },
		&status, ret);
	if (!err && status != 200)
		err = oauth_disbelieve(c, p,
				       arena_printf(c->arena, "%s answered %d", path, status));

	return err;
}

/* The one that is both primary and verified. */
static const char *email_of(struct ctx *c, const struct json *emails)
{
	for (size_t i = 0; json_kind(emails) == JSON_ARRAY && i < jsonread_len(emails); i++) {
		const struct json *one = jsonread_at(emails, i);

		if (json_kind(one) == JSON_OBJECT && oauth_is_true(one, "primary") &&
		    oauth_is_true(one, "verified"))
			return oauth_email(c, oauth_text(one, "email"));
	}

	return NULL;
}

/* Its id, which stays when its login changes. */
static bool read_subject(struct ctx *c, const struct json *user, const char **ret)
{
	const struct json *id;
	int64_t number;

	if (json_kind(user) != JSON_OBJECT || !jsonread_member(user, "id", &id) ||
	    json_kind(id) != JSON_INT || !jsonread_i64(id, &number))
		return false;
	*ret = arena_printf(c->arena, "%lld", (long long)number);

	return true;
}

/* "Ann van Example": the first word, and the rest. */
static void read_name(struct ctx *c, const struct json *user, struct oauth_person *ret)
{
	struct str rest = str_trim(str_of(oauth_text(user, "name")));
	struct str first = str_cut(&rest, ' ');

	if (first.len > 0)
		ret->first_name = str_dup(c->arena, first);
	rest = str_trim(rest);
	if (rest.len > 0)
		ret->last_name = str_dup(c->arena, rest);
}

static int identify(struct ctx *c, const struct oauth_provider *p, const struct oauth_code *code,
		    struct oauth_person *ret)
{
	const struct json *user, *emails;
	const char *token = NULL;
	int err;

	err = change_code(c, p, code, &token);
	if (!err)
		err = ask_api(c, p, "/user", token, &user);
	if (!err)
		err = ask_api(c, p, "/user/emails?per_page=100", token, &emails);
	if (err)
		return err;

	*ret = (struct oauth_person){ .email = email_of(c, emails) };
	if (!read_subject(c, user, &ret->subject))
		return oauth_disbelieve(c, p, "its user has no id");
	read_name(c, user, ret);

	return OK;
}

const struct oauth_speech oauth_github = {
	.find_authorization = find_authorization,
	.check_issuer = check_issuer,
	.identify = identify,
};
