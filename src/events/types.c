/*
 * The tables of types: see types.h. To add one: a row here, batch_event() beside the change,
 * scripts/check --write. The name is what webhooks and workflows subscribe to: it is never changed.
 * What before and after show stands in subjects.c; a subject that is new gets a shape there.
 * tests/closure/events.c looks: each type is written by some test, and its data is what its row
 * says.
 */
#include "events/types.h"

#include "events/subjects.h"

#include <string.h>

/* What happens in a tenant. */
/* clang-format off */
const struct event_type event_types[] = {
	{ "tenant.created", "A tenant was founded", &tenant_state, NULL, PERM_MEMBER, true },
	{ "tenant.updated", "A tenant's name, slug or settings changed", &tenant_state, NULL, PERM_MEMBER, true },
	{ "tenant.suspended", "The platform suspended the tenant", &tenant_state, NULL, PERM_MEMBER, true },
	{ "tenant.reactivated", "The platform has let a suspended tenant go on", &tenant_state, NULL, PERM_MEMBER, true },
	{ "tenant.planChanged", "The platform changed the tenant's plan, limits or host name", &tenant_state, NULL, PERM_MEMBER, true },
	{ "tenant.deletionScheduled", "The tenant is about to be deleted; nobody gets in but who may take that back", &tenant_state, NULL, PERM_MEMBER, true },
	{ "tenant.deletionCancelled", "The tenant stays", &tenant_state, NULL, PERM_MEMBER, true },
	{ "tenant.deleted", "The grace period is over: the tenant is archived, and gone", &tenant_state, NULL, PERM_MEMBER, true },
	{ "tenant.restored", "The tenant came back from its archive", &tenant_state, NULL, PERM_MEMBER, true },
	{ "tenant.ownershipTransferred", "An owner has made somebody else the owner in their place", &tenant_state, NULL, PERM_MEMBER, true },
	{ "access.refused", "A user was refused for want of a permission; the same at most once a minute",
	  NULL, &refusal_extra, PERM_VIEW_AUDIT_LOGS, false },
	{ "impersonation.started", "Somebody of the platform acts as a user from now on",
	  NULL, &impersonation_extra, PERM_VIEW_AUDIT_LOGS, false },
	{ "user.created", "A user was invited, or came with a new tenant", &user_state, NULL, PERM_VIEW_USERS, true },
	{ "user.updated", "A user's profile changed", &user_state, NULL, PERM_VIEW_USERS, true },
	{ "user.rolesChanged", "A user has other roles from now on", &user_state, NULL, PERM_VIEW_USERS, true },
	{ "user.suspended", "A user was suspended", &user_state, NULL, PERM_VIEW_USERS, true },
	{ "user.reactivated", "A suspended user may act again", &user_state, NULL, PERM_VIEW_USERS, true },
	{ "user.deleted", "A user lost the seat in the tenant", &user_state, NULL, PERM_VIEW_USERS, true },
	{ "user.erasureRequested", "A user's seat has ended, and soon nothing says whose it was", &user_state, NULL, PERM_VIEW_USERS, true },
	{ "user.erased", "Nothing says any more who a former user was", &user_state, &erasure_extra, PERM_VIEW_USERS, true },
	{ "user.left", "A user has left the tenant", &user_state, NULL, PERM_VIEW_USERS, true },
	{ "user.joined", "An invited person accepted, and is active from now on", &user_state, NULL, PERM_VIEW_USERS, true },
	{ "invitation.sent", "An invitation was sent, or sent again", &invitation_state, NULL, PERM_VIEW_USERS, true },
	{ "invitation.revoked", "An invitation was revoked, and its pending user removed", &invitation_state, NULL, PERM_VIEW_USERS, true },
	{ "role.created", "A role was made", &role_state, NULL, PERM_VIEW_ROLES, true },
	{ "role.updated", "A role changed, and with it what its holders may do", &role_state, NULL, PERM_VIEW_ROLES, true },
	{ "role.deleted", "A role was deleted", &role_state, NULL, PERM_VIEW_ROLES, true },
	{ "apiKey.created", "An API key was made", &api_key_state, NULL, PERM_MANAGE_API_KEYS, true },
	{ "apiKey.updated", "An API key's name, scopes or limits changed", &api_key_state, NULL, PERM_MANAGE_API_KEYS, true },
	{ "apiKey.rotated", "An API key has a new secret", &api_key_state, NULL, PERM_MANAGE_API_KEYS, true },
	{ "apiKey.expiring", "An API key runs out within a week; said once for each end that it is given", NULL, &expiry_extra, PERM_MANAGE_API_KEYS, true },
	{ "apiKey.revoked", "An API key was revoked", &api_key_state, NULL, PERM_MANAGE_API_KEYS, true },
	{ "apiKey.deleted", "An API key was deleted", &api_key_state, NULL, PERM_MANAGE_API_KEYS, true },
	{ "job.failed", "A job of the tenant's failed for good; not one that mails or tells something", NULL, &job_end_extra, PERM_VIEW_JOBS, true },
	{ "job.cancelled", "A job of the tenant's was cancelled: at once, or when it had stopped; not one that mails or tells something", NULL, &job_end_extra, PERM_VIEW_JOBS, true },
	{ "webhook.created", "A webhook was made", &webhook_state, NULL, PERM_VIEW_WEBHOOKS, true },
	{ "webhook.updated", "A webhook's address, types of events or other settings changed; it was enabled or disabled", &webhook_state, NULL, PERM_VIEW_WEBHOOKS, true },
	{ "webhook.secretRotated", "A webhook has a new secret", &webhook_state, NULL, PERM_VIEW_WEBHOOKS, true },
	{ "webhook.disabled", "A webhook was disabled because it failed for five days, or said that it is gone", &webhook_state, &webhook_extra, PERM_VIEW_WEBHOOKS, true },
	{ "webhook.deleted", "A webhook was deleted", &webhook_state, NULL, PERM_VIEW_WEBHOOKS, true },
	{ "project.created", "A project was created", &project_state, NULL, PERM_VIEW_PROJECTS, true },
	{ "project.updated", "A project changed", &project_state, NULL, PERM_VIEW_PROJECTS, true },
	{ "project.archived", "A project was archived", &project_state, NULL, PERM_VIEW_PROJECTS, true },
	{ "project.restored", "An archived project is in use again", &project_state, NULL, PERM_VIEW_PROJECTS, true },
	{ "project.deleted", "A project was deleted", &project_state, NULL, PERM_VIEW_PROJECTS, true },
	{ 0 },
};

/* What happens to an account: told to nobody live, and to no webhook. */
#define OF_ACCOUNT .perm = PERM_ACCOUNT
const struct event_type account_event_types[] = {
	{ "account.created", "Somebody signed up", OF_ACCOUNT },
	{ "account.updated", "The account's profile changed", OF_ACCOUNT },
	{ "account.loggedIn", "A log-in with the right password, link or code; where there is a second factor, its first half", OF_ACCOUNT },
	{ "account.loginRefused", "A log-in with a wrong password or code, or to a tenant without a seat", OF_ACCOUNT },
	{ "account.passwordChanged", "The password changed; all other sessions were revoked", OF_ACCOUNT },
	{ "account.passwordReset", "The password was reset by mail; all sessions were revoked", OF_ACCOUNT },
	{ "account.emailVerified", "The person has shown to own the email", OF_ACCOUNT },
	{ "account.emailChangeAsked", "The email is to change, once both addresses have confirmed", OF_ACCOUNT },
	{ "account.emailChangeConfirmed", "One of the two addresses has confirmed the change", OF_ACCOUNT },
	{ "account.emailChanged", "The email changed: both addresses have confirmed", OF_ACCOUNT },
	{ "account.loggedOut", "A session, or all, ended by logging out", OF_ACCOUNT },
	{ "account.sessionRevoked", "A session was ended from another one", OF_ACCOUNT },
	{ "account.tenantSwitched", "A session works in another tenant from now on", OF_ACCOUNT },
	{ "account.tokenReused", "A refresh token came twice; its session was revoked", OF_ACCOUNT },
	{ "account.loggedInByProvider", "A log-in through another provider; where there is a second factor, its first half", OF_ACCOUNT },
	{ "account.linked", "Another provider's identity opens the account from now on", OF_ACCOUNT },
	{ "account.unlinked", "Another provider's identity opens the account no more", OF_ACCOUNT },
	{ "account.locked", "The platform locked the account; all its sessions ended", OF_ACCOUNT },
	{ "account.unlocked", "The platform has unlocked the account", OF_ACCOUNT },
	{ "account.resetRequired", "The platform wants the password reset before the next log-in; all sessions ended", OF_ACCOUNT },
	{ "account.deletionScheduled", "The person has asked for the account to be erased; all sessions ended", OF_ACCOUNT },
	{ "account.sessionsRevoked", "The platform ended all sessions", OF_ACCOUNT },
	{ "account.adminGranted", "The account runs the platform from now on: it was made a global admin at the host", OF_ACCOUNT },
	{ "account.adminRevoked", "The account is no global admin any more; all its sessions ended", OF_ACCOUNT },
	{ "account.jobCancelled", "The account cancelled a job for the platform", OF_ACCOUNT },
	{ "account.jobRetried", "The account had a job run again for the platform", OF_ACCOUNT },
	{ "account.jobDiscarded", "The account discarded a job for the platform", OF_ACCOUNT },
	{ "account.queuePaused", "The account paused a queue of jobs for the platform", OF_ACCOUNT },
	{ "account.queueResumed", "The account had a paused queue of jobs go on", OF_ACCOUNT },
	{ "account.impersonated", "Somebody of the platform acts as the account from now on", OF_ACCOUNT },
	{ "mfa.enabled", "One-time codes were enabled; if they are the first factor, all other sessions were revoked", OF_ACCOUNT },
	{ "mfa.disabled", "One-time codes were disabled", OF_ACCOUNT },
	{ "mfa.proven", "A second factor was right, at a log-in or before something dangerous", OF_ACCOUNT },
	{ "mfa.failed", "A second factor was wrong", OF_ACCOUNT },
	{ "mfa.recoveryCodeUsed", "A recovery code was used up", OF_ACCOUNT },
	{ "mfa.recoveryCodesRenewed", "A new set of recovery codes took the place of the old", OF_ACCOUNT },
	{ "passkey.added", "A passkey was registered; if it is the first factor, all other sessions were revoked", OF_ACCOUNT },
	{ "passkey.renamed", "A passkey has another name", OF_ACCOUNT },
	{ "passkey.removed", "A passkey was removed", OF_ACCOUNT },
	{ "passkey.refused", "A passkey's answer was refused: the device may have been copied", OF_ACCOUNT },
	{ 0 },
};
/* clang-format on */

const struct event_type *event_type_find(const char *name)
{
	for (const struct event_type *t = event_types; t->name; t++)
		if (strcmp(t->name, name) == 0)
			return t;

	return NULL;
}
