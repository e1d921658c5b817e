/*
 * The table of mails, and how one is filled in: see mails.h.
 *
 * To add a mail: a row here, and one in letters.c that says to whom it goes. Every value that a
 * template may name is listed in docs/admin.md.
 */
#include "identity/mails.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/str.h"
#include "identity/template.h"
#include "net/mail.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define TEMPLATE_BYTES_MAX KIB(256)
#define ITEMS              "{{items}}"

/* What every page of ours has around what it says: no pictures, nothing fetched. */
#define PAGE(content)                                                                              \
	"<!DOCTYPE html>\n<html lang=\"en\">\n"                                                    \
	"<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"    \
	"<title>{{product}}</title></head>\n"                                                      \
	"<body style=\"margin:0;padding:24px;background:#f4f4f5;color:#18181b;"                    \
	"font:16px/1.5 system-ui,sans-serif\">\n"                                                  \
	"<div style=\"max-width:560px;margin:auto;padding:32px;background:#fff;"                   \
	"border-radius:8px\">\n"                                                                   \
	"<p>Hello {{name}},</p>\n" content                                                         \
	"<p style=\"color:#71717a;font-size:14px\">{{product}}</p>\n</div>\n</body>\n</html>\n"
#define TEXT(content) "Hello {{name}},\n\n" content "\n{{product}}\n"

#define BUTTON(label)                                                                              \
	"<p><a href=\"{{link}}\" style=\"display:inline-block;padding:12px 20px;"                  \
	"background:#18181b;color:#fff;border-radius:6px;text-decoration:none\">" label            \
	"</a></p>\n<p style=\"font-size:14px\">It is good once, for {{lifetime}}.</p>\n"
#define LINK "\n{{link}}\n\nThe link is good once, for {{lifetime}}.\n"

/* clang-format off */
const struct mail_template mail_templates[] = {
	{ "emailVerification", "Verify your email",
	  TEXT("please open this link to show that {{email}} is yours:\n" LINK
	       "If you have not signed up, ignore this mail.\n"),
	  PAGE("<p>please show that {{email}} is yours:</p>\n" BUTTON("Verify my email")
	       "<p>If you have not signed up, ignore this mail.</p>\n") },

	{ "welcome", "Welcome to {{product}}",
	  TEXT("{{email}} is verified, and your account is ready. Log in at {{appUrl}}.\n"
	       "\nA second factor keeps it yours: an app's codes or a passkey, under your account's security.\n"),
	  PAGE("<p>{{email}} is verified, and your account is ready. Log in at <a href=\"{{appUrl}}\">{{appUrl}}</a>.</p>\n"
	       "<p>A second factor keeps it yours: an app's codes or a passkey, under your account's security.</p>\n") },

	{ "accountExists", "You have an account already",
	  TEXT("somebody, probably you, has signed up with {{email}}, which has an account already.\n"
	       "Log in at {{appUrl}}; if you have forgotten the password, reset it there.\n"
	       "\nIf it was not you, ignore this mail: nothing has changed.\n"),
	  PAGE("<p>somebody, probably you, has signed up with {{email}}, which has an account already. "
	       "Log in at <a href=\"{{appUrl}}\">{{appUrl}}</a>; if you have forgotten the password, reset it there.</p>\n"
	       "<p>If it was not you, ignore this mail: nothing has changed.</p>\n") },

	{ "passwordReset", "Reset your password",
	  TEXT("with this link you choose a new password:\n" LINK
	       "If you have not asked for it, ignore this mail: the password stays as it is.\n"),
	  PAGE("<p>here you choose a new password:</p>\n" BUTTON("Choose a new password")
	       "<p>If you have not asked for it, ignore this mail: the password stays as it is.</p>\n") },

	{ "passwordChanged", "Your password was changed",
	  TEXT("the password of {{email}} was changed, and other sessions were ended.\n"
	       "\nIf it was not you, reset the password at {{appUrl}}, and secure your mailbox.\n"),
	  PAGE("<p>the password of {{email}} was changed, and other sessions were ended.</p>\n"
	       "<p>If it was not you, reset the password at <a href=\"{{appUrl}}\">{{appUrl}}</a>, and secure your mailbox.</p>\n") },

	{ "factorAdded", "A second factor was added",
	  TEXT("from now on {{email}} can be logged in to with one second factor more: an app's codes, or a passkey.\n"
	       "\nIf it was not you, reset the password at {{appUrl}}, then remove that factor.\n"),
	  PAGE("<p>from now on {{email}} can be logged in to with one second factor more: an app's codes, or a passkey.</p>\n"
	       "<p>If it was not you, reset the password at <a href=\"{{appUrl}}\">{{appUrl}}</a>, then remove that factor.</p>\n") },

	{ "factorRemoved", "A second factor was removed",
	  TEXT("{{email}} can no longer be logged in to with one of its second factors: an app's codes, or a passkey.\n"
	       "\nIf it was not you, reset the password at {{appUrl}}, then set up a factor anew.\n"),
	  PAGE("<p>{{email}} can no longer be logged in to with one of its second factors: an app's codes, or a passkey.</p>\n"
	       "<p>If it was not you, reset the password at <a href=\"{{appUrl}}\">{{appUrl}}</a>, then set up a factor anew.</p>\n") },

	{ "emailChangeOld", "Confirm the change of your email",
	  TEXT("somebody, probably you, wants to log in as {{newEmail}} instead of {{email}}. Confirm it here:\n" LINK
	       "If it was not you, ignore this mail and change your password: nothing changes without this link.\n"),
	  PAGE("<p>somebody, probably you, wants to log in as {{newEmail}} instead of {{email}}.</p>\n" BUTTON("Confirm")
	       "<p>If it was not you, ignore this mail and change your password: nothing changes without this link.</p>\n") },

	{ "emailChangeNew", "Confirm your new email",
	  TEXT("please open this link to show that {{email}} is yours; it takes the place of {{oldEmail}}:\n" LINK
	       "If you know nothing of this, ignore this mail.\n"),
	  PAGE("<p>please show that {{email}} is yours; it takes the place of {{oldEmail}}.</p>\n" BUTTON("Confirm")
	       "<p>If you know nothing of this, ignore this mail.</p>\n") },

	{ "magicLink", "Your link to log in",
	  TEXT("this link logs you in:\n" LINK
	       "If you have not asked for it, ignore this mail, and give the link to nobody.\n"),
	  PAGE("<p>this logs you in:</p>\n" BUTTON("Log in")
	       "<p>If you have not asked for it, ignore this mail, and give the link to nobody.</p>\n") },

	{ "emailCode", "Your code to log in",
	  TEXT("your code is {{code}}\n\nIt is good once, for {{lifetime}}. We never ask you for it: give it to nobody.\n"),
	  PAGE("<p>your code is</p>\n<p style=\"font-size:28px;letter-spacing:4px\">{{code}}</p>\n"
	       "<p>It is good once, for {{lifetime}}. We never ask you for it: give it to nobody.</p>\n") },

	{ "invitation", "{{invitedBy}} invites you to {{tenant}}",
	  TEXT("{{invitedBy}} invites you to {{tenant}}. Accept here:\n" LINK
	       "If you know neither, ignore this mail.\n"),
	  PAGE("<p>{{invitedBy}} invites you to {{tenant}}.</p>\n" BUTTON("Accept the invitation")
	       "<p>If you know neither, ignore this mail.</p>\n") },

	{ "tenantDeletion", "{{tenant}} is about to be deleted",
	  TEXT("{{tenant}} and all that is in it will be deleted on {{date}}.\n"
	       "\nIts owners can take that back until then: they log in at {{appUrl}} as they always do.\n"),
	  PAGE("<p>{{tenant}} and all that is in it will be deleted on {{date}}.</p>\n"
	       "<p>Its owners can take that back until then: they log in at <a href=\"{{appUrl}}\">{{appUrl}}</a> as they always do.</p>\n") },

	{ "accountDeletion", "Your account is about to be deleted",
	  TEXT("the account of {{email}} will be deleted on {{date}}, as you have asked.\n"
	       "\nIf you want to keep it, or have not asked for that, log in at {{appUrl}} before.\n"),
	  PAGE("<p>the account of {{email}} will be deleted on {{date}}, as you have asked.</p>\n"
	       "<p>If you want to keep it, or have not asked for that, log in at <a href=\"{{appUrl}}\">{{appUrl}}</a> before.</p>\n") },

	{ "newDevice", "A log-in from a new device",
	  TEXT("somebody, probably you, has logged in as {{email}} from where you never have:\n"
	       "\n  {{device}}\n  {{ip}}\n"
	       "\nIf it was you, there is nothing to do. If not, change your password at {{appUrl}} and end that session.\n"),
	  PAGE("<p>somebody, probably you, has logged in as {{email}} from where you never have:</p>\n"
	       "<p>{{device}}<br>{{ip}}</p>\n"
	       "<p>If it was you, there is nothing to do. If not, change your password at "
	       "<a href=\"{{appUrl}}\">{{appUrl}}</a> and end that session.</p>\n") },

	{ "identityLinked", "You can log in with {{provider}} now",
	  TEXT("an account at {{provider}} was linked to {{email}}: whoever has it can log in as you.\n"
	       "\nIf it was not you, change your password at {{appUrl}}, end all sessions and unlink it.\n"),
	  PAGE("<p>an account at {{provider}} was linked to {{email}}: whoever has it can log in as you.</p>\n"
	       "<p>If it was not you, change your password at <a href=\"{{appUrl}}\">{{appUrl}}</a>, end all sessions and "
	       "unlink it.</p>\n") },

	{ "notification", "{{title}}",
	  TEXT("{{body}}\n\n{{appUrl}}/notifications\n"
	       "\nYou get this as a user of {{tenant}}. No more mails of this kind:\n{{unsubscribe}}\n"),
	  PAGE("<p>{{body}}</p>\n<p><a href=\"{{appUrl}}/notifications\">Open your notifications</a></p>\n"
	       "<p style=\"font-size:14px\">You get this as a user of {{tenant}}. "
	       "<a href=\"{{unsubscribe}}\">No more mails of this kind</a></p>\n") },

	{ "securityNotice", "{{title}}",
	  TEXT("{{body}}\n\n{{appUrl}}/notifications\n"
	       "\nYou get this as a user of {{tenant}}. Notices of security cannot be turned off.\n"),
	  PAGE("<p>{{body}}</p>\n<p><a href=\"{{appUrl}}/notifications\">Open your notifications</a></p>\n"
	       "<p style=\"font-size:14px\">You get this as a user of {{tenant}}. "
	       "Notices of security cannot be turned off.</p>\n") },

	{ "notificationDigest", "What is new in {{tenant}}",
	  TEXT("this is what you have not read yet in {{tenant}}, {{count}} in all:\n\n{{items}}\n{{appUrl}}/notifications\n"
	       "\nNo more mails like this:\n{{unsubscribe}}\n"),
	  PAGE("<p>this is what you have not read yet in {{tenant}}, {{count}} in all:</p>\n<ul>\n{{items}}</ul>\n"
	       "<p><a href=\"{{appUrl}}/notifications\">Open your notifications</a></p>\n"
	       "<p style=\"font-size:14px\"><a href=\"{{unsubscribe}}\">No more mails like this</a></p>\n") },

	/* One of {{items}}; it has no subject that is sent. */
	{ "notificationDigestItem", "{{title}}", "- {{title}}\n  {{body}}\n",
	  "<li><b>{{title}}</b><br>{{body}}</li>\n" },

	{ 0 },
};
/* clang-format on */

static const struct mail_template *find(const char *name)
{
	const struct mail_template *t = mail_templates;

	while (t->name && strcmp(t->name, name) != 0)
		t++;
	BUG_IF(!t->name);

	return t;
}

/* An admin's file; *ret is NULL when there is none. */
static int read_override(struct ctx *c, const char *path, const char **ret)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text;
	ssize_t got = 1;
	size_t len = 0;

	*ret = NULL;
	if (fd < 0 && errno == ENOENT)
		return OK;

	text = arena_alloc(c->arena, TEMPLATE_BYTES_MAX);
	while (fd >= 0 && got > 0 && len < TEMPLATE_BYTES_MAX) {
		got = read(fd, text + len, TEMPLATE_BYTES_MAX - len);
		len += got > 0 ? (size_t)got : 0;
	}
	if (fd < 0 || got < 0)
		return fail_internal(c, "%s: could not be read: %s", path, strerror(errno));
	if (len == TEMPLATE_BYTES_MAX)
		return fail_internal(c, "%s: is longer than 256 KiB", path);
	text[len] = '\0';
	if (!str_is_utf8((struct str){ text, len }))
		return fail_internal(c, "%s: is not UTF-8 text", path);
	*ret = text;

	return OK;
}

/* One of the three, whosever it is; path is which, for messages. */
static int find_text(struct ctx *c, const char *name, const char *extension, const char *built_in,
		     const char **ret_path, const char **ret)
{
	const char *folder = config()->mail_templates;
	int err;

	*ret = built_in;
	*ret_path = arena_printf(c->arena, "the built-in %s.%s", name, extension);
	if (!folder)
		return OK;

	*ret_path = arena_printf(c->arena, "%s/%s.%s", folder, name, extension);
	err = read_override(c, *ret_path, ret);
	if (!err && !*ret)
		*ret = built_in;

	return err;
}

static int fill_in(struct ctx *c, struct buf *out, const char *path, struct str text,
		   const struct template_value *values, bool as_html)
{
	struct str wrong;

	if (!template_write(out, text, values, as_html, &wrong))
		return fail_internal(c, "%s: no value for \"%.*s\"", path, STR_FMT(wrong));
	if (out->overflow)
		return fail_internal(c, "%s: too long", path);

	return OK;
}

/* One of a template's three texts, and between its parts the items where it says so. */
struct part {
	const char *name, *extension, *built_in;
	const struct template_value *values;
	struct str items; /* made already; ptr NULL: it has none */
};

static int render(struct ctx *c, const struct part *p, const char **ret)
{
	bool as_html = strcmp(p->extension, "html") == 0;
	const char *path, *text, *at;
	struct buf out;
	int err;

	err = find_text(c, p->name, p->extension, p->built_in, &path, &text);
	if (err)
		return err;

	buf_init(&out, c->arena, TEMPLATE_BYTES_MAX);
	at = p->items.ptr ? strstr(text, ITEMS) : NULL;
	if (at) {
		err = fill_in(c, &out, path, (struct str){ text, (size_t)(at - text) }, p->values,
			      as_html);
		if (err)
			return err;
		buf_add(&out, p->items.ptr, p->items.len);
		text = at + strlen(ITEMS);
	}
	err = fill_in(c, &out, path, str_of(text), p->values, as_html);
	*ret = out.data ? out.data : "";

	return err;
}

/* All of them, one after another. */
static int render_items(struct ctx *c, const struct mail_items *items, bool as_html,
			struct str *ret)
{
	const struct mail_template *t = find(items->name);
	const char *extension = as_html ? "html" : "txt", *path, *text;
	struct buf out;
	int err;

	err = find_text(c, t->name, extension, as_html ? t->html : t->text, &path, &text);
	if (err)
		return err;

	buf_init(&out, c->arena, TEMPLATE_BYTES_MAX);
	buf_str(&out, "");
	for (size_t i = 0; i < items->len && !err; i++)
		err = fill_in(c, &out, path, str_of(text), items->values[i], as_html);
	*ret = buf_view(&out);

	return err;
}

int mails_render_list(struct ctx *c, const char *name, const struct template_value *values,
		      const struct mail_items *items, struct mail *ret)
{
	const struct mail_template *t = find(name);
	struct str text_items = { 0 }, html_items = { 0 };
	int err = OK;

	if (items)
		err = render_items(c, items, false, &text_items);
	if (items && !err)
		err = render_items(c, items, true, &html_items);
	if (!err)
		err = render(c, &(struct part){ name, "subject", t->subject, values, { 0 } },
			     &ret->subject);
	if (!err)
		err = render(c, &(struct part){ name, "txt", t->text, values, text_items },
			     &ret->text);
	if (!err)
		err = render(c, &(struct part){ name, "html", t->html, values, html_items },
			     &ret->html);

	return err;
}

int mails_render(struct ctx *c, const char *name, const struct template_value *values,
		 struct mail *ret)
{
	return mails_render_list(c, name, values, NULL, ret);
}
