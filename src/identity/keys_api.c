/*
 * The keys that verify access tokens, for those who verify them elsewhere.
 */
#include "identity/identity.h"

#include "base/buf.h"
#include "crypto/jws.h"
#include "http/api.h"
#include "identity/keys.h"

#define JWKS_BYTES_MAX KIB(16)

/* Half of KEYS_LEAD_US: who keeps the reply so long has every key before it signs, even when the
 * worker's own copy was a minute old. */
#define CACHE_CONTROL "public, max-age=60"

static int jwks(struct request *r)
{
	struct buf text;
	struct jsonwrite w;

	keys_refresh(KEYS_AGE_US);
	buf_init(&text, r->ctx->arena, JWKS_BYTES_MAX);
	jsonwrite_init(&w, &text);
	jws_write_jwks(&w);
	reply_header(r, "Cache-Control", CACHE_CONTROL);

	return reply_body(r, "application/jwk-set+json", text.data, text.len);
}

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/.well-known/jwks.json", TIER_SYSTEM, PERM_PUBLIC, RATE_EXEMPT, .flags = ROUTE_HIDDEN,
	  .summary = "Keys that verify access tokens", .handle = jwks },

	{ 0 },
};
/* clang-format on */

const struct mount keys_mount = { "keys", routes, NULL, NULL };
