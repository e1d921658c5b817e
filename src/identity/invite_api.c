/*
 * Invitations over HTTP, for whom they were sent to.
 */
#include "identity/identity.h"

#include "http/api.h"
#include "identity/device.h"
#include "identity/grant_reply.h"
#include "identity/invite.h"

/*
 * Shapes
 */

/* clang-format off */
static const struct field role_key = { .type = T_SLUG, .max = 63, .about = "A role's key", .example = "member" };

static const struct field shown_fields[] = {
	{ "email", T_EMAIL, REQUIRED, .about = "Whom it is for", .example = "ann@example.com" },
	{ "tenantName", T_STRING, REQUIRED, .max = 200, .about = "The tenant that invites", .example = "Blue" },
	{ "tenantSlug", T_SLUG, REQUIRED, .max = 63, .about = "Its name in addresses", .example = "blue" },
	{ "roles", T_ARRAY, REQUIRED, .of = &role_key, .about = "What one will be there", .example = "[\"member\"]" },
	{ "invitedBy", T_STRING, NULLABLE, .about = "Who sent it", .example = "Bob Example" },
	{ "hasAccount", T_BOOL, REQUIRED, .about = "The email has an account: accept with its password", .example = "false" },
	{ "expiresAt", T_DATETIME, REQUIRED, .about = "Until when it can be accepted", .example = "2026-02-07T12:00:00.000Z" },
};
static const struct shape shown_shape = REPLY_SHAPE("InvitationShown", shown_fields);

static const struct field accept_fields[] = {
	{ "password", T_PASSWORD, REQUIRED, offsetof(struct invite_accept, password), .secret = true,
	  .about = "Of the account that has the email; or of the one that is made" },
	{ "firstName", T_STRING, OPTIONAL, offsetof(struct invite_accept, first_name), .min = 1, .max = 100, .pattern = "line",
	  .about = "Given name, of a new account", .example = "Ann" },
	{ "lastName", T_STRING, OPTIONAL, offsetof(struct invite_accept, last_name), .min = 1, .max = 100, .pattern = "line",
	  .about = "Family name, of a new account", .example = "Example" },
};
static const struct shape accept_shape = SHAPE("InvitationAccept", struct invite_accept, accept_fields);
/* clang-format on */

/*
 * Handlers
 */

static int show(struct request *r, const struct rows **ret)
{
	return invite_show(r->ctx, request_param(r, "token"), ret);
}

static int accept(struct request *r)
{
	struct grant g;
	int err;

	err = invite_accept(r->ctx, request_param(r, "token"), r->body, device_of(r), &g);

	return err ? err : grant_reply(r, &g);
}

static int join(struct request *r, const struct rows **ret)
{
	return invite_join(r->ctx, request_param(r, "token"), ret);
}

/*
 * Rows
 */

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/invitations/:token", TIER_AUTH, PERM_PUBLIC, RATE_AUTH,
	  .reply = &shown_shape, .flags = ROUTE_NO_STORE, .errors = ERRORS(ERR_RESOURCE_NOT_FOUND),
	  .summary = "Look at an invitation", .about = "With the token of the mail", .one = show },

	{ POST, "/invitations/:token/accept", TIER_AUTH, PERM_PUBLIC, RATE_AUTH,
	  .body = &accept_shape, .reply = &login_shape, .flags = ROUTE_SLOW | ROUTE_NO_STORE,
	  .errors = ERRORS(ERR_RESOURCE_NOT_FOUND, ERR_RESOURCE_CONFLICT, ERR_AUTH_INVALID_CREDENTIALS, ERR_AUTH_FORBIDDEN),
	  .summary = "Accept an invitation by password",
	  .about = "As the account that has the email, or else as a new one; logged in to the tenant", .handle = accept },

	{ POST, "/invitations/:token/join", TIER_AUTH, PERM_ACCOUNT, RATE_WRITE,
	  .reply = &seat_shape,
	  .errors = ERRORS(ERR_RESOURCE_NOT_FOUND, ERR_RESOURCE_CONFLICT, ERR_AUTH_FORBIDDEN),
	  .summary = "Accept an invitation, logged in",
	  .about = "As the account that is logged in, whose email it must be for; the session goes on where it is", .one = join },

	{ 0 },
};
/* clang-format on */

const struct mount invite_mount = { "invitations", routes, NULL, NULL };
