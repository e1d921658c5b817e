/*
 * What providers publish, kept by the process: their documents and their keys. See
 * oauth_providers.h.
 */
#include "identity/oauth_providers.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/jsonread.h"
#include "base/str.h"
#include "net/fetch.h"

#define DOCUMENTS_MAX 8 /* two for each provider that speaks OpenID Connect, and some to spare */
#define URL_MAX       2048
#define KEPT_US       (60 * US_PER_MINUTE) /* when nothing is said */
#define KEPT_MIN_US   US_PER_MINUTE
#define KEPT_MAX_US   US_PER_DAY
#define ANEW_US       US_PER_MINUTE

/* The oldest makes room. Times are monotonic. */
static struct document {
	char url[URL_MAX];   /* "": empty */
	struct arena *arena; /* what json lives in */
	const struct json *json;
	int64_t fetched_us, until_us;
	int64_t anew_us; /* when it was last fetched because something was not in it; 0: never */
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

static struct document *find(const char *url)
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

/* What could not be fetched or read leaves the copy there is. */
static int fill(struct ctx *c, const char *url, struct document *d)
{
	const struct json *json;
	struct fetched got;
	struct arena *a;
	const char *why;
	size_t at;
	int err;

	err = oauth_fetch(
		c, &(struct fetch){ .url = url, .headers = { "Accept: application/json" } }, &got);
	if (err)
		return err;
	if (got.status != 200)
		return oauth_cannot_ask(c, url, arena_printf(c->arena, "status %d", got.status));

	a = arena_new();
	if (!jsonread_parse(a, got.body, &json, &why, &at)) {
		arena_free(a);
		return oauth_cannot_ask(c, url, why);
	}
	arena_free(d->arena);
	d->arena = a;
	d->json = json;
	(void)snprintf(d->url, sizeof(d->url), "%s", url);
	d->fetched_us = clock_monotonic_us();
	d->until_us = d->fetched_us + kept_us(got.cache_control);

	return OK;
}

int oauth_document(struct ctx *c, const char *url, bool anew, const struct json **ret)
{
	struct document *d = find(url);
	bool is_here = strcmp(d->url, url) == 0;
	int64_t now_us = clock_monotonic_us();
	int err;

	if (strlen(url) >= URL_MAX)
		return oauth_cannot_ask(c, url, "the address is too long");
	if (!is_here)
		d->anew_us = 0;

	anew = anew && (!d->anew_us || now_us - d->anew_us >= ANEW_US);
	if (anew)
		d->anew_us = now_us;
	if (!is_here || anew || now_us >= d->until_us) {
		err = fill(c, url, d);
		if (err)
			return err;
	}
	*ret = d->json;

	return OK;
}
