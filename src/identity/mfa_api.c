/*
 * Multi-factor authentication over HTTP.
 */
#include "identity/identity.h"

#include "http/api.h"
#include "identity/grant.h"
#include "identity/grant_reply.h"
#include "identity/mfa.h"

/*
 * Shapes
 */

/* clang-format off */
#define CODE_MIN 6
#define CODE_MAX 32

static const struct field mfa_fields[] = {
	{ "enabled", T_BOOL, REQUIRED, .about = "The account has a second factor, and needs it to log in", .example = "true" },
	{ "totpEnabledAt", T_DATETIME, NULLABLE, .about = "Since when one-time codes of an app are one", .example = "2026-01-31T12:00:00.000Z" },
	{ "passkeys", T_INT, REQUIRED, .about = "How many there are", .example = "1" },
	{ "recoveryCodesLeft", T_INT, REQUIRED, .about = "Not used yet, of ten", .example = "10" },
	{ "provenAt", T_DATETIME, NULLABLE, .about = "When a factor was last proven in this session", .example = "2026-01-31T12:00:00.000Z" },
};
static const struct shape mfa = REPLY_SHAPE("Mfa", mfa_fields);

static const struct field setup_fields[] = {
	{ "secret", T_STRING, REQUIRED, .secret = true, .about = "For typing into an app, base32" },
	{ "otpauthUrl", T_STRING, REQUIRED, .secret = true, .about = "The same with name and parameters, as apps read it" },
	{ "qrSvg", T_STRING, REQUIRED, .secret = true, .about = "The URL as a QR code, an SVG document" },
};
static const struct shape setup_shape = REPLY_SHAPE("TotpSetup", setup_fields);

static const struct field code_fields[] = {
	{ "code", T_STRING, REQUIRED, offsetof(struct mfa_code, code), .min = CODE_MIN, .max = CODE_MAX, .secret = true,
	  .about = "Six digits of an app, or a recovery code", .example = "123456" },
};
static const struct shape code_shape = SHAPE("MfaCode", struct mfa_code, code_fields);

static const struct field challenge_fields[] = {
	{ "mfaToken", T_STRING, REQUIRED, offsetof(struct mfa_challenge, token), .min = 1, .max = 128, .secret = true,
	  .about = "What the log-in gave" },
	{ "code", T_STRING, REQUIRED, offsetof(struct mfa_challenge, code), .min = CODE_MIN, .max = CODE_MAX, .secret = true,
	  .about = "Six digits of an app, or a recovery code", .example = "123456" },
};
static const struct shape challenge_shape = SHAPE("MfaChallenge", struct mfa_challenge, challenge_fields);

static const struct field disable_fields[] = {
	{ "code", T_STRING, OPTIONAL, offsetof(struct totp_disable, code), .min = CODE_MIN, .max = CODE_MAX, .secret = true,
	  .about = "Six digits of the app, or a recovery code", .example = "123456" },
	{ "password", T_STRING, OPTIONAL, offsetof(struct totp_disable, password), .min = 1, .max = 128, .secret = true,
	  .about = "Instead of a code" },
};
static const struct shape disable_shape = SHAPE("TotpDisable", struct totp_disable, disable_fields);

static const struct field recovery_code = { .type = T_STRING, .secret = true, .about = "Good once, in place of any second factor" };
static const struct field codes_fields[] = {
	{ "recoveryCodes", T_ARRAY, REQUIRED, .of = &recovery_code, .about = "Shown this once: to be printed and put away" },
};
static const struct shape codes_shape = REPLY_SHAPE("RecoveryCodes", codes_fields);
/* clang-format on */

/*
 * Handlers
 */

static int get(struct request *r, const struct rows **ret)
{
	return mfa_state(r->ctx, ret);
}

static int set_up(struct request *r)
{
	struct totp_setup s;
	struct jsonwrite w;
	int err;

	err = totp_set_up(r->ctx, &s);
	if (err)
		return err;

	reply_begin(r, &w);
	jsonwrite_member_text(&w, "secret", s.secret);
	jsonwrite_member_text(&w, "otpauthUrl", s.url);
	jsonwrite_member_text(&w, "qrSvg", s.qr_svg);

	return reply_end(r, &w);
}

static int reply_codes(struct request *r, const struct recovery_codes *codes)
{
	struct jsonwrite w;

	reply_begin(r, &w);
	jsonwrite_key(&w, "recoveryCodes");
	jsonwrite_array(&w);
	for (size_t i = 0; i < RECOVERY_CODES; i++)
		jsonwrite_text(&w, codes->v[i]);
	jsonwrite_array_end(&w);

	return reply_end(r, &w);
}

static int enable(struct request *r)
{
	struct recovery_codes codes;
	int err;

	err = totp_enable(r->ctx, r->body, &codes);

	return err ? err : reply_codes(r, &codes);
}

static int disable(struct request *r)
{
	return totp_disable(r->ctx, r->body);
}

static int renew_codes(struct request *r)
{
	struct recovery_codes codes;
	int err;

	err = recovery_codes_renew(r->ctx, &codes);

	return err ? err : reply_codes(r, &codes);
}

static int challenge(struct request *r)
{
	struct grant g;
	int err;

	err = mfa_log_in(r->ctx, r->body, &g);

	return err ? err : grant_reply(r, &g);
}

static int step_up(struct request *r)
{
	return mfa_step_up(r->ctx, r->body);
}

/*
 * Rows
 */

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/mfa", TIER_AUTH, PERM_ACCOUNT, RATE_READ,
	  .reply = &mfa,
	  .summary = "Get my second factors", .one = get },

	{ POST, "/mfa/challenge", TIER_AUTH, PERM_PUBLIC, RATE_AUTH,
	  .body = &challenge_shape, .reply = &granted_shape, .flags = ROUTE_NO_STORE,
	  .errors = ERRORS(ERR_AUTH_MFA_INVALID, ERR_AUTH_FORBIDDEN),
	  .summary = "Finish a log-in", .about = "With the second factor that the log-in has asked for. A code is good once; after five "
	  "failures each attempt has to wait, twice as long each time", .handle = challenge },

	{ POST, "/mfa/step-up", TIER_AUTH, PERM_ACCOUNT, RATE_AUTH,
	  .body = &code_shape, .flags = ROUTE_NO_STORE,
	  .errors = ERRORS(ERR_AUTH_MFA_INVALID),
	  .summary = "Prove my second factor again", .about = "Routes that say so want it proven within the last 15 minutes", .none = step_up },

	{ POST, "/mfa/totp/setup", TIER_AUTH, PERM_ACCOUNT, RATE_WRITE,
	  .reply = &setup_shape, .flags = ROUTE_NO_STORE | ROUTE_STEP_UP | ROUTE_RECENT,
	  .errors = ERRORS(ERR_RESOURCE_CONFLICT),
	  .summary = "Set up one-time codes", .about = "A secret for an authenticator app; it counts when /mfa/totp/enable has seen a code of it",
	  .handle = set_up },

	{ POST, "/mfa/totp/enable", TIER_AUTH, PERM_ACCOUNT, RATE_AUTH,
	  .body = &code_shape, .reply = &codes_shape, .flags = ROUTE_NO_STORE | ROUTE_STEP_UP | ROUTE_RECENT,
	  .errors = ERRORS(ERR_AUTH_MFA_INVALID, ERR_RESOURCE_CONFLICT),
	  .summary = "Enable one-time codes", .about = "From now on a log-in needs one. The first factor ends all other sessions", .handle = enable },

	{ POST, "/mfa/totp/disable", TIER_AUTH, PERM_ACCOUNT, RATE_AUTH,
	  .body = &disable_shape, .flags = ROUTE_SLOW | ROUTE_NO_STORE,
	  .errors = ERRORS(ERR_AUTH_MFA_INVALID),
	  .summary = "Disable one-time codes", .about = "By a code or the password. The last factor takes the recovery codes with it", .none = disable },

	{ POST, "/mfa/recovery-codes", TIER_AUTH, PERM_ACCOUNT, RATE_WRITE,
	  .reply = &codes_shape, .flags = ROUTE_NO_STORE | ROUTE_STEP_UP,
	  .errors = ERRORS(ERR_RULE_VIOLATED),
	  .summary = "Make new recovery codes", .about = "Those there were are good no more", .handle = renew_codes },

	{ 0 },
};
/* clang-format on */

const struct mount mfa_mount = {
	"MFA", routes, NULL, "Second factors: an app's codes, recovery codes, proving one again"
};
