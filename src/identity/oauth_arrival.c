/* Who comes back from a provider: see oauth_arrival.h. */
#include "identity/oauth_arrival.h"

#include "base/config.h"
#include "base/ctx.h"
#include "base/str.h"
#include "db/batch.h"
#include "events/event.h"
#include "gen/sql_identity.h"
#include "gen/sql_identity_mail.h"
#include "gen/sql_oauth.h"
#include "identity/account.h"
#include "identity/founding.h"
#include "identity/hash.h"
#include "identity/hooks.h"
#include "identity/invite.h"
#include "identity/letters.h"
#include "identity/oauth_providers.h"
#include "identity/signup.h"

#define NAME_MAX 100 /* bytes that are kept of a name */

/* One who comes in: what the ways below have in common. */
struct arrival {
	const struct oauth_provider *provider;
	const struct oauth_person *person;
	const struct oauth_aim *aim;
	const struct rows *invitation; /* NULL: none */
	struct grantee who;
	struct session_id session;
};

struct oauth_aim oauth_aim(const char *tenant, const char *invite_token)
{
	struct oauth_aim aim = { .has_invitation = invite_token != NULL };

	if (invite_token)
		token_hash(str_of(invite_token), &aim.invitation);
	else if (tenant && !uuid_parse(str_of(tenant), &aim.tenant_id))
		aim.tenant_slug = tenant;

	return aim;
}

int oauth_find(struct ctx *c, const struct oauth_provider *p, const struct oauth_person *who,
	       const struct oauth_aim *aim, struct account_id linking, const struct rows **ret)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	batch_add(b, ret, &sql_oauth_find,
		  ARGS(arg_text(p->issuer), arg_text(who->subject), arg_text(who->email),
		       arg_text(aim ? aim->tenant_slug : NULL),
		       aim ? arg_uuid(aim->tenant_id) : arg_null(), arg_uuid(linking.u)));

	return batch_run(b);
}

void oauth_add_identity(struct batch *b, struct ctx *c, const struct oauth_provider *p,
			const struct oauth_person *who, const char *user_agent)
{
	batch_add(b, NULL, &sql_oauth_identity_create,
		  ARGS(arg_uuid(uuid_v7()), arg_text(p->name), arg_text(p->issuer),
		       arg_text(who->subject), arg_text(who->email)));
	batch_account_event(b, c, "account.linked", ACTING_ACCOUNT, user_agent);
}

void oauth_tell_linked(struct batch *b, struct ctx *c, const struct oauth_provider *p,
		       struct account_id account)
{
	letters_add(b, c,
		    &(struct letter_new){ .letter = "identityLinked",
					  .subject = account.u,
					  .provider = p->title });
}

/*
 * What each way in begins and ends with
 */

static struct batch *let_in(struct ctx *c, const struct arrival *a)
{
	struct batch *b = batch_new(c, BATCH_IDENTITY);

	grant_act_as(b, &a->who, a->session);

	return b;
}

static void take_seat(struct batch *b, struct ctx *c, const struct arrival *a)
{
	if (!a->invitation)
		return;

	invite_add_seat(b, c, &a->aim->invitation, a->invitation);
	batch_add(b, NULL, &sql_identity_email_verified, NO_ARGS);
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

/*
 * An account that is there
 */

static int log_in_linked(struct ctx *c, const struct arrival *a, struct grant *ret)
{
	struct batch *b = let_in(c, a);

	batch_add(b, NULL, &sql_oauth_identity_use,
		  ARGS(arg_text(a->provider->issuer), arg_text(a->person->subject),
		       arg_text(a->person->email)));
	take_seat(b, c, a);

	return grant(b, c, a, ret);
}

/* The account with the email, which no password opens. */
static int join(struct ctx *c, const struct arrival *a, struct grant *ret)
{
	struct batch *b = let_in(c, a);

	batch_add(b, NULL, &sql_oauth_may_join, NO_ARGS);
	oauth_add_identity(b, c, a->provider, a->person, a->who.user_agent);
	oauth_tell_linked(b, c, a->provider, a->who.account);
	take_seat(b, c, a);

	return grant(b, c, a, ret);
}

/*
 * A new one
 */

/* As much of a name as is kept; NULL stays NULL. */
static const char *name_of(struct ctx *c, const char *name)
{
	struct str s = str_trim(str_of(name));

	if (s.len > NAME_MAX)
		s.len = NAME_MAX;
	s.len = str_utf8_prefix(s);

	return s.len > 0 ? str_dup(c->arena, s) : NULL;
}

static struct sign_up said_of(struct ctx *c, const struct oauth_person *who)
{
	return (struct sign_up){ .email = who->email,
				 .first_name = name_of(c, who->first_name),
				 .last_name = name_of(c, who->last_name) };
}

/* The rest of what a new account needs. */
static int welcome(struct batch *b, struct ctx *c, const struct arrival *a, struct grant *ret)
{
	hooks_add_after_sign_up(b);
	batch_account_event(b, c, "account.created", ACTING_ACCOUNT, a->who.user_agent);
	oauth_add_identity(b, c, a->provider, a->person, a->who.user_agent);

	return grant(b, c, a, ret);
}

/* With a tenant of its own, of the platform's realm. */
static int sign_up(struct ctx *c, struct arrival *a, struct grant *ret)
{
	const struct sign_up said = said_of(c, a->person);
	struct founding founding;
	struct batch *b;
	int err;

	err = signup_check(c);
	if (err)
		return err;
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

	return welcome(b, c, a, ret);
}

/* In the tenant that invites, and of its realm. The email is shown twice: to the provider, and by
 * the invitation's mail. */
static int accept(struct ctx *c, struct arrival *a, struct grant *ret)
{
	const struct sign_up said = said_of(c, a->person);
	struct batch *b;

	if (!str_is(str_of(said.email), rows_get_text(a->invitation, "email")))
		return fail(c, ERR_AUTH_FORBIDDEN, NULL,
			    "This invitation is for another email than yours at the provider");

	a->who.account.u = uuid_v7();
	b = let_in(c, a);
	batch_add(b, NULL, &sql_identity_account_create_invited,
		  ARGS(arg_uuid(a->who.account.u),
		       arg_uuid(rows_get_uuid(a->invitation, "realm_id")), arg_text(said.email),
		       arg_null(), arg_text(said.first_name), arg_text(said.last_name)));
	take_seat(b, c, a);

	return welcome(b, c, a, ret);
}

/*
 * Which of them it is
 */

static bool is_misplaced(const struct oauth_aim *aim, const struct rows *found)
{
	bool is_named = aim->tenant_slug || !uuid_is_nil(aim->tenant_id);

	return is_named && !aim->has_invitation && uuid_is_nil(rows_get_uuid(found, "tenant_id"));
}

static int let_in_as(struct ctx *c, struct arrival *a, const struct rows *found, struct grant *ret)
{
	bool is_linked = !uuid_is_nil(rows_get_uuid(found, "identity_id"));
	bool has_account = !uuid_is_nil(rows_get_uuid(found, "account_id"));

	if (is_linked && !has_account)
		return fail(c, ERR_AUTH_FORBIDDEN, NULL, "This account is deleted");
	if (is_misplaced(a->aim, found))
		return fail(
			c, ERR_AUTH_FORBIDDEN, NULL,
			"You have no seat in this tenant: ask one of its admins for an invitation");
	if (is_linked)
		return log_in_linked(c, a, ret);
	if (!a->person->email)
		return fail(c, ERR_AUTH_EMAIL_UNVERIFIED, NULL,
			    "The provider has no verified email of yours: verify it there first");
	if (has_account)
		return join(c, a, ret);

	return a->invitation ? accept(c, a, ret) : sign_up(c, a, ret);
}

/* An invitation is one to its tenant; a guest's, whose account is the platform's, to none. */
static int find_invitation(struct ctx *c, struct oauth_aim *aim, const struct rows **ret)
{
	int err;

	*ret = NULL;
	if (!aim->has_invitation)
		return OK;
	err = invite_find(c, &aim->invitation, ret);
	if (!err)
		aim->tenant_id = rows_get_uuid(*ret, "login_tenant_id");

	return err;
}

int oauth_arrive(struct ctx *c, const struct oauth_provider *p, const struct oauth_person *who,
		 const struct oauth_aim *aim, const char *user_agent, struct grant *ret)
{
	struct oauth_aim to = *aim;
	struct arrival a = { p, who, &to, NULL, { .user_agent = user_agent }, { uuid_v7() } };
	const struct rows *found;
	int err;

	err = find_invitation(c, &to, &a.invitation);
	if (!err)
		err = oauth_find(c, p, who, &to, (struct account_id){ 0 }, &found);
	if (err)
		return err;
	a.who.account.u = rows_get_uuid(found, "account_id");
	a.who.tenant.u = rows_get_uuid(found, "tenant_id");
	a.who.user.u = rows_get_uuid(found, "user_id");

	return let_in_as(c, &a, found, ret);
}
