/* Showing a CAPTCHA's token to its service: see captcha.h. */
#include "identity/captcha.h"

#include "base/config.h"
#include "base/ctx.h"
#include "base/jsonread.h"
#include "net/fetch.h"

#define PATH "captchaToken"

static int ask(struct ctx *c, const char *token, struct fetched *ret)
{
	const struct config *conf = config();
	const char *const form[][2] = {
		{ "secret", conf->captcha_secret },
		{ "response", token },
		{ "remoteip", c->actor.ip },
		{ NULL, NULL },
	};
	const struct fetch f = {
		.url = conf->captcha_verify_url,
		.body = fetch_form(c, form),
		.headers = { "Content-Type: application/x-www-form-urlencoded" },
	};

	return fetch(c, &f, ret);
}

/* {"success": true, …}: all that both services promise. *ret_is_solved when the answer is one. */
static bool is_answer(struct ctx *c, const struct fetched *f, bool *ret_is_solved)
{
	const struct json *object, *success;
	const char *why;
	size_t at;

	if (f->status != 200 || !jsonread_parse(c->arena, f->body, &object, &why, &at) ||
	    json_kind(object) != JSON_OBJECT || !jsonread_member(object, "success", &success) ||
	    json_kind(success) != JSON_BOOL)
		return false;
	*ret_is_solved = jsonread_bool(success);

	return true;
}

/* Without an answer nobody is let through: whoever can keep the service away could else pass. */
static int refuse_unanswered(struct ctx *c)
{
	c->fault = (struct fault){ 0 };

	return fail(c, ERR_SERVICE_UNAVAILABLE, NULL,
		    "The CAPTCHA could not be verified; try again");
}

int captcha_check(struct ctx *c, const char *token)
{
	struct fetched answer;
	bool is_solved;
	int err;

	if (!config()->captcha_secret)
		return OK;
	if (!token)
		return fail_issue(c, PATH, "invalid_type", "Required");

	err = ask(c, token, &answer);
	if (err || !is_answer(c, &answer, &is_solved))
		return refuse_unanswered(c);

	return is_solved ? OK : fail_issue(c, PATH, "custom", "The CAPTCHA was not solved");
}
