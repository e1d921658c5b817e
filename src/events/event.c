/*
 * The types of events, and how one is written.
 */
#include "events/event.h"

#include "base/ctx.h"
#include "db/batch.h"
#include "gen/sql_events.h"

#include <string.h>

/*
 * What happens in a tenant. To add one: a row here, batch_event() beside the change. The name is
 * what webhooks and workflows subscribe to: it is never changed.
 */
/* clang-format off */
const struct event_type event_types[] = {
	{ "tenant.created", "A tenant was founded" },
	{ "tenant.updated", "A tenant's name, slug or settings changed" },
	{ "tenant.suspended", "The platform suspended the tenant" },
	{ "tenant.reactivated", "The platform has let a suspended tenant go on" },
	{ "tenant.planChanged", "The platform changed the tenant's plan, limits or host name" },
	{ "tenant.ownershipTransferred", "An owner has made somebody else the owner in their place" },
	{ "access.refused", "A user was refused for want of a permission; the same at most once a minute" },
	{ "impersonation.started", "Somebody of the platform acts as a user from now on" },
	{ "user.created", "A user was invited, or came with a new tenant" },
	{ "user.updated", "A user's profile changed" },
	{ "user.rolesChanged", "A user has other roles from now on" },
	{ "user.suspended", "A user was suspended" },
	{ "user.reactivated", "A suspended user may act again" },
	{ "user.deleted", "A user lost the seat in the tenant" },
	{ "user.left", "A user has left the tenant" },
	{ "user.joined", "An invited person accepted, and is active from now on" },
	{ "invitation.sent", "An invitation was sent, or sent again" },
	{ "invitation.revoked", "An invitation was revoked, and its pending user removed" },
	{ "role.created", "A role was made" },
	{ "role.updated", "A role changed, and with it what its holders may do" },
	{ "role.deleted", "A role was deleted" },
	{ "apiKey.created", "An API key was made" },
	{ "apiKey.updated", "An API key's name, scopes or limits changed" },
	{ "apiKey.rotated", "An API key has a new secret" },
	{ "apiKey.revoked", "An API key was revoked" },
	{ "apiKey.deleted", "An API key was deleted" },
	{ "project.created", "A project was created" },
	{ "project.updated", "A project changed" },
	{ "project.archived", "A project was archived" },
	{ "project.restored", "An archived project is in use again" },
	{ "project.deleted", "A project was deleted" },
	{ 0 },
};

/* What happens to an account. */
const struct event_type account_event_types[] = {
	{ "account.created", "Somebody signed up" },
	{ "account.updated", "The account's profile changed" },
	{ "account.loggedIn", "A log-in with the right password, link or code; where there is a second factor, its first half" },
	{ "account.loginRefused", "A log-in with a wrong password or code, or to a tenant without a seat" },
	{ "account.passwordChanged", "The password changed; all other sessions were revoked" },
	{ "account.passwordReset", "The password was reset by mail; all sessions were revoked" },
	{ "account.emailVerified", "The person has shown to own the email" },
	{ "account.emailChangeAsked", "The email is to change, once both addresses have confirmed" },
	{ "account.emailChangeConfirmed", "One of the two addresses has confirmed the change" },
	{ "account.emailChanged", "The email changed: both addresses have confirmed" },
	{ "account.loggedOut", "A session, or all, ended by logging out" },
	{ "account.sessionRevoked", "A session was ended from another one" },
	{ "account.tenantSwitched", "A session works in another tenant from now on" },
	{ "account.tokenReused", "A refresh token came twice; its session was revoked" },
	{ "account.loggedInByProvider", "A log-in through another provider; where there is a second factor, its first half" },
	{ "account.linked", "Another provider's identity opens the account from now on" },
	{ "account.unlinked", "Another provider's identity opens the account no more" },
	{ "account.locked", "The platform locked the account; all its sessions ended" },
	{ "account.unlocked", "The platform has unlocked the account" },
	{ "account.resetRequired", "The platform wants the password reset before the next log-in; all sessions ended" },
	{ "account.sessionsRevoked", "The platform ended all sessions" },
	{ "account.impersonated", "Somebody of the platform acts as the account from now on" },
	{ "mfa.enabled", "One-time codes were enabled; if they are the first factor, all other sessions were revoked" },
	{ "mfa.disabled", "One-time codes were disabled" },
	{ "mfa.proven", "A second factor was right, at a log-in or before something dangerous" },
	{ "mfa.failed", "A second factor was wrong" },
	{ "mfa.recoveryCodeUsed", "A recovery code was used up" },
	{ "mfa.recoveryCodesRenewed", "A new set of recovery codes took the place of the old" },
	{ "passkey.added", "A passkey was registered; if it is the first factor, all other sessions were revoked" },
	{ "passkey.renamed", "A passkey has another name" },
	{ "passkey.removed", "A passkey was removed" },
	{ "passkey.refused", "A passkey's answer was refused: the device may have been copied" },
	{ 0 },
};
/* clang-format on */

static bool is_listed(const struct event_type *types, const char *name)
{
	for (; types->name; types++) {
		if (strcmp(types->name, name) == 0)
			return true;
	}

	return false;
}

/* of: what the transaction knows of the subject where it is nil, as events_create says. */
static void add_event(struct batch *b, struct ctx *c, const char *type, struct uuid subject,
		      const char *of, const char *data)
{
	BUG_IF(!is_listed(event_types, type));
	batch_add(b, NULL, &sql_events_create,
		  ARGS(arg_uuid(uuid_v7()), arg_text(type), arg_uuid(subject),
		       arg_text(actor_kind_name(c->actor.kind)), arg_text(c->actor.ip),
		       arg_text(c->request_id), arg_text(data), arg_text(of)));
}

void batch_event(struct batch *b, struct ctx *c, const char *type, struct uuid subject,
		 const char *data)
{
	add_event(b, c, type, subject, NULL, data);
}

void batch_event_of_seat(struct batch *b, struct ctx *c, const char *type)
{
	add_event(b, c, type, (struct uuid){ { 0 } }, "seat", NULL);
}

void batch_event_of_tenant(struct batch *b, struct ctx *c, const char *type)
{
	add_event(b, c, type, (struct uuid){ { 0 } }, "tenant", NULL);
}

void batch_account_event(struct batch *b, struct ctx *c, const char *type,
			 struct account_id account, const char *user_agent)
{
	BUG_IF(!is_listed(account_event_types, type));
	batch_add(b, NULL, &sql_events_create_of_account,
		  ARGS(arg_uuid(uuid_v7()), arg_text(type), arg_text(c->actor.ip),
		       arg_text(user_agent), arg_text(c->request_id), arg_uuid(account.u)));
}
