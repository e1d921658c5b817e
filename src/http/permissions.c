/* The table of permissions: see permissions.h. */
#include "http/permissions.h"

#include <assert.h>

#define EVERYONE (ROLE_OWNER | ROLE_ADMIN | ROLE_MEMBER | ROLE_VIEWER)
#define ADMINS   (ROLE_OWNER | ROLE_ADMIN)

/* clang-format off */
const struct permission permissions[PERM_COUNT] = {
	[PERM_VIEW_USERS] = { "canViewUsers", "See the tenant's users and invitations", EVERYONE },
	[PERM_MANAGE_USERS] = { "canManageUsers", "Invite, change, suspend and remove users", ADMINS },
	[PERM_VIEW_ROLES] = { "canViewRoles", "See the tenant's roles and what they permit", EVERYONE },
	[PERM_MANAGE_ROLES] = { "canManageRoles", "Make roles and change them", ADMINS },
	[PERM_MANAGE_API_KEYS] = { "canManageApiKeys", "Make API keys, see and revoke everybody's", ADMINS },
	[PERM_VIEW_PROJECTS] = { "canViewProjects", "See the tenant's projects", EVERYONE },
	[PERM_MANAGE_PROJECTS] = { "canManageProjects", "Create, change, archive and delete projects",
		ADMINS | ROLE_MEMBER },
	[PERM_MANAGE_TENANT] = { "canManageTenant", "Change the tenant's name, address and settings",
		ROLE_OWNER },
	[PERM_DELETE_TENANT] = { "canDeleteTenant", "Have the tenant deleted, and take that back while it lasts", ROLE_OWNER },
	[PERM_MANAGE_BILLING] = { "canManageBilling", "Choose the plan, see and pay invoices", ROLE_OWNER },
	[PERM_MANAGE_SERVERS] = { "canManageServers", "Create, change and delete servers, volumes, networks, firewalls",
		ADMINS },
	[PERM_VIEW_AUDIT_LOGS] = { "canViewAuditLogs", "Read and export the audit log", ADMINS },
	[PERM_VIEW_WEBHOOKS] = { "canViewWebhooks", "See the tenant's webhooks, and what was sent to them", ADMINS },
	[PERM_MANAGE_WEBHOOKS] = { "canManageWebhooks", "Create, change, test and delete webhooks, and send again", ADMINS },
	[PERM_VIEW_JOBS] = { "canViewJobs", "See the tenant's jobs and how far they are", EVERYONE },
	[PERM_MANAGE_JOBS] = { "canManageJobs", "Cancel the tenant's jobs", ADMINS },
};
/* clang-format on */
static_assert(ARRAY_LEN(permissions) == PERM_COUNT, "a row for each permission");

const char *builtin_role_name(enum builtin_role r)
{
	switch (r) {
	case ROLE_OWNER: return "owner";
	case ROLE_ADMIN: return "admin";
	case ROLE_MEMBER: return "member";
	case ROLE_VIEWER: return "viewer";
	}

	BUG("a built-in role has no name");
}
