/* The table of providers, and asking them: see oauth_providers.h. */
#include "identity/oauth_providers.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/jsonread.h"
#include "base/str.h"
#include "net/fetch.h"
#include "net/mail.h"

#define SETTING(name) offsetof(struct config, name)

/* Texts that stand here, or else in the setting named beside them. */
/* clang-format off */
static const struct row {
	const char *name, *title, *issuer;
	size_t name_of, title_of, issuer_of;
	size_t client_id, client_secret;
	const char *scope;
	const struct oauth_speech *speech;
} rows[] = {
	{ .name = "google", .title = "Google", .issuer = "https://accounts.google.com",
	  .client_id = SETTING(oauth_google_client_id), .client_secret = SETTING(oauth_google_client_secret),
	  .scope = "openid email profile", .speech = &oauth_openid },

	{ .name = "github", .title = "GitHub", .issuer_of = SETTING(oauth_github_url),
	  .client_id = SETTING(oauth_github_client_id), .client_secret = SETTING(oauth_github_client_secret),
	  .scope = "read:user user:email", .speech = &oauth_github },

	{ .name_of = SETTING(oauth_oidc_name), .title_of = SETTING(oauth_oidc_title), .issuer_of = SETTING(oauth_oidc_issuer),
	  .client_id = SETTING(oauth_oidc_client_id), .client_secret = SETTING(oauth_oidc_client_secret),
	  .scope = "openid email profile", .speech = &oauth_openid },
};
/* clang-format on */

static const char *setting(size_t offset)
{
	return *(const char *const *)((const char *)config() + offset);
}

static const char *text(const char *fixed, size_t offset)
{
	return fixed ? fixed : setting(offset);
}

bool oauth_provider_at(size_t i, struct oauth_provider *ret)
{
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		const struct row *r = &rows[k];

		if (!setting(r->client_id) || i-- > 0)
			continue;
		*ret = (struct oauth_provider){
			.name = text(r->name, r->name_of),
			.title = text(r->title, r->title_of),
			.issuer = text(r->issuer, r->issuer_of),
			.client_id = setting(r->client_id),
			.client_secret = setting(r->client_secret),
			.scope = r->scope,
			.speech = r->speech,
		};
		return true;
	}

	return false;
}

struct arg oauth_issuers(struct ctx *c)
{
	struct str *issuers = arena_make_n(c->arena, struct str, ARRAY_LEN(rows));
	struct oauth_provider p;
	size_t n = 0;

	for (; oauth_provider_at(n, &p); n++)
		issuers[n] = str_of(p.issuer);

	return arg_text_array(issuers, n);
}

int oauth_provider_find(struct ctx *c, const char *name, struct oauth_provider *ret)
{
	for (size_t i = 0; oauth_provider_at(i, ret); i++)
		if (strcmp(ret->name, name) == 0)
			return OK;

	return fail(c, ERR_RESOURCE_NOT_FOUND, NULL, "Provider not found");
}

/*
 * Asking
 */

int oauth_cannot_ask(struct ctx *c, const char *url, const char *why)
{
	int err = fail(c, ERR_BAD_GATEWAY, NULL, "The provider could not be asked; try again");

	errdetail_log(c, "%s: %s", url, why);

	return err;
}

/* An address that may not be called is the provider's or the admin's mistake, not the caller's. */
int oauth_fetch(struct ctx *c, const struct fetch *f, struct fetched *ret)
{
	const char *why;
	int err;

	err = fetch(c, f, ret);
	if (err != ERR_VALIDATION_ERROR)
		return err;
	why = c->fault.message;
	c->fault = (struct fault){ 0 };

	return oauth_cannot_ask(c, f->url, why);
}

int oauth_ask(struct ctx *c, const struct fetch *f, int *ret_status, const struct json **ret)
{
	struct fetched got;
	const char *why;
	size_t at;
	int err;

	arena_holds_secret(c->arena);
	err = oauth_fetch(c, f, &got);
	if (err)
		return err;
	if (!jsonread_parse(c->arena, got.body, ret, &why, &at))
		return oauth_cannot_ask(c, f->url, why);
	*ret_status = got.status;

	return OK;
}

int oauth_disbelieve(struct ctx *c, const struct oauth_provider *p, const char *why)
{
	int err =
		fail(c, ERR_BAD_GATEWAY, NULL, "What the provider has answered cannot be believed");

	errdetail_log(c, "%s (%s): %s", p->name, p->issuer, why);

	return err;
}

int oauth_refuse_code(struct ctx *c, const char *why)
{
	int err = fail(c, ERR_AUTH_TOKEN_EXPIRED, NULL,
		       "The provider's code is used up or over: begin again");

	errdetail_log(c, "%s", why ? why : "no reason given");

	return err;
}

const char *oauth_text(const struct json *object, const char *name)
{
	return json_kind(object) == JSON_OBJECT ? jsonread_member_text(object, name).ptr : NULL;
}

bool oauth_is_true(const struct json *object, const char *name)
{
	const struct json *j;

	return jsonread_member(object, name, &j) && json_kind(j) == JSON_BOOL && jsonread_bool(j);
}

const char *oauth_email(struct ctx *c, const char *email)
{
	return email && mail_is_address(email) ? str_lower(c->arena, str_of(email)) : NULL;
}
