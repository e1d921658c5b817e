/*
 * Every domain whose rows are served. One line each, in the order of the document.
 */
#include "domains/mount.h"

#include "domains/apikeys/apikeys.h"
#include "domains/audit/audit.h"
#include "domains/deletion/deletion.h"
#include "domains/events/events.h"
#include "domains/invitations/invitations.h"
#include "domains/jobs/jobs.h"
#include "domains/notifications/notifications.h"
#include "domains/organisations/organisations.h"
#include "domains/platform/platform.h"
#include "domains/projects/projects.h"
#include "domains/roles/roles.h"
#include "domains/tenant/tenant.h"
#include "domains/users/users.h"
#include "domains/webhooks/webhooks.h"
#include "http/system.h"
#include "identity/identity.h"

/* clang-format off */
const struct mount *const mounts[] = {
	&system_mount,
	&auth_mount,
	&account_mount,
	&mfa_mount,
	&passkeys_mount,
	&recovery_mount,
	&maillogin_mount,
	&invite_mount,
	&oauth_mount,
	&keys_mount,
	&ticket_mount,
	&users_mount,
	&invitations_mount,
	&roles_mount,
	&apikeys_mount,
	&projects_mount,
	&tenant_mount,
	&deletion_mount,
	&mfa_policy_mount,
	&jobs_mount,
	&events_mount,
	&notifications_mount,
	&unsubscribe_mount,
	&webhooks_mount,
	&webhook_deliveries_mount,
	&organisations_mount,
	&audit_mount,
	&platform_mount,
	&platform_accounts_mount,
	NULL,
};
/* clang-format on */
