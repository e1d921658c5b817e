/*
 * Invitations over HTTP, as the tenant sees them.
 */
#include "domains/invitations/invitations.h"

#include "http/api.h"

/*
 * Shapes
 */

/* clang-format off */
static const char *const statuses[] = { "pending", "expired", "accepted", "revoked", NULL };
static const struct field role_key = { .type = T_SLUG, .max = 63, .about = "A role's key", .example = "member" };

static const struct field filter_fields[] = {
	{ "status", T_ENUM, OPTIONAL, offsetof(struct invitation_filter, status), .words = statuses,
	  .about = "Only invitations with this status", .example = "pending" },
};
static const struct shape filter = SHAPE("InvitationFilter", struct invitation_filter, filter_fields);

static const struct field invitation_fields[] = {
	{ "id", T_UUID, REQUIRED, .about = "Never changes", .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e93" },
	{ "userId", T_UUID, REQUIRED, .about = "The user who becomes active", .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f" },
	{ "email", T_EMAIL, REQUIRED, .about = "Where it was sent", .example = "john@example.com" },
	{ "roles", T_ARRAY, REQUIRED, .of = &role_key, .about = "Keys of the user's roles", .example = "[\"member\"]" },
	{ "status", T_ENUM, REQUIRED, .words = statuses, .about = "pending can be accepted; expired can be sent again", .example = "pending" },
	{ "invitedBy", T_UUID, NULLABLE, .about = "The user who sent it first", .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e91" },
	{ "sends", T_INT, REQUIRED, .about = "How often it was sent", .example = "1" },
	{ "sentAt", T_DATETIME, REQUIRED, .about = "When it was sent last", .example = "2026-01-31T12:00:00.000Z" },
	{ "expiresAt", T_DATETIME, REQUIRED, .about = "Until when it can be accepted", .example = "2026-02-07T12:00:00.000Z" },
	{ "acceptedAt", T_DATETIME, NULLABLE, .about = "When it was accepted", .example = "2026-01-31T12:00:00.000Z" },
	{ "createdAt", T_DATETIME, REQUIRED, .about = "When it was made", .example = "2026-01-31T12:00:00.000Z" },
};
static const struct shape invitation = REPLY_SHAPE("Invitation", invitation_fields);
/* clang-format on */

/*
 * Handlers
 */

static struct invitation_id id_of(const struct request *r)
{
	return (struct invitation_id){ request_id_param(r, "id") };
}

static int list(struct request *r, const struct page **ret)
{
	return invitations_list(r->ctx, r->query, r->paging, ret);
}

static int resend(struct request *r, const struct rows **ret)
{
	return invitations_resend(r->ctx, id_of(r), ret);
}

static int revoke(struct request *r)
{
	return invitations_revoke(r->ctx, id_of(r));
}

/*
 * Rows
 */

#define TENANT_TIERS (TIER_API | TIER_ADMIN)

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/invitations", TENANT_TIERS, PERM_VIEW_USERS, RATE_SEARCH,
	  .query = &filter, .reply = &invitation, .sorts = "createdAt", .flags = ROUTE_REPLICA,
	  .summary = "List invitations", .about = "POST /users sends one", .page = list },

	{ POST, "/invitations/:id/resend", TENANT_TIERS, PERM_MANAGE_USERS, RATE_WRITE,
	  .reply = &invitation, .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Send an invitation again", .about = "It can be accepted for as long as a new one", .one = resend },

	{ DELETE, "/invitations/:id", TENANT_TIERS, PERM_MANAGE_USERS, RATE_WRITE,
	  .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Revoke an invitation", .about = "Its pending user is removed with it", .none = revoke },

	{ 0 },
};
/* clang-format on */

const struct mount invitations_mount = { "invitations", routes, NULL,
					 "Who was asked into the tenant and has yet to come" };
