/*
 * The table of kinds: see kinds.h.
 *
 * To add one: a row here. Where several rows are of one event, the first that is for somebody is
 * the one they get. tests/integration/notifications_told.c holds every row against who should get
 * it, and its texts against the values there are.
 */
#include "domains/notifications/kinds.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/jsonwrite.h"

#include <string.h>

#define JSON_BYTES_MAX KIB(64)

/* clang-format off */
const struct notification_kind notification_kinds[] = {
	{ "invitation.accepted", "Somebody whom you have invited has joined", "user.joined",
	  TO_INVITER, .in_app = true, .email = "instant",
	  .title = "{{subject}} has joined {{tenant}}",
	  .body = "{{subject}} has accepted your invitation to {{tenant}}." },

	{ "user.joined", "Somebody has joined the tenant", "user.joined",
	  TO_HOLDERS, PERM_MANAGE_USERS, .in_app = true, .email = "digest",
	  .title = "{{subject}} has joined {{tenant}}",
	  .body = "{{subject}} has accepted an invitation to {{tenant}}." },

	{ "user.left", "Somebody has left the tenant", "user.left",
	  TO_HOLDERS, PERM_MANAGE_USERS, .in_app = true, .email = "digest",
	  .title = "{{subject}} has left {{tenant}}",
	  .body = "{{subject}} has given up their seat in {{tenant}}." },

	{ "user.rolesChanged", "Your roles changed", "user.rolesChanged",
	  TO_SUBJECT, .in_app = true, .email = "instant",
	  .title = "Your roles in {{tenant}} changed",
	  .body = "{{actor}} has changed your roles in {{tenant}}. You have now: {{roles}}." },

	{ "user.suspended", "You were suspended", "user.suspended",
	  TO_SUBJECT, .in_app = true, .email = "instant",
	  .title = "Your access to {{tenant}} is suspended",
	  .body = "{{actor}} has suspended your access to {{tenant}}." },

	{ "user.reactivated", "You may act again", "user.reactivated",
	  TO_SUBJECT, .in_app = true, .email = "instant",
	  .title = "Your access to {{tenant}} is back",
	  .body = "{{actor}} has lifted the suspension of your access to {{tenant}}." },

	{ "impersonation.started", "Somebody of the platform acts as you", "impersonation.started",
	  TO_SUBJECT, .is_security = true, .in_app = true, .email = "instant",
	  .title = "Somebody of the platform acts as you in {{tenant}}",
	  .body = "For {{minutes}} minutes at most. The reason they gave: {{reason}}" },

	{ "apiKey.created", "An API key that acts as you was made", "apiKey.created",
	  TO_MAKER, .is_security = true, .in_app = true, .email = "instant",
	  .title = "An API key was made in your name",
	  .body = "\"{{subject}}\" acts as you in {{tenant}}. If you have not made it, revoke it and change your password." },

	{ "apiKey.rotated", "An API key that acts as you has a new secret", "apiKey.rotated",
	  TO_MAKER, .is_security = true, .in_app = true, .email = "instant",
	  .title = "An API key of yours has a new secret",
	  .body = "\"{{subject}}\" in {{tenant}}. If you have not rotated it, revoke it and change your password." },

	{ "apiKey.revoked", "Somebody else revoked your API key", "apiKey.revoked",
	  TO_MAKER, .in_app = true, .email = "instant",
	  .title = "Your API key \"{{subject}}\" was revoked",
	  .body = "{{actor}} has revoked it in {{tenant}}. Programs that use it are refused from now on." },

	{ "apiKey.expiring", "Your API key runs out within a week", "apiKey.expiring",
	  TO_MAKER, .in_app = true, .email = "instant",
	  .title = "Your API key \"{{subject}}\" runs out soon",
	  .body = "It is good until {{expires}} in {{tenant}}. Give it a later end, or make another before then." },

	{ "tenant.ownershipTransferred", "The tenant has another owner", "tenant.ownershipTransferred",
	  TO_OWNERS, .in_app = true, .email = "instant",
	  .title = "{{tenant}} has another owner",
	  .body = "{{actor}} has handed the ownership of {{tenant}} over." },

	{ "tenant.planChanged", "The tenant's plan, limits or host name changed", "tenant.planChanged",
	  TO_OWNERS, .in_app = true, .email = "instant",
	  .title = "The plan of {{tenant}} changed",
	  .body = "{{tenant}} is on the plan \"{{plan}}\" from now on." },

	{ "tenant.suspended", "The platform suspended the tenant", "tenant.suspended",
	  TO_OWNERS, .in_app = true, .email = "instant",
	  .title = "{{tenant}} is suspended",
	  .body = "The platform has suspended {{tenant}}: its users and API keys are refused." },

	{ "tenant.reactivated", "The platform lets the tenant go on", "tenant.reactivated",
	  TO_OWNERS, .in_app = true, .email = "instant",
	  .title = "{{tenant}} may go on",
	  .body = "The platform has lifted the suspension of {{tenant}}." },

	{ "tenant.deletionScheduled", "The tenant is to be deleted", "tenant.deletionScheduled",
	  TO_OWNERS, .in_app = true, .email = "instant",
	  .title = "{{tenant}} is to be deleted",
	  .body = "{{actor}} has asked for {{tenant}} to be deleted. Until that is done you can take it back." },

	{ "tenant.deletionCancelled", "The tenant is not deleted after all", "tenant.deletionCancelled",
	  TO_OWNERS, .in_app = true, .email = "instant",
	  .title = "{{tenant}} stays",
	  .body = "{{actor}} has taken the deletion of {{tenant}} back." },

	{ "job.failed", "A job of the tenant failed for good", "job.failed",
	  TO_HOLDERS, PERM_MANAGE_JOBS, .in_app = true, .email = "digest",
	  .title = "A job of {{tenant}} has failed",
	  .body = "\"{{kind}}\" was given up after its last attempt: {{error}}" },

	{ "webhook.disabled", "A webhook was disabled because it failed", "webhook.disabled",
	  TO_OWNERS, .in_app = true, .email = "instant",
	  .title = "A webhook of {{tenant}} was disabled",
	  .body = "{{subject}} is {{reason}}, so events are not sent there any more. Once it answers again, enable it and replay what it has missed." },

	{ 0 },
};
/* clang-format on */

static const char *const audiences[] = {
	[TO_SUBJECT] = "subject", [TO_MAKER] = "maker",   [TO_INVITER] = "inviter",
	[TO_HOLDERS] = "holders", [TO_OWNERS] = "owners",
};

const struct notification_kind *notification_kind(const char *name)
{
	for (const struct notification_kind *k = notification_kinds; k->name; k++)
		if (strcmp(k->name, name) == 0)
			return k;

	return NULL;
}

static void write_kind(struct jsonwrite *w, const struct notification_kind *k)
{
	jsonwrite_object(w);
	jsonwrite_member_i64(w, "place", k - notification_kinds);
	jsonwrite_member_text(w, "kind", k->name);
	jsonwrite_member_text(w, "about", k->about);
	jsonwrite_member_text(w, "type", k->event);
	jsonwrite_member_text(w, "audience", audiences[k->to]);
	jsonwrite_member_text(w, "permission", permissions[k->perm].name);
	jsonwrite_member_bool(w, "is_security", k->is_security);
	jsonwrite_member_bool(w, "in_app", k->in_app);
	jsonwrite_member_text(w, "email", k->email);
	jsonwrite_member_text(w, "title", k->title);
	jsonwrite_member_text(w, "body", k->body);
	jsonwrite_object_end(w);
}

struct str notification_kinds_json(struct arena *a)
{
	struct jsonwrite w;
	struct buf out;

	buf_init(&out, a, JSON_BYTES_MAX);
	jsonwrite_init(&w, &out);
	jsonwrite_array(&w);
	for (const struct notification_kind *k = notification_kinds; k->name; k++)
		write_kind(&w, k);
	jsonwrite_array_end(&w);
	BUG_IF(out.overflow);

	return buf_view(&out);
}
