/* Templates of mails: values in their places, and nothing else. */
#include "identity/template.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/ctx.h"
#include "identity/mails.h"
#include "net/mail.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena *arena;

static void begin(void)
{
	arena = arena_new();
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(template, .init = begin, .fini = end);

static const struct template_value values[] = {
	{ "name", "Ann" },
	{ "wicked", "<b>\"&'\r\n{{name}}" },
	{ "nothing", NULL },
	{ 0 },
};

/* NULL when it is refused. */
static const char *filled(const char *text, bool as_html)
{
	struct str wrong;
	struct buf out;

	buf_init(&out, arena, KIB(64));
	if (!template_write(&out, str_of(text), values, as_html, &wrong))
		return NULL;
	return out.data ? out.data : "";
}

Test(template, has_its_values_in_their_places)
{
	cr_assert_str_eq(filled("Hello {{name}}, {{ name }}!", false), "Hello Ann, Ann!");
	cr_assert_str_eq(filled("{{nothing}}", false), "");
	cr_assert_str_eq(filled("", false), "");
	cr_assert_str_eq(filled("{ {name} }}", false), "{ {name} }}");
}

Test(template, takes_values_for_text)
{
	cr_assert_str_eq(filled("{{wicked}}", false), "<b>\"&'  {{name}}");
	cr_assert_str_eq(filled("<a href=\"{{wicked}}\">", true),
			 "<a href=\"&lt;b&gt;&quot;&amp;&#39;  {{name}}\">");
}

Test(template, that_names_what_has_no_value_is_refused)
{
	static const char *const wrong[] = { "{{other}}", "{{name", "{{}}",
					     "{{7*7}}",   "a {{",   "{{{name}}}" };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		cr_expect_null(filled(wrong[i], false), "%s", wrong[i]);
}

Test(template, cuts_a_value_that_is_too_long_between_characters)
{
	char *text = arena_alloc(arena, 2 * TEMPLATE_VALUE_CHARS_MAX + 2);
	const struct template_value long_one[] = { { "x", text }, { 0 } };
	struct str wrong;
	struct buf out;

	text[0] = 'a';
	for (size_t i = 0; i < TEMPLATE_VALUE_CHARS_MAX; i++) {
		text[2 * i + 1] = '\xc3';
		text[2 * i + 2] = '\xa4';
	}
	text[2 * TEMPLATE_VALUE_CHARS_MAX + 1] = '\0';
	buf_init(&out, arena, KIB(64));
	cr_assert(template_write(&out, STR("{{x}}"), long_one, false, &wrong));
	cr_assert_leq(out.len, TEMPLATE_VALUE_CHARS_MAX);
	cr_assert(str_is_utf8(buf_view(&out)));
}

/* Every value that any letter may have. */
static const struct template_value all[] = {
	{ "name", "n" },        { "email", "e" },
	{ "product", "p" },     { "appUrl", "u" },
	{ "device", "d" },      { "ip", "i" },
	{ "lifetime", "l" },    { "code", "c" },
	{ "token", "t" },       { "link", "k" },
	{ "newEmail", "n" },    { "oldEmail", "o" },
	{ "tenant", "t" },      { "invitedBy", "b" },
	{ "title", "t" },       { "body", "b" },
	{ "count", "2" },       { "items", "i" },
	{ "unsubscribe", "u" }, { "provider", "p" },
	{ "date", "d" },        { 0 },
};

Test(template, of_each_mail_is_whole)
{
	static struct config conf = { 0 };
	struct ctx c;

	config_set(&conf);
	ctx_reset(&c, arena);
	for (const struct mail_template *t = mail_templates; t->name; t++) {
		struct mail m;

		cr_expect_eq(mails_render(&c, t->name, all, &m), 0, "%s: %s", t->name,
			     c.fault.detail);
		cr_expect(*m.subject && *m.text && *m.html, "%s", t->name);
	}
}

/* Items are filled in by themselves, and what they say is looked at no more. */
Test(template, lists_items)
{
	static const struct template_value one[] = { { "title", "<1>" },
						     { "body", "{{items}}" },
						     { 0 } };
	static const struct template_value two[] = { { "title", "2" },
						     { "body", "{{name}}" },
						     { 0 } };
	const struct template_value *const both[] = { one, two };
	const struct mail_items items = { "notificationDigestItem", both, 2 };
	static struct config conf = { 0 };
	struct ctx c;
	struct mail m;

	config_set(&conf);
	ctx_reset(&c, arena);
	cr_assert_eq(mails_render_list(&c, "notificationDigest", all, &items, &m), 0);
	cr_assert(strstr(m.text, "\n\n- <1>\n  {{items}}\n- 2\n  {{name}}\n\n"), "%s", m.text);
	cr_assert(
		strstr(m.html,
		       "<ul>\n<li><b>&lt;1&gt;</b><br>{{items}}</li>\n<li><b>2</b><br>{{name}}</li>\n</ul>"),
		"%s", m.html);
}
