/* The table of providers, and asking them: see oauth_providers.h. */
#include "identity/oauth_providers.h"

#include "base/arena.h"
#include "base/clock.h"
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

static int cannot_ask(struct ctx *c, const char *url, const char *why)
{
	int err = fail(c, ERR_BAD_GATEWAY, NULL, "The provider could not be asked; try again");

	errdetail_log(c, "%s: %s", url, why);

	return err;
}

/* An address that may not be called is the provider's or the admin's mistake, not the caller's. */
static int ask(struct ctx *c, const struct fetch *f, struct fetched *ret)
{
	const char *why;
	int err;

	err = fetch(c, f, ret);
	if (err != ERR_VALIDATION_ERROR)
		return err;
	why = c->fault.message;
	c->fault = (struct fault){ 0 };

	return cannot_ask(c, f->url, why);
}

static int parse(struct ctx *c, struct arena *a, const char *url, struct str body,
		 const struct json **ret)
{
	const char *why;
	size_t at;

	if (!jsonread_parse(a, body, ret, &why, &at))
		return cannot_ask(c, url, why);

	return OK;
}

int oauth_ask(struct ctx *c, const struct fetch *f, int *ret_status, const struct json **ret)
{
	struct fetched got;
	int err;

	arena_holds_secret(c->arena);
	err = ask(c, f, &got);
	if (err)
		return err;
	*ret_status = got.status;

	return parse(c, c->arena, f->url, got.body, ret);
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
	const struct json *j;

	if (json_kind(object) != JSON_OBJECT || !jsonread_member(object, name, &j) ||
	    json_kind(j) != JSON_STRING)
		return NULL;

	return jsonread_string(j).ptr;
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

/*
 * Documents
 */

#define DOCUMENTS_MAX 8 /* two for each provider that speaks OpenID Connect, and some to spare */
#define URL_MAX       2048
#define KEPT_US       (60 * US_PER_MINUTE)
#define KEPT_MIN_US   US_PER_MINUTE
#define KEPT_MAX_US   US_PER_DAY

/* The process's copies; the oldest makes room. */
static struct document {
	char url[URL_MAX];   /* "": empty */
	struct arena *arena; /* what json lives in */
	const struct json *json;
	int64_t fetched_us, until_us; /* monotonic */
} documents[DOCUMENTS_MAX];

/* "public, max-age=3600"; what is not said, or senseless, is an hour. */
static int64_t kept_us(const char *cache_control)
{
	struct str rest = str_of(cache_control);
	int64_t seconds, us = KEPT_US;

	for (struct str part = str_cut(&rest, ','); part.ptr; part = str_cut(&rest, ',')) {
		struct str name = str_cut(&part, '=');

		if (str_is_nocase(str_trim(name), "max-age") &&
		    str_to_i64(str_trim(part), 0, KEPT_MAX_US / US_PER_S, &seconds))
			us = seconds * US_PER_S;
	}

	return us < KEPT_MIN_US ? KEPT_MIN_US : us;
}

static struct document *find_document(const char *url)
{
	struct document *oldest = &documents[0];

	for (size_t i = 0; i < DOCUMENTS_MAX; i++) {
		if (strcmp(documents[i].url, url) == 0)
			return &documents[i];
		if (documents[i].fetched_us < oldest->fetched_us)
			oldest = &documents[i];
	}

	return oldest;
}

static bool is_fresh(const struct document *d, const char *url, int64_t age_max_us)
{
	int64_t now_us = clock_monotonic_us();

	return strcmp(d->url, url) == 0 && now_us < d->until_us &&
	       now_us - d->fetched_us < age_max_us;
}

/* A document that could not be fetched leaves the copy there is. */
static int fetch_document(struct ctx *c, const char *url, struct document *d)
{
	struct arena *a = arena_new();
	const struct json *json;
	struct fetched got;
	int err;

	err = ask(c, &(struct fetch){ .url = url, .headers = { "Accept: application/json" } },
		  &got);
	if (!err && got.status != 200)
		err = cannot_ask(c, url, arena_printf(c->arena, "status %d", got.status));
	if (!err)
		err = parse(c, a, url, got.body, &json);
	if (err) {
		arena_free(a);
		return err;
	}

	arena_free(d->arena);
	(void)snprintf(d->url, sizeof(d->url), "%s", url);
	d->arena = a;
	d->json = json;
	d->fetched_us = clock_monotonic_us();
	d->until_us = d->fetched_us + kept_us(got.cache_control);

	return OK;
}

int oauth_document(struct ctx *c, const char *url, int64_t age_max_us, const struct json **ret)
{
	struct document *d = find_document(url);
	int err;

	if (strlen(url) >= URL_MAX)
		return cannot_ask(c, url, "the address is too long");
	if (!is_fresh(d, url, age_max_us)) {
		err = fetch_document(c, url, d);
		if (err)
			return err;
	}
	*ret = d->json;

	return OK;
}
