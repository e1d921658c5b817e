/* Logging in through another provider: see oauth.h. */
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
#include "identity/account.h"
#include "identity/founding.h"
#include "identity/hash.h"
#include "identity/hooks.h"
#include "identity/letters.h"
#include "identity/oauth_providers.h"
#include "identity/signup.h"
#include "net/fetch.h"

#define SUBJECT_MAX 255 /* bytes: OpenID Connect Core section 2 */
#define NAME_MAX    100 /* bytes that are kept of a name */

const struct conflict oauth_conflicts[] = {
	{ "oauth_identities_issuer_subject_key", ERR_RESOURCE_CONFLICT, NULL,
	  "This identity is linked to an account already" },
	{ 0 },
};

/*
 * On the way there
 */

/* What is kept until the browser comes back, beside the row's own columns. */
struct secrets {
	const char *verifier, *nonce; /* of TOKEN_TEXT_SIZE each */
};

static struct str aad_of(struct ctx *c, const struct token_hash *state)
{
	return str_of(arena_printf(c->arena, "oauth_states:%s",
				   str_hex(c->arena, state->bytes, sizeof(state->bytes))));
}

static struct str seal_secrets(struct ctx *c, const struct secrets *s,
			       const struct token_hash *state)
{
	return seal(c->arena, str_of(arena_printf(c->arena, "%s %s", s->verifier, s->nonce)),
		    aad_of(c, state));
}

static bool unseal_secrets(struct ctx *c, struct str sealed, const struct token_hash *state,
			   struct secrets *ret)
{
	struct str plain;

	arena_holds_secret(c->arena);
	if (!unseal(c->arena, sealed, aad_of(c, state), &plain))
		return false;
	ret->verifier = str_dup(c->arena, str_cut(&plain, ' '));
	ret->nonce = str_dup(c->arena, plain);

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

int oauth_begin(struct ctx *c, const struct oauth_start *in, struct oauth_started *ret)
{
	struct token_hash *state_hash, *unused, browser_hash;
	struct oauth_provider p;
	const char *endpoint, *state;
	struct secrets s;
	struct str sealed;
	struct batch *b;
	int err;

	err = oauth_provider_find(c, in->provider, &p);
	if (!err)
		err = p.speech->find_authorization(c, &p, &endpoint);
	if (err)
		return err;

	state = grant_token(c, &state_hash);
	s = (struct secrets){ grant_token(c, &unused), grant_token(c, &unused) };
	sealed = seal_secrets(c, &s, state_hash);
	ret->browser = is_token(in->browser) ? in->browser : grant_token(c, &unused);
	ret->url = url_of(c, &p, endpoint, state, &s);
	token_hash(str_of(ret->browser), &browser_hash);

	b = batch_new(c, BATCH_IDENTITY);
	batch_add(b, NULL, &sql_oauth_state_create,
		  ARGS(arg_hash(state_hash), arg_hash(&browser_hash), arg_text(p.name),
		       arg_bytes(sealed.ptr, sealed.len),
		       arg_text(in->redirect ? in->redirect : "/"), arg_bool(in->is_link)));

	return batch_run(b);
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

static int find(struct ctx *c, const struct oauth_provider *p, const struct oauth_person *who,
		const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	batch_add(b, ret, &sql_oauth_find,
		  ARGS(arg_text(p->issuer), arg_text(who->subject), arg_text(who->email)));

	return batch_run(b);
}

static void add_identity(struct batch *b, struct ctx *c, const struct oauth_provider *p,
			 const struct oauth_person *who, const char *user_agent)
{
	batch_add(b, NULL, &sql_oauth_identity_create,
		  ARGS(arg_uuid(uuid_v7()), arg_text(p->name), arg_text(p->issuer),
		       arg_text(who->subject), arg_text(who->email)));
	batch_account_event(b, c, "account.linked", ACTING_ACCOUNT, user_agent);
}

/* One way more into an account that is there: its person is told. */
static void tell_linked(struct batch *b, struct ctx *c, const struct oauth_provider *p,
			struct account_id account)
{
	letters_add(b, c,
		    &(struct letter_new){ .letter = "identityLinked",
					  .subject = account.u,
					  .provider = p->title });
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
	err = find(c, p, who, &found);
	if (err)
		return err;
	if (!uuid_is_nil(rows_get_uuid(found, "identity_id")) &&
	    uuid_eq(rows_get_uuid(found, "account_id"), asker.account.u))
		return OK; /* it is already */

	b = batch_new(c, BATCH_IDENTITY);
	grant_act_as(b, &asker, session);
	add_identity(b, c, p, who, user_agent);
	tell_linked(b, c, p, asker.account);

	return batch_run(b);
}

/*
 * Logging in
 */

/* One who comes in: what the ways below have in common. */
struct arrival {
	const struct oauth_provider *provider;
	const struct oauth_person *person;
	struct grantee who;
	struct session_id session;
};

static struct batch *let_in(struct ctx *c, const struct arrival *a)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	grant_act_as(b, &a->who, a->session);

	return b;
}

static int grant(struct batch *b, struct ctx *c, const struct arrival *a, struct grant *ret)
{
	int err;

	batch_add(b, NULL, &sql_oauth_login_note, NO_ARGS);
	grant_start(b, c, &a->who, ret);
	batch_add(b, NULL, &sql_identity_seat_use, NO_ARGS);
	batch_account_event(b, c, "account.loggedInByProvider", a->who.account, a->who.user_agent);
	err = batch_run(b);

	return err ? err : grant_sign(c, a->session, ret);
}

static int log_in_linked(struct ctx *c, const struct arrival *a, struct grant *ret)
{
	struct batch *b = let_in(c, a);

	batch_add(b, NULL, &sql_oauth_identity_use,
		  ARGS(arg_text(a->provider->issuer), arg_text(a->person->subject),
		       arg_text(a->person->email)));

	return grant(b, c, a, ret);
}

/* The account with the email, which no password opens. */
static int join(struct ctx *c, const struct arrival *a, struct grant *ret)
{
	struct batch *b = let_in(c, a);

	batch_add(b, NULL, &sql_oauth_may_join, NO_ARGS);
	add_identity(b, c, a->provider, a->person, a->who.user_agent);
	tell_linked(b, c, a->provider, a->who.account);

	return grant(b, c, a, ret);
}

/* As much of a name as is kept; NULL stays NULL. */
static const char *name_of(struct ctx *c, const char *name)
{
	struct str s = str_trim(str_of(name));

	if (s.len > NAME_MAX)
		s.len = NAME_MAX;
	s.len = str_utf8_prefix(s);

	return s.len > 0 ? str_dup(c->arena, s) : NULL;
}

static int sign_up(struct ctx *c, struct arrival *a, struct grant *ret)
{
	const struct sign_up said = { .email = a->person->email,
				      .first_name = name_of(c, a->person->first_name),
				      .last_name = name_of(c, a->person->last_name) };
	struct founding founding;
	struct batch *b;

	if (!config()->oauth_sign_up)
		return fail(c, ERR_AUTH_FORBIDDEN, NULL,
			    "Nobody signs up through a provider here: sign up, and link it then");

	a->who.account.u = uuid_v7();
	a->who.tenant.u = uuid_v7();
	a->who.user.u = uuid_v7();
	founding = (struct founding){ a->who.tenant, a->who.user, a->who.account,
				      signup_tenant_name(c, &said) };

	b = let_in(c, a);
	batch_add(b, NULL, &sql_oauth_account_create,
		  ARGS(arg_uuid(a->who.account.u), arg_text(said.email), arg_text(said.first_name),
		       arg_text(said.last_name)));
	founding_add(b, c, &founding);
	hooks_add_after_sign_up(b);
	batch_account_event(b, c, "account.created", ACTING_ACCOUNT, a->who.user_agent);
	add_identity(b, c, a->provider, a->person, a->who.user_agent);

	return grant(b, c, a, ret);
}

static int log_in(struct ctx *c, const struct oauth_provider *p, const struct oauth_person *who,
		  const char *user_agent, struct grant *ret)
{
	struct arrival a = { p, who, { .user_agent = user_agent }, { uuid_v7() } };
	bool is_linked, has_account;
	const struct rows *found;
	int err;

	err = find(c, p, who, &found);
	if (err)
		return err;
	a.who.account.u = rows_get_uuid(found, "account_id");
	a.who.tenant.u = rows_get_uuid(found, "tenant_id");
	a.who.user.u = rows_get_uuid(found, "user_id");
	is_linked = !uuid_is_nil(rows_get_uuid(found, "identity_id"));
	has_account = !uuid_is_nil(a.who.account.u);

	if (is_linked && !has_account)
		return fail(c, ERR_AUTH_FORBIDDEN, NULL, "This account is deleted");
	if (is_linked)
		return log_in_linked(c, &a, ret);
	if (!who->email)
		return fail(c, ERR_AUTH_EMAIL_UNVERIFIED, NULL,
			    "The provider has no verified email of yours: verify it there first");

	return has_account ? join(c, &a, ret) : sign_up(c, &a, ret);
}

int oauth_finish(struct ctx *c, const char *provider, const char *browser,
		 const struct oauth_return *in, const char *user_agent, struct oauth_finished *ret)
{
	const struct rows *state;
	struct oauth_person who;
	struct oauth_provider p;
	struct secrets secrets = { 0 };
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

	return log_in(c, &p, &who, user_agent, &ret->grant);
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

	batch_add(b, NULL, &sql_oauth_account_lock, NO_ARGS);
	batch_add(b, NULL, &sql_oauth_identity_delete, ARGS(arg_uuid(id)));
	batch_add(b, NULL, &sql_identity_keep_a_way_in, ARGS(oauth_issuers(c)));
	batch_account_event(b, c, "account.unlinked", ACTING_ACCOUNT, NULL);

	return batch_run(b);
}
