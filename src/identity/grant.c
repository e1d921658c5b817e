/* Grants: see grant.h. */
#include "identity/grant.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/ctx.h"
#include "crypto/jws.h"
#include "crypto/token.h"
#include "db/batch.h"
#include "gen/sql_identity.h"
#include "gen/sql_identity_mail.h"
#include "gen/sql_mfa.h"
#include "identity/hash.h"
#include "identity/hooks.h"
#include "identity/keys.h"
#include "identity/letters.h"
#include "net/mail.h"

void grant_act_as(struct batch *b, const struct grantee *who, struct session_id session)
{
	batch_add(b, NULL, &sql_identity_act_as,
		  ARGS(arg_uuid(who->account.u), arg_uuid(session.u), arg_uuid(who->tenant.u),
		       arg_uuid(who->user.u)));
}

const char *grant_token(struct ctx *c, struct token_hash **ret_hash)
{
	char *token = arena_alloc(c->arena, TOKEN_TEXT_SIZE);

	arena_holds_secret(c->arena);
	token_make(token);
	*ret_hash = arena_make(c->arena, struct token_hash);
	token_hash(str_of(token), *ret_hash);

	return token;
}

/* Adds nothing when the session before it has begun. */
static void demand_mfa(struct batch *b, struct ctx *c, const struct grantee *who, struct grant *ret)
{
	struct token_hash *hash;

	ret->mfa_token = grant_token(c, &hash);
	batch_add(b, &ret->demand, &sql_mfa_demand,
		  ARGS(arg_hash(hash), arg_text(who->user_agent)));
}

void grant_start(struct batch *b, struct ctx *c, const struct grantee *who, struct grant *ret)
{
	const struct config *conf = config();
	struct token_hash *cookie, *refresh;

	*ret = (struct grant){ .cookie_max_age_s = conf->session_max_us / US_PER_S };
	ret->cookie = grant_token(c, &cookie);
	ret->refresh_token = grant_token(c, &refresh);

	if (conf->email_verification == EMAIL_VERIFICATION_REQUIRED)
		batch_add(b, NULL, &sql_identity_email_must_be_verified, NO_ARGS);
	batch_add(b, NULL, &sql_identity_session_create,
		  ARGS(arg_hash(cookie), arg_text(who->user_agent), arg_text(c->actor.ip),
		       arg_int(conf->session_idle_us), arg_int(conf->session_max_us),
		       arg_bool(who->has_proven_mfa)));
	demand_mfa(b, c, who, ret);
	batch_add(b, NULL, &sql_identity_refresh_create,
		  ARGS(arg_hash(refresh), arg_int(conf->refresh_expires_us)));
	batch_add(b, &ret->device, &sql_identity_device_note, NO_ARGS);
	grant_read(b, ret);
	hooks_add_claims(b, &ret->hooked);
}

void grant_read(struct batch *b, struct grant *ret)
{
	batch_add(b, &ret->me, &sql_identity_me, NO_ARGS);
	batch_add(b, &ret->tenant, &sql_identity_me_tenant, NO_ARGS);
}

static struct claims claims_of(struct ctx *c, const struct grant *g)
{
	size_t column = (size_t)rows_find(g->me, "permissions");
	int64_t now_s = clock_now_us() / US_PER_S;
	struct str *granted;
	size_t n = rows_array(g->me, 0, column, c->arena, &granted);

	return (struct claims){
		.account = c->actor.account,
		.session = c->actor.session,
		.tenant = c->actor.tenant,
		.issued_s = now_s,
		.expires_s = now_s + (g->expires_in_s ? g->expires_in_s
						      : config()->jwt_expires_us / US_PER_S),
		.role = rows_get_text(g->me, "role"),
		.permissions = granted,
		.permissions_len = n,
		.impersonator = g->impersonator,
		.extra = g->hooked && rows_len(g->hooked) ? rows_get_str(g->hooked, "claims")
							  : (struct str){ NULL, 0 },
	};
}

/* The token alone is left of the grant. */
static int grant_demand(struct grant *g)
{
	*g = (struct grant){ .demand = g->demand, .mfa_token = g->mfa_token };

	return OK;
}

/* From a device or network that the account has not been used from: its person is told. The log-in
 * stands, whether or not that works. */
static void tell_new_device(struct ctx *c, const struct grant *g)
{
	struct batch *b;

	if (!g->device || !rows_len(g->device) || !rows_get_bool(g->device, "is_new") ||
	    !config()->new_device_notice || !mail_is_sent())
		return;

	b = batch_new(c, BATCH_IDENTITY);
	letters_add(b, c,
		    &(struct letter_new){ .letter = "newDevice",
					  .subject = rows_get_uuid(g->device, "account_id"),
					  .device = rows_get_text(g->device, "device"),
					  .ip = rows_get_text(g->device, "ip") });
	if (batch_run(b))
		c->fault = (struct fault){ 0 };
}

int grant_sign(struct ctx *c, struct session_id session, struct grant *g)
{
	struct claims claims;

	if (g->demand && rows_len(g->demand) > 0)
		return grant_demand(g);
	if (rows_len(g->me) == 0) /* its factors, or the account, changed that very moment */
		return fail(c, ERR_AUTH_UNAUTHORIZED, NULL, "Could not log in: try again");

	g->mfa_token = NULL;
	c->actor.session = session;
	c->actor.account.u = rows_get_uuid(g->me, "id");
	c->actor.tenant.u = rows_get_uuid(g->me, "tenantId");
	c->actor.user.u = rows_get_uuid(g->me, "userId");

	keys_refresh(jws_can_sign() ? KEYS_AGE_US : KEYS_AGE_NONE);
	if (!jws_can_sign())
		return fail(c, ERR_SERVICE_UNAVAILABLE, NULL, "Access tokens cannot be signed");

	claims = claims_of(c, g);
	g->access_token = jws_sign(c->arena, &claims);
	if (!g->access_token)
		return fail_internal(c, "the claims do not fit an access token");
	g->expires_in_s = claims.expires_s - claims.issued_s;
	tell_new_device(c, g);

	return OK;
}
