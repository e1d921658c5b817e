/*
 * Passkeys over HTTP. What goes in and out is WebAuthn's own JSON, so that a page hands it on:
 * PublicKeyCredential.parseCreationOptionsFromJSON() and toJSON().
 */
#include "identity/identity.h"

#include "http/api.h"
#include "identity/device.h"
#include "identity/grant_reply.h"
#include "identity/passkey.h"
#include "identity/passkey_reply.h"

/*
 * Handlers
 */

static struct passkey_id id_of(const struct request *r)
{
	return (struct passkey_id){ request_id_param(r, "id") };
}

static int list(struct request *r, const struct rows **ret)
{
	return passkey_list(r->ctx, ret);
}

static int patch(struct request *r, const struct rows **ret)
{
	return passkey_rename(r->ctx, id_of(r), r->body, ret);
}

static int remove_one(struct request *r)
{
	return passkey_remove(r->ctx, id_of(r));
}

static int register_options(struct request *r)
{
	struct passkey_options o;
	int err;

	err = passkey_register_options(r->ctx, &o);

	return err ? err : passkey_reply_creation(r, &o);
}

static int create(struct request *r, const struct rows **ret)
{
	return passkey_register(r->ctx, r->body, ret);
}

static int login_options(struct request *r)
{
	struct passkey_options o;
	int err;

	err = passkey_login_options(r->ctx, r->body, &o);

	return err ? err : passkey_reply_request(r, &o);
}

static int log_in(struct request *r)
{
	struct grant g;
	int err;

	err = passkey_log_in(r->ctx, r->body, device_of(r), &g);

	return err ? err : grant_reply(r, &g);
}

static int step_up_options(struct request *r)
{
	struct passkey_options o;
	int err;

	err = passkey_step_up_options(r->ctx, &o);

	return err ? err : passkey_reply_request(r, &o);
}

static int step_up(struct request *r)
{
	return passkey_step_up(r->ctx, r->body);
}

/*
 * Rows
 */

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/passkeys", TIER_AUTH, PERM_ACCOUNT, RATE_READ,
	  .reply = &passkey_shape,
	  .summary = "List my passkeys", .about = "At most 25", .all = list },

	{ PATCH, "/passkeys/:id", TIER_AUTH, PERM_ACCOUNT, RATE_WRITE,
	  .body = &passkey_patch_shape, .reply = &passkey_shape,
	  .summary = "Rename a passkey", .one = patch },

	{ DELETE, "/passkeys/:id", TIER_AUTH, PERM_ACCOUNT, RATE_WRITE, .flags = ROUTE_STEP_UP,
	  .errors = ERRORS(ERR_RULE_VIOLATED),
	  .summary = "Remove a passkey", .about = "The last factor takes the recovery codes with it; the last way to log in stays", .none = remove_one },

	{ POST, "/passkeys/register/options", TIER_AUTH, PERM_ACCOUNT, RATE_WRITE,
	  .reply = &passkey_creation_shape, .flags = ROUTE_NO_STORE | ROUTE_STEP_UP | ROUTE_RECENT,
	  .summary = "Begin to register a passkey", .about = "For navigator.credentials.create()", .handle = register_options },

	{ POST, "/passkeys/register", TIER_AUTH, PERM_ACCOUNT, RATE_WRITE,
	  .body = &passkey_new_shape, .reply = &passkey_shape, .status = 201, .flags = ROUTE_NO_STORE | ROUTE_STEP_UP | ROUTE_RECENT,
	  .errors = ERRORS(ERR_AUTH_MFA_INVALID, ERR_RESOURCE_CONFLICT, ERR_RULE_VIOLATED),
	  .summary = "Register a passkey", .about = "The first factor ends all other sessions", .one = create },

	{ POST, "/passkeys/login/options", TIER_AUTH, PERM_PUBLIC, RATE_AUTH,
	  .body = &passkey_login_ask_shape, .reply = &passkey_request_shape, .flags = ROUTE_NO_STORE,
	  .errors = ERRORS(ERR_AUTH_MFA_INVALID),
	  .summary = "Begin to log in with a passkey", .about = "For navigator.credentials.get(); with an mfaToken, as the second factor",
	  .handle = login_options },

	{ POST, "/passkeys/login", TIER_AUTH, PERM_PUBLIC, RATE_AUTH,
	  .body = &passkey_login_shape, .reply = &granted_shape, .flags = ROUTE_NO_STORE,
	  .errors = ERRORS(ERR_AUTH_MFA_INVALID, ERR_AUTH_EMAIL_UNVERIFIED, ERR_AUTH_FORBIDDEN),
	  .summary = "Log in with a passkey", .about = "Alone it counts for both factors, so the device must have verified the person",
	  .handle = log_in },

	{ POST, "/passkeys/step-up/options", TIER_AUTH, PERM_ACCOUNT, RATE_WRITE,
	  .reply = &passkey_request_shape, .flags = ROUTE_NO_STORE,
	  .summary = "Begin to prove a passkey again", .about = "For navigator.credentials.get()", .handle = step_up_options },

	{ POST, "/passkeys/step-up", TIER_AUTH, PERM_ACCOUNT, RATE_WRITE,
	  .body = &passkey_step_up_shape, .flags = ROUTE_NO_STORE,
	  .errors = ERRORS(ERR_AUTH_MFA_INVALID),
	  .summary = "Prove a passkey again", .about = "Routes that say so want it proven within the last 15 minutes", .none = step_up },

	{ 0 },
};
/* clang-format on */

const struct mount passkeys_mount = { "passkeys", routes, passkey_conflicts,
				      "WebAuthn, as a second factor or as the only one" };
