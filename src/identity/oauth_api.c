/*
 * Logging in through another provider, over HTTP. Who asks for a page (Accept: text/html) is a
 * browser on its way, and is sent on by redirects, failures too; everybody else gets JSON.
 */
#include "identity/identity.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/err.h"
#include "http/api.h"
#include "identity/credential.h"
#include "identity/device.h"
#include "identity/grant_reply.h"
#include "identity/oauth.h"
#include "identity/oauth_providers.h"

/* __Host-: see SESSION_COOKIE. Lax, so that it comes along when the provider sends the browser
 * back. */
#define BROWSER_COOKIE "__Host-zygo_oauth"

/* Where the dashboard learns what a redirect cannot show. */
#define CALLBACK_PAGE "/auth/callback"

/*
 * Shapes
 */

/* clang-format off */
static const struct field provider_fields[] = {
	{ "name", T_SLUG, REQUIRED, .about = "What it is called in addresses", .example = "google" },
	{ "title", T_STRING, REQUIRED, .max = 100, .about = "For its button", .example = "Google" },
};
static const struct shape provider_shape = REPLY_SHAPE("OAuthProvider", provider_fields);
static const struct field provider = { .type = T_OBJECT, .shape = &provider_shape, .about = "One that is on" };
static const struct field providers_fields[] = {
	{ "data", T_ARRAY, REQUIRED, .of = &provider, .about = "Those that are on; may be none" },
};
static const struct shape providers_shape = REPLY_SHAPE("OAuthProviders", providers_fields);

#define REDIRECT \
	{ "redirect", T_STRING, OPTIONAL, offsetof(struct oauth_start, redirect), .min = 1, .max = 1000, .pattern = "localPath", \
	  .about = "Where in the dashboard (APP_URL) to go then: a path, with its query; / if absent", .example = "/projects" }

static const struct field start_fields[] = {
	REDIRECT,
	{ "tenant", T_STRING, OPTIONAL, offsetof(struct oauth_start, tenant), .min = 1, .max = 253,
	  .about = "Slug, host name or id of the tenant to work in; the one used last if absent", .example = "blue" },
	{ "inviteToken", T_STRING, OPTIONAL, offsetof(struct oauth_start, invite_token), .min = 1, .max = 128, .pattern = "token", .secret = true,
	  .about = "Of an invitation to the email that the provider has verified: accepts it" },
};
static const struct shape start_query = SHAPE("OAuthStart", struct oauth_start, start_fields);
static const struct field link_fields[] = { REDIRECT };
static const struct shape link_body = SHAPE("OAuthLink", struct oauth_start, link_fields);

static const struct field started_fields[] = {
	{ "url", T_URI, REQUIRED, .about = "At the provider: where the browser goes now", .example = "https://accounts.google.com/o/oauth2/v2/auth?client_id=…" },
};
static const struct shape started_shape = REPLY_SHAPE("OAuthStarted", started_fields);

/* What is missing is refused like what is wrong: none of it is for a person to mend. */
static const struct field return_fields[] = {
	{ "state", T_STRING, OPTIONAL, offsetof(struct oauth_return, state), .max = 128, .secret = true, .about = "As it was sent there" },
	{ "code", T_STRING, OPTIONAL, offsetof(struct oauth_return, code), .max = 4096, .secret = true, .about = "What the provider gives for who it is" },
	{ "error", T_STRING, OPTIONAL, offsetof(struct oauth_return, error), .max = 200, .about = "Why it gives none (RFC 6749 section 4.1.2.1)" },
	{ "iss", T_STRING, OPTIONAL, offsetof(struct oauth_return, issuer), .max = 2000, .about = "Who it is (RFC 9207)" },
};
static const struct shape return_query = SHAPE("OAuthReturn", struct oauth_return, return_fields);

static const struct field identity_fields[] = {
	{ "id", T_UUID, REQUIRED, .about = "For unlinking it", .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e92" },
	{ "provider", T_SLUG, REQUIRED, .about = "Whose", .example = "google" },
	{ "email", T_STRING, NULLABLE, .max = 255, .about = "As the provider said it last", .example = "ann@example.com" },
	{ "createdAt", T_DATETIME, REQUIRED, .about = "When it was linked", .example = "2026-01-31T12:00:00.000Z" },
	{ "lastUsedAt", T_DATETIME, REQUIRED, .about = "When it was last logged in with", .example = "2026-01-31T12:00:00.000Z" },
};
static const struct shape identity = REPLY_SHAPE("OAuthIdentity", identity_fields);
/* clang-format on */

/*
 * Browsers
 */

static bool is_page(const struct request *r)
{
	const char *accept = request_header(r, "ACCEPT");

	return accept && strstr(accept, "text/html");
}

/* What a page that a browser opens answers to a failure. */
static bool send_failure(struct request *r)
{
	const struct ctx *c = r->ctx;

	if (!is_page(r))
		return false;
	(void)reply_redirect(r, arena_printf(c->arena, "%s" CALLBACK_PAGE "?error=%s&requestId=%s",
					     config()->app_url, err_info(c->fault.err)->code,
					     c->request_id));

	return true;
}

static const char *browser_of(struct request *r)
{
	struct str cookie = request_cookie(r, BROWSER_COOKIE);

	return cookie.ptr ? str_dup(r->ctx->arena, cookie) : NULL;
}

static void set_browser(struct request *r, const char *value)
{
	reply_header(r, "Set-Cookie",
		     arena_printf(r->ctx->arena,
				  BROWSER_COOKIE
				  "=%s; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=%d",
				  value, OAUTH_WAIT_S));
}

/*
 * Handlers
 */

static int list_providers(struct request *r)
{
	struct oauth_provider p;
	struct jsonwrite w;

	reply_begin(r, &w);
	jsonwrite_key(&w, "data");
	jsonwrite_array(&w);
	for (size_t i = 0; oauth_provider_at(i, &p); i++) {
		jsonwrite_object(&w);
		jsonwrite_member_text(&w, "name", p.name);
		jsonwrite_member_text(&w, "title", p.title);
		jsonwrite_object_end(&w);
	}
	jsonwrite_array_end(&w);

	return reply_end(r, &w);
}

static int begin(struct request *r, const struct oauth_start *given, bool is_link)
{
	struct oauth_start in = *given;
	struct oauth_started started;
	struct jsonwrite w;
	int err;

	in.provider = request_param(r, "provider");
	in.browser = browser_of(r);
	in.is_link = is_link;
	err = oauth_begin(r->ctx, &in, &started);
	if (err)
		return err;
	set_browser(r, started.browser);
	if (!is_link && is_page(r))
		return reply_redirect(r, started.url);

	reply_begin(r, &w);
	jsonwrite_member_text(&w, "url", started.url);

	return reply_end(r, &w);
}

static int start(struct request *r)
{
	return begin(r, r->query, false);
}

static int start_link(struct request *r)
{
	return begin(r, r->body, true);
}

/* The fragment stays in the browser: no server's log has the token. */
static int ask_second_factor(struct request *r, const struct oauth_finished *f)
{
	return reply_redirect(r, arena_printf(r->ctx->arena, "%s" CALLBACK_PAGE "#mfaToken=%s",
					      config()->app_url, f->grant.mfa_token));
}

static int finish(struct request *r)
{
	struct oauth_finished f;
	int err;

	err = oauth_finish(r->ctx, request_param(r, "provider"), browser_of(r), r->query,
			   device_of(r), &f);
	if (err)
		return err;
	if (!f.is_link && !is_page(r))
		return grant_reply(r, &f.grant);
	if (f.grant.mfa_token)
		return ask_second_factor(r, &f);

	if (!f.is_link)
		reply_header(
			r, "Set-Cookie",
			session_cookie(r->ctx->arena, f.grant.cookie, f.grant.cookie_max_age_s));
	return reply_redirect(r,
			      arena_printf(r->ctx->arena, "%s%s", config()->app_url, f.redirect));
}

static int list_identities(struct request *r, const struct rows **ret)
{
	return oauth_identities(r->ctx, ret);
}

static int unlink_identity(struct request *r)
{
	return oauth_unlink(r->ctx, request_id_param(r, "id"));
}

/*
 * Rows
 */

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/oauth/providers", TIER_AUTH, PERM_PUBLIC, RATE_READ,
	  .reply = &providers_shape,
	  .summary = "List providers", .about = "Those one may log in through here", .handle = list_providers },

	{ GET, "/oauth/identities", TIER_AUTH, PERM_ACCOUNT, RATE_READ,
	  .reply = &identity,
	  .summary = "List my identities", .about = "At providers, by which one logs in to this account; at most 100", .all = list_identities },

	{ DELETE, "/oauth/identities/:id", TIER_AUTH, PERM_ACCOUNT, RATE_WRITE, .flags = ROUTE_STEP_UP,
	  .errors = ERRORS(ERR_RESOURCE_NOT_FOUND, ERR_RULE_VIOLATED),
	  .summary = "Unlink an identity", .about = "Not the last way to log in", .none = unlink_identity },

	{ GET, "/oauth/:provider", TIER_AUTH, PERM_PUBLIC, RATE_AUTH,
	  .query = &start_query, .reply = &started_shape, .flags = ROUTE_SLOW | ROUTE_NO_STORE,
	  .errors = ERRORS(ERR_RESOURCE_NOT_FOUND, ERR_BAD_GATEWAY, ERR_GATEWAY_TIMEOUT),
	  .summary = "Log in through a provider", .about = "A browser that opens it (Accept: text/html) is sent there; others are told where. "
	  "Sets a cookie that binds what follows to this browser. A tenant with its own realm has to be named",
	  .handle = start, .failed = send_failure },

	{ POST, "/oauth/:provider/link", TIER_AUTH, PERM_ACCOUNT, RATE_AUTH,
	  .body = &link_body, .reply = &started_shape, .flags = ROUTE_SLOW | ROUTE_NO_STORE | ROUTE_STEP_UP | ROUTE_RECENT,
	  .errors = ERRORS(ERR_RESOURCE_NOT_FOUND, ERR_BAD_GATEWAY, ERR_GATEWAY_TIMEOUT),
	  .summary = "Link a provider", .about = "Whoever logs in at this URL then, in this browser, may log in to this account from there on",
	  .handle = start_link },

	{ GET, "/oauth/:provider/callback", TIER_AUTH, PERM_PUBLIC, RATE_AUTH,
	  .query = &return_query, .reply = &login_shape, .flags = ROUTE_SLOW | ROUTE_NO_STORE,
	  .errors = ERRORS(ERR_RESOURCE_NOT_FOUND, ERR_BAD_GATEWAY, ERR_GATEWAY_TIMEOUT, ERR_AUTH_TOKEN_EXPIRED, ERR_AUTH_FORBIDDEN,
			   ERR_AUTH_EMAIL_UNVERIFIED, ERR_RESOURCE_CONFLICT),
	  .summary = "Come back from a provider", .about = "Where the provider sends the browser, which is sent on: with the session's cookie to "
	  "APP_URL and the path it began with; to /auth/callback#mfaToken=… where a second factor is wanted; to /auth/callback?error=… when it "
	  "failed. Others get JSON", .handle = finish, .failed = send_failure },

	{ 0 },
};
/* clang-format on */

const struct mount oauth_mount = {
	"OAuth", routes, oauth_conflicts,
	"Logging in through Google, GitHub or an OpenID Connect issuer"
};
