/* Asking for a mail: see mail_reply.h. */
#include "identity/mail_reply.h"

#include "http/api.h"
#include "identity/captcha.h"
#include "identity/recovery.h"

/* clang-format off */
static const struct field ask_fields[] = {
	{ "email", T_EMAIL, REQUIRED, offsetof(struct mail_ask, email), .max = 254,
	  .about = "As at sign-up", .example = "ann@example.com" },
	{ "tenant", T_STRING, OPTIONAL, offsetof(struct mail_ask, tenant), .min = 1, .max = 63,
	  .about = "Slug or id of a tenant that has its own people", .example = "blue" },
	{ "captchaToken", T_STRING, OPTIONAL, offsetof(struct mail_ask, captcha_token), .min = 1, .max = 4096, .secret = true,
	  .about = "What the CAPTCHA's widget gave, where one is wanted" },
};
const struct shape mail_ask_shape = SHAPE("MailAsk", struct mail_ask, ask_fields);

static const struct field accepted_fields[] = {
	{ "message", T_STRING, REQUIRED, .about = "What to do next", .example = "Look at your mail" },
};
const struct shape mail_accepted_shape = REPLY_SHAPE("MailAccepted", accepted_fields);
/* clang-format on */

int mail_ask_check(struct request *r)
{
	const struct mail_ask *in = r->body;

	return captcha_check(r->ctx, in->captcha_token);
}

int mail_reply(struct request *r)
{
	struct jsonwrite w;

	reply_status(r, 202);
	reply_begin(r, &w);
	jsonwrite_member_text(&w, "message", "Look at your mail: it says how to go on");

	return reply_end(r, &w);
}
