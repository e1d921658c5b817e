/*
 * Reads the settings from the environment and the file, checks them against the table (settings.c),
 * one by one (settings_read.c) and against each other, and keeps them for the process.
 */
#include "base/config.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/settings_impl.h"
#include "base/slug.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define FILE_BYTES_MAX     KIB(64)
#define MISTAKES_BYTES_MAX KIB(64)
#define SHOWN_BYTES_MAX    100 /* of a wrong value */

/* One reading of all settings. */
struct reading {
	const char *(*get)(const char *name, void *p);
	void *p;
	struct config *config;
	struct buf *mistakes;
	bool ok;
};

static struct config current;
static bool is_set;

/* What the values point into; as old as the process. */
static struct arena *strings(void)
{
	static struct arena *a;

	if (!a)
		a = arena_new();

	return a;
}

/* NAME: "value" is wrong; expected a form; for example an example. */
static void add_mistake(struct reading *r, const struct setting *s, const char *value,
			const char *wrong)
{
	r->ok = false;
	buf_printf(r->mistakes, "%s: ", s->name);
	if (value && !s->secret)
		buf_printf(r->mistakes, "\"%.*s\" ", SHOWN_BYTES_MAX, value);
	buf_printf(r->mistakes, "%s; expected ", wrong);
	setting_print_form(r->mistakes, s);
	buf_printf(r->mistakes, "; for example %s\n", s->example);
}

/* The value that was given, or NULL; the empty string is nothing. */
static const char *given(const struct reading *r, const char *name)
{
	const char *value = r->get(name, r->p);

	return value && *value ? value : NULL;
}

/* Where development's secrets may be used. */
static bool is_harmless(const struct config *c)
{
	return c->env == APP_DEVELOPMENT || c->env == APP_TEST;
}

/* What was read for a setting of text that stands above in the table. */
static const char *text_of(const struct config *c, const char *name)
{
	const struct setting *s = settings;

	while (s->name && strcmp(s->name, name) != 0)
		s++;
	BUG_IF(!s->name);

	return *(const char *const *)((const char *)c + s->offset);
}

/* What stands in for a setting that was not given; NULL: nothing. */
static const char *stand_in(const struct reading *r, const struct setting *s)
{
	if (s->development && is_harmless(r->config))
		return s->development;
	if (s->fallback && s->fallback[0] == '$')
		return text_of(r->config, s->fallback + 1);

	return s->fallback;
}

static void read_setting(struct reading *r, const struct setting *s)
{
	void *field = (char *)r->config + s->offset;
	const char *value = given(r, s->name);
	const char *wrong;

	if (!value && s->also)
		value = given(r, s->also);
	if (value && s->secret && s->development && strcmp(value, s->development) == 0 &&
	    !is_harmless(r->config)) {
		add_mistake(r, s, value, "is development's value, which anybody knows");
		return;
	}

	if (!value)
		value = stand_in(r, s);
	if (!value) {
		if (s->required)
			add_mistake(r, s, NULL, "is not set");
		return;
	}

	wrong = setting_read(s, str_of(value), strings(), field);
	if (wrong)
		add_mistake(r, s, value, wrong);
}

/* What must hold between settings that are right each by itself. */

static bool session_outlives_itself(const struct config *c)
{
	return c->session_idle_us > c->session_max_us;
}

static bool refresh_ends_first(const struct config *c)
{
	return c->refresh_expires_us < c->jwt_expires_us;
}

static bool workers_exceed_pool(const struct config *c)
{
	return c->workers_fast + c->workers_slow > c->database_pool_max;
}

static bool mail_has_no_sender(const struct config *c)
{
	return c->smtp_host && !c->email_from;
}

static bool mail_goes_nowhere(const struct config *c)
{
	bool is_needed = c->email_verification == EMAIL_VERIFICATION_REQUIRED || c->magic_link ||
			 c->email_otp;

	return is_needed && !c->smtp_host && !c->mail_dir;
}

static bool mail_password_is_in_clear(const struct config *c)
{
	return c->smtp_pass && c->smtp_security == SMTP_CLEAR;
}

static bool google_has_no_secret(const struct config *c)
{
	return c->oauth_google_client_id && !c->oauth_google_client_secret;
}

static bool github_has_no_secret(const struct config *c)
{
	return c->oauth_github_client_id && !c->oauth_github_client_secret;
}

static bool oidc_has_no_issuer(const struct config *c)
{
	return c->oauth_oidc_client_id && !c->oauth_oidc_issuer;
}

static bool oidc_is_called_badly(const struct config *c)
{
	static const char *const taken[] = { "google", "github", "providers", "identities" };

	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		if (strcmp(c->oauth_oidc_name, taken[i]) == 0)
			return true;

	return !slug_is(str_of(c->oauth_oidc_name));
}

static const struct {
	bool (*is_broken)(const struct config *c);
	const char *mistake;
} rules[] = {
	{ session_outlives_itself, "SESSION_IDLE: is longer than SESSION_MAX; expected at most "
				   "that; for example 7d with 30d" },
	{ refresh_ends_first, "REFRESH_EXPIRES_IN: is shorter than JWT_EXPIRES_IN; expected at "
			      "least that; for example 30d with 15m" },
	{ workers_exceed_pool, "DATABASE_POOL_MAX: is less than WORKERS_FAST and WORKERS_SLOW "
			       "together; expected at least their sum, since each worker holds a "
			       "connection; for example 10 with 4 and 4" },
	{ mail_has_no_sender, "EMAIL_FROM: is not set; expected an email address, since SMTP_HOST "
			      "is set; for example noreply@zygo.tech" },
	{ mail_goes_nowhere, "SMTP_HOST: is not set; expected a mail server, or MAIL_DIR, since "
			     "EMAIL_VERIFICATION, MAGIC_LINK or EMAIL_OTP send mail; for example "
			     "smtp.zygo.tech" },
	{ mail_password_is_in_clear, "SMTP_SECURITY: is none; expected starttls or tls, since "
				     "SMTP_PASS would be sent in clear; for example starttls" },
	{ google_has_no_secret,
	  "OAUTH_GOOGLE_CLIENT_SECRET: is not set; expected the secret, since "
	  "OAUTH_GOOGLE_CLIENT_ID is set; for example GOCSPX-..." },
	{ github_has_no_secret,
	  "OAUTH_GITHUB_CLIENT_SECRET: is not set; expected the secret, since "
	  "OAUTH_GITHUB_CLIENT_ID is set; for example what GitHub has shown once" },
	{ oidc_has_no_issuer, "OAUTH_OIDC_ISSUER: is not set; expected a URL, since "
			      "OAUTH_OIDC_CLIENT_ID is set; for example https://id.example.com" },
	{ oidc_is_called_badly,
	  "OAUTH_OIDC_NAME: cannot be a name; expected a-z, 0-9 and single '-' "
	  "inside, and neither google, github, providers nor identities; for "
	  "example keycloak" },
};

/* WORKERS_FAST=0: one a core, as far as the connections go. */
static int64_t workers_of_this_host(const struct config *c)
{
	int64_t cores = sysconf(_SC_NPROCESSORS_ONLN);
	int64_t connections = c->database_pool_max - c->workers_slow;
	int64_t n = cores < connections ? cores : connections;

	return n > 1 ? n : 1;
}

/* Fills in what depends on other settings or on the machine. */
static void derive(struct reading *r)
{
	struct config *c = r->config;

	if (c->workers_fast == 0)
		c->workers_fast = workers_of_this_host(c);
	if (!given(r, "LOG_FORMAT") && c->env == APP_DEVELOPMENT && isatty(STDERR_FILENO))
		c->log_format = LOG_FORMAT_PRETTY;
}

bool config_read(const char *(*get)(const char *name, void *p), void *p, struct config *ret,
		 struct buf *ret_mistakes)
{
	struct reading r = { get, p, ret, ret_mistakes, .ok = true };

	*ret = (struct config){ 0 };
	for (const struct setting *s = settings; s->name; s++)
		read_setting(&r, s);
	if (!r.ok)
		return false; /* the rules compare values that are right */

	derive(&r);
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (!rules[i].is_broken(ret))
			continue;
		buf_printf(ret_mistakes, "%s\n", rules[i].mistake);
		r.ok = false;
	}

	return r.ok;
}

/* The file's lines, the last first, so that of two with one name the later wins. */
struct line {
	const struct line *earlier;
	const char *name, *value;
};

static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		bool is_letter = (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z') || s.ptr[i] == '_';
		bool is_digit = s.ptr[i] >= '0' && s.ptr[i] <= '9';

		if (!is_letter && !(is_digit && i > 0))
			return false;
	}

	return s.len > 0;
}

/* A '#' with a blank before it begins a comment; one inside of a word does not. */
static struct str without_comment(struct str s)
{
	for (size_t i = 1; i < s.len; i++)
		if (s.ptr[i] == '#' && (s.ptr[i - 1] == ' ' || s.ptr[i - 1] == '\t'))
			return (struct str){ s.ptr, i };

	return s;
}

/* What stands behind the '=', which may be in quotes; false when they are not a pair. */
static bool read_value(struct str *value)
{
	struct str trimmed = str_trim(*value), rest;
	char quote = trimmed.len ? trimmed.ptr[0] : '\0';

	if (quote != '"' && quote != '\'') {
		*value = str_trim(without_comment(*value));
		return true;
	}

	rest = (struct str){ trimmed.ptr + 1, trimmed.len - 1 };
	*value = str_cut(&rest, quote);
	if (!rest.ptr)
		return false;
	rest = str_trim(rest);

	return !rest.len || rest.ptr[0] == '#';
}

/* NAME=value, a comment or nothing. */
static bool parse_line(struct str text, const struct line **lines)
{
	struct line *line;
	struct str name;

	text = str_trim(text);
	if (!text.len || text.ptr[0] == '#' || text.ptr[0] == ';')
		return true;

	name = str_trim(str_cut(&text, '='));
	if (!text.ptr || !is_name(name))
		return false;
	if (!read_value(&text))
		return false;

	line = arena_make(strings(), struct line);
	line->earlier = *lines;
	line->name = str_dup(strings(), name);
	line->value = str_dup(strings(), text);
	*lines = line;

	return true;
}

/* The whole file; false, with a mistake, when it cannot be read. A file that is not there is empty.
 */
static bool read_file(const char *path, struct str *ret, struct buf *mistakes)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = arena_alloc(strings(), FILE_BYTES_MAX);
	ssize_t got = 1;
	size_t len = 0;

	*ret = STR("");
	if (fd < 0 && errno == ENOENT)
		return true;

	while (fd >= 0 && got > 0 && len < FILE_BYTES_MAX) {
		got = read(fd, text + len, FILE_BYTES_MAX - len);
		len += got > 0 ? (size_t)got : 0;
	}
	if (fd < 0 || got < 0) {
		buf_printf(mistakes, "%s: could not be read: %s%s\n", path, strerror(errno),
			   errno == EACCES ? "; run this as root" : "");
		return false;
	}
	if (len == FILE_BYTES_MAX) {
		buf_printf(mistakes, "%s: is longer than 64 KiB\n", path);
		return false;
	}
	*ret = (struct str){ text, len };

	if (!str_is_utf8(*ret)) {
		buf_printf(mistakes, "%s: is not UTF-8 text\n", path);
		return false;
	}

	return true;
}

static bool parse_file(const char *path, struct str rest, const struct line **ret_lines,
		       struct buf *mistakes)
{
	struct str text;
	bool ok = true;
	int number = 0;

	while ((text = str_cut(&rest, '\n')).ptr) {
		number++;
		if (parse_line(text, ret_lines))
			continue;
		buf_printf(mistakes, "%s:%d: expected NAME=value\n", path, number);
		ok = false;
	}

	return ok;
}

/* The environment's value, else the file's. */
static const char *get_from_either(const char *name, void *lines)
{
	const char *value = getenv(name);

	if (value && *value)
		return value;
	for (const struct line *l = *(const struct line **)lines; l; l = l->earlier)
		if (strcmp(l->name, name) == 0)
			return l->value;

	return NULL;
}

/* Each line of the mistakes under the heading. */
static void print_mistakes(const struct buf *mistakes)
{
	struct str rest = str_trim(buf_view(mistakes));

	(void)fputs("Invalid environment variables:\n", stderr);
	for (struct str line = str_cut(&rest, '\n'); line.ptr; line = str_cut(&rest, '\n'))
		(void)fprintf(stderr, "  %.*s\n", STR_FMT(line));
}

bool config_load(const char *path, struct config *ret)
{
	_cleanup_(buf_done) struct buf mistakes;
	const struct line *lines = NULL;
	struct str text = STR("");
	bool ok;

	buf_init_heap(&mistakes, MISTAKES_BYTES_MAX);
	ok = !path || read_file(path, &text, &mistakes);
	if (ok) { /* else all that stands in it would be said not to be set */
		ok = parse_file(path, text, &lines, &mistakes);
		ok = config_read(get_from_either, &lines, ret, &mistakes) && ok;
	}
	if (!ok)
		print_mistakes(&mistakes);

	return ok;
}

const struct config *config(void)
{
	BUG_IF(!is_set);
	return &current;
}

void config_set(const struct config *c)
{
	current = *c;
	is_set = true;
}

bool config_is_development(void)
{
	return config()->env == APP_DEVELOPMENT;
}

bool config_is_production(void)
{
	return config()->env == APP_PRODUCTION;
}
