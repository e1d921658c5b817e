/* The forms of text: what is one and what is not. */
#include "http/shape_impl.h"

#include <criterion/criterion.h>

struct sample {
	enum field_type type;
	bool is_good;
	const char *text;
};

#define LABEL_63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"

/* clang-format off */
static const struct sample samples[] = {
	{ T_EMAIL, true, "a@b.co" }, { T_EMAIL, true, "a.b+c@sub.example.com" }, { T_EMAIL, true, "o'neil@x-y.example" },
	{ T_EMAIL, false, "" }, { T_EMAIL, false, "@b.co" }, { T_EMAIL, false, "a@" }, { T_EMAIL, false, "a@b" },
	{ T_EMAIL, false, "a@@b.co" }, { T_EMAIL, false, "a@b@c.co" }, { T_EMAIL, false, ".a@b.co" },
	{ T_EMAIL, false, "a..b@c.co" }, { T_EMAIL, false, "a b@c.co" }, { T_EMAIL, false, "a@-b.co" },
	{ T_EMAIL, false, "a@1.2.3.4" }, { T_EMAIL, false, "a@[1.2.3.4]" }, { T_EMAIL, false, "a\n@b.co" },
	{ T_EMAIL, false, "ü@b.co" }, { T_EMAIL, false, "a" LABEL_63 "b@c.co" },

	{ T_URI, true, "http://a" }, { T_URI, true, "https://a.example/b?c=d#e" }, { T_URI, true, "https://[::1]:8443/" },
	{ T_URI, true, "http://127.0.0.1:80" }, { T_URI, false, "//a.example" }, { T_URI, false, "javascript:alert(1)" },
	{ T_URI, false, "https://" }, { T_URI, false, "https://a b" }, { T_URI, false, "https://a/%zz" },
	{ T_URI, false, "https://user:secret@a.example/" }, { T_URI, false, "https://a:0/" },
	{ T_URI, false, "https://a:65536/" }, { T_URI, false, "https://a:/" }, { T_URI, false, "https://[::1" },
	{ T_URI, false, "https://[1.2]/" }, { T_URI, false, "https://ä.example" },

	{ T_SLUG, true, "a" }, { T_SLUG, true, "a-1" }, { T_SLUG, false, "" }, { T_SLUG, false, "A" },
	{ T_SLUG, false, "a--b" }, { T_SLUG, false, "a-" }, { T_SLUG, false, "-a" }, { T_SLUG, false, "a_b" },

	{ T_IP, true, "1.2.3.4" }, { T_IP, true, "::" }, { T_IP, true, "::ffff:1.2.3.4" }, { T_IP, false, "01.2.3.4" },
	{ T_IP, false, "1.2.3.4/32" }, { T_IP, false, "fe80::1%eth0" }, { T_IP, false, "" },

	{ T_CIDR, true, "0.0.0.0/0" }, { T_CIDR, true, "10.1.2.3/32" }, { T_CIDR, true, "2001:db8::/32" },
	{ T_CIDR, true, "::/0" }, { T_CIDR, false, "10.0.0.0" }, { T_CIDR, false, "10.0.0.0/33" },
	{ T_CIDR, false, "10.0.0.1/31" }, { T_CIDR, false, "2001:db8::1/64" }, { T_CIDR, false, "::/129" },
	{ T_CIDR, false, "10.0.0.0/-1" }, { T_CIDR, false, "10.0.0.0/" },

	{ T_CRON, true, "* * * * *" }, { T_CRON, true, "0 3 1 JAN SUN" }, { T_CRON, true, "*/15 8-18/2 * * 1-5" },
	{ T_CRON, true, "0,30 0 31 12 7" }, { T_CRON, false, "* * * *" }, { T_CRON, false, "* * * * * *" },
	{ T_CRON, false, "60 * * * *" }, { T_CRON, false, "* 24 * * *" }, { T_CRON, false, "* * 0 * *" },
	{ T_CRON, false, "* * * 13 *" }, { T_CRON, false, "* * * * 8" }, { T_CRON, false, "5-1 * * * *" },
	{ T_CRON, false, "*/0 * * * *" }, { T_CRON, false, "*-5 * * * *" }, { T_CRON, false, "1,, * * * *" },
	{ T_CRON, false, "@daily" }, { T_CRON, false, "" },

	{ T_HOSTNAME, true, "localhost" }, { T_HOSTNAME, true, LABEL_63 ".example" }, { T_HOSTNAME, false, "" },
	{ T_HOSTNAME, false, "a." }, { T_HOSTNAME, false, LABEL_63 "x.example" }, { T_HOSTNAME, false, "a_b" },
	{ T_HOSTNAME, false, "-a" },
};
/* clang-format on */

Test(shape_formats, texts_are_told_apart)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		cr_expect_eq(shape_types[samples[i].type].is_valid(str_of(samples[i].text)),
			     samples[i].is_good, "%s", samples[i].text);
}

Test(shape_formats, every_type_has_an_example_that_it_takes)
{
	for (size_t t = T_STRING; t <= T_JSON; t++) {
		const struct type *type = &shape_types[t];

		cr_expect_not_null(type->json, "type %zu", t);
		if (type->is_valid)
			cr_expect(type->is_valid(str_of(type->example)), "type %zu", t);
	}
}

Test(shape_formats, every_pattern_takes_its_example)
{
	for (const struct shape_pattern *p = shape_patterns; p->name; p++)
		cr_expect(shape_pattern_matches(p, p->example), "%s", p->name);
}

/* clang-format off */
static const struct {
	const char *pattern, *text;
	bool is_good;
} matches[] = {
	{ "eventType", "*", true }, { "eventType", "project.*", true }, { "eventType", "project.", false },
	{ "eventType", "apiKey.created", true }, { "token", "a b", false }, { "printable", "a\tb", false }, { "printable", "ä", true },
	{ "line", " a b ", true }, { "line", "é", true }, { "line", "  ", false }, { "line", "a\r\nb", false }, { "line", " \t", false },
	{ "permission", "CanView", false }, { "phone", "(030) 90-18", true }, { "phone", "0049+30", false }, { "phone", "+4", false },
};
/* clang-format on */

Test(shape_formats, patterns_are_told_apart)
{
	for (size_t i = 0; i < ARRAY_LEN(matches); i++)
		cr_expect_eq(shape_pattern_matches(shape_pattern_find(matches[i].pattern),
						   matches[i].text),
			     matches[i].is_good, "%s: %s", matches[i].pattern, matches[i].text);
}
