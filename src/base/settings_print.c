/* The table of settings in words: docs/settings.md, etc/zygo.env.example, the form of one value. */
#include "base/config.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/settings_impl.h"
#include "base/str.h"

#define COMMENT_COLUMNS 98 /* of text after "# " in the example file */

/* With the largest unit that leaves no fraction, as clock_parse_duration() reads it. */
static void print_duration(struct buf *out, int64_t us)
{
	static const struct {
		int64_t us;
		const char *name;
	} units[] = {
		{ US_PER_DAY, "d" }, { 60 * US_PER_MINUTE, "h" }, { US_PER_MINUTE, "m" },
		{ US_PER_S, "s" },   { US_PER_MS, "ms" },
	};
	size_t i = 0;

	while (i < ARRAY_LEN(units) - 1 && us % units[i].us)
		i++;
	buf_i64(out, us / units[i].us);
	buf_str(out, units[i].name);
}

/* "a, b or c" of "a,b,c". */
static void print_choices(struct buf *out, const char *choices)
{
	struct str rest = str_of(choices), choice = str_cut(&rest, ',');

	while (choice.ptr) {
		buf_add(out, choice.ptr, choice.len);
		choice = str_cut(&rest, ',');
		if (choice.ptr)
			buf_str(out, rest.ptr ? ", " : " or ");
	}
}

void setting_print_form(struct buf *out, const struct setting *s)
{
	switch (s->type) {
	case SETTING_TEXT:
		if (s->max)
			buf_printf(out, "text of %lld to %lld characters", (long long)s->min,
				   (long long)s->max);
		else
			buf_str(out, "text");
		break;
	case SETTING_URL:
		buf_str(out, "a URL with scheme ");
		print_choices(out, s->choices ? s->choices : "http,https");
		break;
	case SETTING_ORIGINS:
		buf_str(out, "origins (scheme://host[:port], no path), comma-separated");
		break;
	case SETTING_ADDRESSES:
		buf_str(out, "IP addresses or networks (10.0.0.0/8), comma-separated");
		break;
	case SETTING_EMAIL: buf_str(out, "an email address"); break;
	case SETTING_ENUM: print_choices(out, s->choices); break;
	case SETTING_INT:
		buf_printf(out, "a whole number from %lld to %lld", (long long)s->min,
			   (long long)s->max);
		break;
	case SETTING_BOOL: buf_str(out, "true or false"); break;
	case SETTING_DURATION:
		buf_str(out, "a duration (ms, s, m, h, d) from ");
		print_duration(out, s->min);
		buf_str(out, " to ");
		print_duration(out, s->max);
		break;
	case SETTING_HEX: buf_printf(out, "%lld hexadecimal digits", 2 * (long long)s->min); break;
	}
}

/* What holds when it is not set. */
static void print_default(struct buf *out, const struct setting *s)
{
	const char *before = "";

	if (s->required) {
		buf_str(out, "required");
		before = "; ";
	}
	if (s->fallback) {
		if (s->fallback[0] == '$')
			buf_printf(out, "that of %s", s->fallback + 1);
		else
			buf_printf(out, "`%s`", s->fallback);
		before = "; ";
	}
	if (s->development) {
		buf_printf(out, "%s`%s` in development and test", before, s->development);
		before = "; ";
	}
	if (!*before)
		buf_str(out, "not set");
}

void config_print_markdown(struct buf *out)
{
	buf_str(out,
		"# Settings\n"
		"\n"
		"<!-- Printed by `zygo print settings` from src/base/settings.c. -->\n"
		"\n"
		"Every role reads them when it starts: from `/etc/zygo/zygo.env`, then from the "
		"environment, which wins.\nAn empty value counts as not set. All mistakes are "
		"printed at once, and nothing starts with one.\n");

	for (const struct setting *s = settings; s->name; s++) {
		if (s->section)
			buf_printf(
				out,
				"\n## %s\n\n| Name | Form | Default | About |\n|---|---|---|---|\n",
				s->section);
		buf_printf(out, "| `%s` | ", s->name);
		setting_print_form(out, s);
		buf_str(out, " | ");
		print_default(out, s);
		buf_printf(out, " | %s", s->about);
		if (s->also)
			buf_printf(out, " Read from %s when it is not set.", s->also);
		buf_str(out, " |\n");
	}

	buf_str(out, "\n## Not used\n\n"
		     "Names of the products that Zygo replaces. They do no harm; `zygo doctor` "
		     "lists those that are set.\n\n"
		     "| Name | Why |\n|---|---|\n");
	for (const struct unused_setting *u = unused_settings; u->name; u++)
		buf_printf(out, "| `%s` | %s |\n", u->name, u->why);
}

/* The text as lines of a comment, broken between words. */
static void print_comment(struct buf *out, struct str text)
{
	struct str rest = text, word;
	size_t column = 0;

	for (word = str_cut(&rest, ' '); word.ptr; word = str_cut(&rest, ' ')) {
		if (column && column + 1 + word.len > COMMENT_COLUMNS) {
			buf_char(out, '\n');
			column = 0;
		}
		buf_printf(out, "%s%.*s", column ? " " : "# ", STR_FMT(word));
		column += word.len + (column ? 1 : 0);
	}
	buf_char(out, '\n');
}

/*
 * `NAME=value` when there is a value to start with, else `#NAME=example`. APP_ENV=production is
 * written out, so that the file starts nothing before its secrets have been replaced.
 */
static void print_assignment(struct buf *out, const struct setting *s)
{
	if (s->secret && s->development)
		buf_printf(out,
			   "# This value is for development and test; elsewhere it is refused.\n"
			   "# Put here %s.\n"
			   "%s=%s\n",
			   s->example, s->name, s->development);
	else
		buf_printf(out, "%s%s=%s\n", s->required || s->written_out ? "" : "#", s->name,
			   s->example);
}

void config_print_example(struct buf *out)
{
	struct buf about;

	buf_init_heap(&about, KIB(4));
	buf_str(out,
		"# Zygo's settings: /etc/zygo/zygo.env, readable by root and zygo alone.\n"
		"# Printed by `zygo print env-example` from src/base/settings.c.\n"
		"# Lines are NAME=value, with # behind a blank for a comment; the environment wins over this file.\n");

	for (const struct setting *s = settings; s->name; s++) {
		buf_reset(&about);
		buf_str(&about, s->about);
		buf_str(&about, " Form: ");
		setting_print_form(&about, s);
		buf_str(&about, ".");
		if (s->required) {
			buf_str(&about, " Required.");
		} else {
			buf_str(&about, " Default: ");
			print_default(&about, s);
			buf_str(&about, ".");
		}

		if (s->section)
			buf_printf(out, "\n# ---- %s ----\n", s->section);
		buf_char(out, '\n');
		print_comment(out, buf_view(&about));
		print_assignment(out, s);
	}
	buf_done(&about);
}
