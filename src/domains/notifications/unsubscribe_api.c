/*
 * Links that end mails, as mail programs and people follow them. A program posts (RFC 8058 section
 * 3.1); a person gets a page that asks, since scanners of mails open every link in them.
 */
#include "domains/notifications/kinds.h"
#include "domains/notifications/notifications.h"
#include "domains/notifications/unsubscribe.h"

#include "base/arena.h"
#include "base/str.h"
#include "http/api.h"

/* The page's own style, and nothing that anybody else has written. */
#define CONTENT_SECURITY_POLICY                                                                    \
	"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "     \
	"frame-ancestors 'none'"

/* As mails look (identity/mails.c). */
#define STYLE                                                                                      \
	"body{margin:0;padding:24px;background:#f4f4f5;color:#18181b;"                             \
	"font:16px/1.5 system-ui,sans-serif}"                                                      \
	"main{max-width:560px;margin:auto;padding:16px 32px;background:#fff;border-radius:8px}"    \
	"button{margin:0 0 16px;padding:12px 20px;border:0;border-radius:6px;"                     \
	"background:#18181b;color:#fff;font:inherit}"

static int take_link(struct request *r, struct subscription *ret)
{
	if (unsubscribe_read(r->ctx->arena, str_of(request_param(r, "token")), ret))
		return OK;

	return fail(r->ctx, ERR_RESOURCE_NOT_FOUND, NULL,
		    "This link is not whole, or not good any more: choose your mails in the "
		    "dashboard");
}

/* content is ours, and so is what a kind says of itself: nothing here is to be escaped. */
static int show(struct request *r, const struct subscription *s, const char *content)
{
	const struct notification_kind *k = s->kind ? notification_kind(s->kind) : NULL;
	const char *page =
		arena_printf(r->ctx->arena,
			     "<!doctype html>\n<html lang=\"en\">\n"
			     "<head><meta charset=\"utf-8\"><meta name=\"viewport\" "
			     "content=\"width=device-width\"><title>Mails</title>\n"
			     "<style>" STYLE "</style></head>\n"
			     "<body>\n<main>\n<p>%s</p>\n%s</main>\n</body>\n</html>\n",
			     k ? k->about : "What you have not read yet, once a day", content);

	reply_header(r, "Content-Security-Policy", CONTENT_SECURITY_POLICY);

	return reply_body(r, "text/html; charset=utf-8", page, strlen(page));
}

static int ask(struct request *r)
{
	struct subscription s;
	int err = take_link(r, &s);

	return err ? err
		   : show(r, &s,
			  "<form method=\"post\"><input type=\"hidden\" "
			  "name=\"List-Unsubscribe\" value=\"One-Click\">"
			  "<button>Send me no more mails of this kind</button></form>\n");
}

static int end(struct request *r)
{
	struct subscription s;
	int err = take_link(r, &s);

	if (!err)
		err = unsubscribe(r->ctx, &s);

	return err ? err : show(r, &s, "<p>You get no more mails of this kind.</p>\n");
}

/* clang-format off */
static const struct route routes[] = {
	{ GET, "/api/unsubscribe/:token", TIER_SYSTEM, PERM_PUBLIC, RATE_READ,
	  .flags = ROUTE_HIDDEN, .errors = ERRORS(ERR_RESOURCE_NOT_FOUND),
	  .summary = "Ask whether mails of a kind are to end", .handle = ask },

	{ POST, "/api/unsubscribe/:token", TIER_SYSTEM, PERM_PUBLIC, RATE_WRITE,
	  .flags = ROUTE_HIDDEN | ROUTE_RAW_BODY, .errors = ERRORS(ERR_RESOURCE_NOT_FOUND),
	  .summary = "End mails of a kind", .handle = end },

	{ 0 },
};
/* clang-format on */

const struct mount unsubscribe_mount = { "unsubscribe", routes, NULL, NULL };
