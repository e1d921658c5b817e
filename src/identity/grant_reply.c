/* The replies that say who one is and what one was granted: see grant_reply.h. */
#include "identity/grant_reply.h"

#include "db/rows.h"
#include "http/api.h"
#include "identity/credential.h"
#include "identity/grant.h"

/*
 * Shapes
 */

/* clang-format off */
static const char *const tenant_statuses[] = { "active", "suspended", NULL };
static const struct field role_key = { .type = T_SLUG, .max = 63, .about = "A role's key", .example = "owner" };
static const struct field permission_name = { .type = T_STRING, .max = 100, .about = "A permission", .example = "canViewUsers" };

static const struct field user_fields[] = {
	{ "id", T_UUID, REQUIRED, .about = "The account, in all of its tenants; the claim sub of its tokens",
	  .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e8f" },
	{ "email", T_EMAIL, REQUIRED, .about = "What the person logs in with", .example = "ann@example.com" },
	{ "firstName", T_STRING, NULLABLE, .about = "Given name", .example = "Ann" },
	{ "lastName", T_STRING, NULLABLE, .about = "Family name", .example = "Example" },
	{ "emailVerified", T_BOOL, REQUIRED, .about = "The person has shown to own the email", .example = "true" },
	{ "mfaEnabled", T_BOOL, REQUIRED, .about = "Logs in with a second factor", .example = "false" },
	{ "isGlobalAdmin", T_BOOL, REQUIRED, .about = "One of the platform's own people", .example = "false" },
	{ "impersonatedBy", T_UUID, NULLABLE, .about = "The account of the platform that acts as this person; null: nobody",
	  .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e92" },
	{ "tenantId", T_UUID, NULLABLE, .about = "The tenant that the session works in",
	  .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e90" },
	{ "userId", T_UUID, NULLABLE, .about = "The seat in that tenant, as /users/{id} knows it",
	  .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e91" },
	{ "role", T_SLUG, NULLABLE, .max = 63, .about = "The highest built-in role of the seat, or else one of its roles", .example = "owner" },
	{ "roles", T_ARRAY, REQUIRED, .of = &role_key, .about = "Keys of all roles of the seat", .example = "[\"owner\"]" },
	{ "permissions", T_ARRAY, REQUIRED, .of = &permission_name, .about = "What the seat may do", .example = "[\"canViewUsers\"]" },
	{ "lastLoginAt", T_DATETIME, NULLABLE, .about = "When the person last logged in", .example = "2026-01-31T12:00:00.000Z" },
	{ "createdAt", T_DATETIME, REQUIRED, .about = "When the account was created", .example = "2026-01-31T12:00:00.000Z" },
	{ "updatedAt", T_DATETIME, REQUIRED, .about = "When it last changed", .example = "2026-01-31T12:00:00.000Z" },
};
static const struct shape user_shape = REPLY_SHAPE("Me", user_fields);

static const struct field tenant_fields[] = {
	{ "id", T_UUID, REQUIRED, .about = "Never changes", .example = "0190f6a0-7b1c-7c3e-9d2f-3a4b5c6d7e90" },
	{ "slug", T_SLUG, REQUIRED, .max = 63, .about = "Name in addresses", .example = "blue" },
	{ "name", T_STRING, REQUIRED, .max = 200, .about = "Name shown to people", .example = "Blue" },
	{ "plan", T_STRING, REQUIRED, .max = 40, .about = "What it has subscribed to", .example = "free" },
	{ "status", T_ENUM, REQUIRED, .words = tenant_statuses, .about = "suspended: its routes are refused", .example = "active" },
	{ "settings", T_JSON, REQUIRED, .about = "The tenant's own settings", .example = "{}" },
};
static const struct shape tenant_shape = REPLY_SHAPE("ActiveTenant", tenant_fields);

#define SAID \
	{ "user", T_OBJECT, REQUIRED, .shape = &user_shape, .about = "Who the session belongs to" }, \
	{ "tenant", T_OBJECT, NULLABLE, .shape = &tenant_shape, .about = "The tenant that it works in; null without a seat" }
#define ACCESS_TOKEN \
	{ "accessToken", T_STRING, REQUIRED, .secret = true, .about = "JWT for Authorization: Bearer" }
#define EXPIRES_IN \
	{ "expiresIn", T_INT, REQUIRED, .about = "Seconds that the access token lives", .example = "900" }

static const struct field me_fields[] = { SAID };
const struct shape me_shape = REPLY_SHAPE("MeReply", me_fields);

static const char *const methods[] = { "totp", "recovery", "passkey", NULL };
static const struct field method = { .type = T_ENUM, .words = methods, .about = "A way to prove it", .example = "totp" };
static const struct field demand_fields[] = {
	{ "mfaRequired", T_BOOL, REQUIRED, .about = "true: there is no session yet", .example = "true" },
	{ "methods", T_ARRAY, REQUIRED, .of = &method, .about = "What the account can prove it with", .example = "[\"totp\"]" },
	{ "mfaToken", T_STRING, REQUIRED, .secret = true,
	  .about = "For POST /mfa/challenge or POST /passkeys/login/options, within five minutes" },
};
static const struct shape demand_shape = REPLY_SHAPE("MfaDemand", demand_fields);
/* The row has all but the token. */
static const struct shape demand_row = { .name = "MfaDemandRow", .fields = demand_fields,
	.fields_len = ARRAY_LEN(demand_fields) - 1 };

static const struct field login_fields[] = {
	SAID,
	ACCESS_TOKEN,
	{ "refreshToken", T_STRING, REQUIRED, .secret = true, .about = "Gives the next access token, once" },
	EXPIRES_IN,
};
const struct shape granted_shape = REPLY_SHAPE("Granted", login_fields);
const struct shape login_shape = { .name = "Login", .fields = login_fields, .fields_len = ARRAY_LEN(login_fields),
	.instead = &demand_shape };

static const struct field switch_fields[] = { SAID, ACCESS_TOKEN, EXPIRES_IN };
const struct shape switch_shape = REPLY_SHAPE("TenantSwitched", switch_fields);
const struct shape impersonation_shape = REPLY_SHAPE("Impersonating", switch_fields);
/* clang-format on */

/*
 * Replies
 */

void grant_write_me(struct jsonwrite *w, const struct grant *g)
{
	jsonwrite_key(w, "user");
	reply_write_row(w, &user_shape, g->me, 0);
	jsonwrite_key(w, "tenant");
	if (rows_len(g->tenant) > 0)
		reply_write_row(w, &tenant_shape, g->tenant, 0);
	else
		jsonwrite_null(w);
}

int grant_reply(struct request *r, const struct grant *g)
{
	struct jsonwrite w;

	if (g->mfa_token)
		return reply_row_and(r, &demand_row, g->demand, "mfaToken", g->mfa_token);
	if (g->cookie)
		reply_header(r, "Set-Cookie",
			     session_cookie(r->ctx->arena, g->cookie, g->cookie_max_age_s));

	reply_begin(r, &w);
	grant_write_me(&w, g);
	jsonwrite_member_text(&w, "accessToken", g->access_token);
	if (g->refresh_token)
		jsonwrite_member_text(&w, "refreshToken", g->refresh_token);
	jsonwrite_member_i64(&w, "expiresIn", g->expires_in_s);

	return reply_end(r, &w);
}
