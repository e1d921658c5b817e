/* Logging in through another provider, to it and back: see oauth.h. What comes of it is in
 * oauth_arrival.c. */
#include "identity/oauth.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/str.h"
#include "crypto/seal.h"
#include "crypto/token.h"
#include "db/batch.h"
#include "events/event.h"
#include "gen/sql_identity.h"
#include "gen/sql_oauth.h"
#include "identity/hash.h"
#include "identity/invite.h"
#include "identity/oauth_arrival.h"
#include "identity/oauth_providers.h"
#include "net/fetch.h"

#define SUBJECT_MAX 255 /* bytes: OpenID Connect Core section 2 */

const struct conflict oauth_conflicts[] = {
	{ "oauth_identities_realm_id_issuer_subject_key", ERR_RESOURCE_CONFLICT, NULL,
	  "This identity is linked to an account already" },
	{ 0 },
};

/*
 * On the way there
 */

/* What is kept until the browser comes back, beside the row's own columns. */
struct secrets {
	const char *verifier, *nonce; /* of TOKEN_TEXT_SIZE each */
	const char *invite_token;     /* the same; NULL: none */
	const char *tenant;           /* as it was said; NULL: not */
};

static struct str aad_of(struct ctx *c, const struct token_hash *state)
{
	return str_of(arena_printf(c->arena, "oauth_states:%s",
				   str_hex(c->arena, state->bytes, sizeof(state->bytes))));
}

static struct str seal_secrets(struct ctx *c, const struct secrets *s,
			       const struct token_hash *state)
{
	const char *plain =
		arena_printf(c->arena, "%s %s %s %s", s->verifier, s->nonce,
			     s->invite_token ? s->invite_token : "", s->tenant ? s->tenant : "");

	return seal(c->arena, str_of(plain), aad_of(c, state));
}

/* NULL for what is empty. */
static const char *kept(struct ctx *c, struct str s)
{
	return s.len > 0 ? str_dup(c->arena, s) : NULL;
}

static bool unseal_secrets(struct ctx *c, struct str sealed, const struct token_hash *state,
			   struct secrets *ret)
{
	struct str plain;

	arena_holds_secret(c->arena);
	if (!unseal(c->arena, sealed, aad_of(c, state), &plain))
		return false;
	ret->verifier = kept(c, str_cut(&plain, ' '));
	ret->nonce = kept(c, str_cut(&plain, ' '));
	ret->invite_token = kept(c, str_cut(&plain, ' '));
	ret->tenant = kept(c, plain);

	return true;
}

static const char *redirect_uri(struct ctx *c, const struct oauth_provider *p)
{
	return arena_printf(c->arena, "%s/api/auth/oauth/%s/callback", config()->api_url, p->name);
}

/* RFC 7636 section 4.2. */
static const char *challenge_of(struct ctx *c, const char *verifier)
{
	uint8_t digest[32];

	sha256(str_of(verifier), digest);

	return str_base64url(c->arena, digest, sizeof(digest));
}

static const char *url_of(struct ctx *c, const struct oauth_provider *p, const char *endpoint,
			  const char *state, const struct secrets *s)
{
	const char *query = fetch_form(
		c, (const char *const[][2]){ { "response_type", "code" },
					     { "client_id", p->client_id },
					     { "redirect_uri", redirect_uri(c, p) },
					     { "scope", p->scope },
					     { "state", state },
					     { "nonce", p->speech->has_nonce ? s->nonce : NULL },
					     { "code_challenge", challenge_of(c, s->verifier) },
					     { "code_challenge_method", "S256" },
					     { 0 } });

	return arena_printf(c->arena, "%s%s%s", endpoint, strchr(endpoint, '?') ? "&" : "?", query);
}

static bool is_token(const char *s)
{
	return s && strlen(s) == TOKEN_TEXT_SIZE - 1;
}

/* An invitation that is over is told before the way there, not behind it. */
static int check_invitation(struct ctx *c, const struct oauth_start *in)
{
	const struct rows *shown;

	return in->invite_token ? invite_show(c, in->invite_token, &shown) : OK;
}

static int keep_state(struct ctx *c, const struct oauth_provider *p, const struct oauth_start *in,
		      const struct token_hash *state, const struct secrets *s, const char *browser)
{
	struct str sealed = seal_secrets(c, s, state);
	struct oauth_aim aim = oauth_aim(s->tenant, NULL);
	struct token_hash browser_hash;
	struct batch *b;

	token_hash(str_of(browser), &browser_hash);
	b = batch_new(c, BATCH_IDENTITY);
	batch_add(b, NULL, &sql_oauth_state_create,
		  ARGS(arg_hash(state), arg_hash(&browser_hash), arg_text(p->name),
		       arg_bytes(sealed.ptr, sealed.len),
		       arg_text(in->redirect ? in->redirect : "/"), arg_bool(in->is_link),
		       arg_text(aim.tenant_slug), arg_uuid(aim.tenant_id)));

	return batch_run(b);
}

int oauth_begin(struct ctx *c, const struct oauth_start *in, struct oauth_started *ret)
{
	struct token_hash *state_hash, *unused;
	struct oauth_provider p;
	const char *endpoint, *state;
	struct secrets s;
	int err;

	err = oauth_provider_find(c, in->provider, &p);
	if (!err)
		err = check_invitation(c, in);
	if (!err)
		err = p.speech->find_authorization(c, &p, &endpoint);
	if (err)
		return err;

	state = grant_token(c, &state_hash);
	s = (struct secrets){ grant_token(c, &unused), grant_token(c, &unused), in->invite_token,
			      in->tenant };
	ret->browser = is_token(in->browser) ? in->browser : grant_token(c, &unused);
	ret->url = url_of(c, &p, endpoint, state, &s);

	return keep_state(c, &p, in, state_hash, &s, ret->browser);
}

/*
 * Coming back
 */

static int refuse_state(struct ctx *c)
{
	return fail(c, ERR_AUTH_TOKEN_EXPIRED, NULL,
		    "This log-in is over, or was begun in another browser: begin again");
}

/* In a transaction of its own: whatever comes of it, it is used up. */
static int take_state(struct ctx *c, const struct oauth_provider *p, const char *browser,
		      const char *state, struct secrets *ret_secrets, const struct rows **ret)
{
	struct token_hash state_hash, browser_hash;
	struct batch *b;
	int err;

	if (!is_token(state) || !is_token(browser))
		return refuse_state(c);
	token_hash(str_of(state), &state_hash);
	token_hash(str_of(browser), &browser_hash);

	b = batch_new(c, BATCH_IDENTITY);
	batch_add(b, ret, &sql_oauth_state_take,
		  ARGS(arg_hash(&state_hash), arg_hash(&browser_hash), arg_text(p->name)));
	err = batch_run(b);
	if (err)
		return err;
	if (rows_len(*ret) == 0 ||
	    !unseal_secrets(c, rows_get_str(*ret, "sealed"), &state_hash, ret_secrets))
		return refuse_state(c);

	return OK;
}

/* The answer came from the provider, and is a code (RFC 6749 section 4.1.2). */
static int judge_answer(struct ctx *c, const struct oauth_provider *p,
			const struct oauth_return *in)
{
	int err;

	err = p->speech->check_issuer(c, p, in->issuer);
	if (err)
		return err;
	if (in->error) {
		err = fail(c, ERR_AUTH_FORBIDDEN, NULL, "The provider did not let you log in");
		errdetail_log(c, "%s: %s", p->name, in->error);
		return err;
	}
	if (!in->code || !*in->code)
		return oauth_disbelieve(c, p, "it gave no code");

	return OK;
}

static int identify(struct ctx *c, const struct oauth_provider *p, const struct oauth_return *in,
		    const struct secrets *s, struct oauth_person *ret)
{
	const struct oauth_code code = { in->code, s->verifier, s->nonce, redirect_uri(c, p) };
	int err;

	err = p->speech->identify(c, p, &code, ret);
	if (err)
		return err;
	if (strlen(ret->subject) > SUBJECT_MAX)
		return oauth_disbelieve(c, p, "its subject is too long");

	return OK;
}

/*
 * Linking
 */

/* For the account whose session has asked for it, if that lives still. */
static int link_for(struct ctx *c, const struct oauth_provider *p, const struct oauth_person *who,
		    const struct rows *state, const char *user_agent)
{
	struct grantee asker = { .account = { rows_get_uuid(state, "account_id") } };
	struct session_id session = { rows_get_uuid(state, "session_id") };
	const struct rows *found;
	struct batch *b;
	int err;

	if (uuid_is_nil(asker.account.u))
		return fail(c, ERR_AUTH_TOKEN_EXPIRED, NULL, "The session that has asked is over");
	err = oauth_find(c, p, who, NULL, asker.account, &found);
	if (err)
		return err;
	if (!uuid_is_nil(rows_get_uuid(found, "identity_id")) &&
	    uuid_eq(rows_get_uuid(found, "account_id"), asker.account.u))
		return OK; /* it is already */

	b = batch_new(c, BATCH_IDENTITY);
	grant_act_as(b, &asker, session);
	oauth_add_identity(b, c, p, who, user_agent);
	oauth_tell_linked(b, c, p, asker.account);

	return batch_run(b);
}

int oauth_finish(struct ctx *c, const char *provider, const char *browser,
		 const struct oauth_return *in, const char *user_agent, struct oauth_finished *ret)
{
	const struct rows *state;
	struct oauth_person who;
	struct oauth_provider p;
	struct secrets secrets = { 0 };
	struct oauth_aim aim;
	int err;

	*ret = (struct oauth_finished){ 0 };
	err = oauth_provider_find(c, provider, &p);
	if (!err)
		err = take_state(c, &p, browser, in->state, &secrets, &state);
	if (!err)
		err = judge_answer(c, &p, in);
	if (!err)
		err = identify(c, &p, in, &secrets, &who);
	if (err)
		return err;

	ret->redirect = rows_get_text(state, "redirect");
	ret->is_link = rows_get_bool(state, "is_link");
	if (ret->is_link)
		return link_for(c, &p, &who, state, user_agent);

	aim = oauth_aim(secrets.tenant, secrets.invite_token);

	return oauth_arrive(c, &p, &who, &aim, user_agent, &ret->grant);
}

/*
 * What is linked
 */

int oauth_identities(struct ctx *c, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	batch_add(b, ret, &sql_oauth_identities, NO_ARGS);

	return batch_run(b);
}

int oauth_unlink(struct ctx *c, struct uuid id)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	batch_add(b, NULL, &sql_identity_account_lock, NO_ARGS);
	batch_add(b, NULL, &sql_oauth_identity_delete, ARGS(arg_uuid(id)));
	batch_add(b, NULL, &sql_identity_keep_a_way_in, ARGS(oauth_issuers(c)));
	batch_account_event(b, c, "account.unlinked", ACTING_ACCOUNT, NULL);

	return batch_run(b);
}
