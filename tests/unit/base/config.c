#include "base/config.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/settings_impl.h"
#include "base/str.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <unistd.h>

#define PAIRS_MAX 16

/* An environment: what must be set, and what a test adds or replaces (later pairs win). */
struct environment {
	const char *pairs[PAIRS_MAX][2];
};

static const char *const needed[][2] = {
	{ "APP_URL", "https://app.example.com" },
	{ "API_URL", "https://api.example.com/" },
	{ "DATABASE_URL", "postgresql://zygo_app:hunter2@db/zygo" },
	{ "REDIS_URL", "redis://:hunter2@cache:6379/0" },
};

static const char *get(const char *name, void *p)
{
	const struct environment *e = p;

	for (size_t i = 0; e && i < PAIRS_MAX && e->pairs[i][0]; i++)
		if (strcmp(e->pairs[i][0], name) == 0)
			return e->pairs[i][1];
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (strcmp(needed[i][0], name) == 0)
			return needed[i][1];

	return NULL;
}

static struct buf mistakes;
static struct config c;

static void begin(void)
{
	buf_init_heap(&mistakes, KIB(64));
}

static void end(void)
{
	buf_done(&mistakes);
}

TestSuite(config, .init = begin, .fini = end);

static bool reads(struct environment e)
{
	buf_reset(&mistakes);
	return config_read(get, &e, &c, &mistakes);
}

#define READS(...) reads((struct environment){ { __VA_ARGS__ } })

/* One mistake alone, and the line begins so. */
static void check_mistake(const char *beginning)
{
	size_t at;

	cr_assert(str_starts(buf_view(&mistakes), beginning), "%s", mistakes.data);
	cr_assert(str_find(buf_view(&mistakes), '\n', &at) && at == mistakes.len - 1, "%s",
		  mistakes.data);
}

#define PRODUCTION                                                                                 \
	{ "APP_ENV", "production" }, { "JWT_SECRET", "0123456789abcdef0123456789abcdef" },         \
	{                                                                                          \
		"ENCRYPTION_KEY",                                                                  \
			"ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"         \
	}

Test(config, development_starts_with_addresses_alone)
{
	cr_assert(READS({ NULL, NULL }), "%s", mistakes.data);
	cr_assert_eq(c.env, APP_DEVELOPMENT);
	cr_assert_str_eq(c.app_url, "https://app.example.com");
	cr_assert_str_eq(c.api_url, "https://api.example.com"); /* without its slash */
	cr_assert_str_eq(c.jwt_issuer, "https://api.example.com");
	cr_assert_str_eq(c.cors_origins, "https://app.zygo.tech,https://admin.zygo.tech,"
					 "http://localhost:5173");
	cr_assert_eq(c.database_pool_max, 10);
	cr_assert(c.database_prepare);
	cr_assert_eq(c.jwt_expires_us, 15 * US_PER_MINUTE);
	cr_assert_eq(c.refresh_expires_us, 30 * US_PER_DAY);
	cr_assert_eq(c.session_idle_us, 7 * US_PER_DAY);
	cr_assert_eq(c.session_max_us, 30 * US_PER_DAY);
	cr_assert_eq(c.encryption_key[31], 0x1f);
	cr_assert_geq(c.workers_fast, 1);
	cr_assert_null(c.smtp_host);
	cr_assert_null(c.trusted_proxies);
}

Test(config, production_has_no_secrets_and_origins_to_start_with)
{
	cr_assert_not(READS({ "APP_ENV", "production" }));
	cr_assert_not_null(strstr(mistakes.data, "JWT_SECRET: is not set"));
	cr_assert_not_null(strstr(mistakes.data, "ENCRYPTION_KEY: is not set"));

	cr_assert(READS(PRODUCTION), "%s", mistakes.data);
	cr_assert_eq(c.env, APP_PRODUCTION);
	cr_assert_null(c.cors_origins);
	cr_assert_eq(c.encryption_key[0], 0xff);
}

Test(config, development_secrets_are_refused_elsewhere)
{
	static const char *const envs[] = { "production", "staging" };
	size_t tried = 0;

	for (const struct setting *s = settings; s->name; s++) {
		if (!s->secret || !s->development)
			continue;
		for (size_t i = 0; i < ARRAY_LEN(envs); i++) {
			cr_assert_not(READS({ "APP_ENV", envs[i] }, { s->name, s->development },
					    PRODUCTION));
			check_mistake(s->name);
			tried++;
		}
		cr_assert(READS({ "APP_ENV", "test" }, { s->name, s->development }));
	}
	cr_assert_eq(tried, 4);
}

Test(config, node_env_stands_in_for_app_env)
{
	cr_assert(READS({ "NODE_ENV", "test" }));
	cr_assert_eq(c.env, APP_TEST);
	cr_assert(READS({ "NODE_ENV", "test" }, { "APP_ENV", "development" }));
	cr_assert_eq(c.env, APP_DEVELOPMENT);
	cr_assert_not(READS({ "NODE_ENV", "prod" }));
	check_mistake("APP_ENV: \"prod\" is none of these; expected development, staging, "
		      "production or test; for example ");
}

Test(config, each_wrong_value_is_a_mistake_of_its_own)
{
	static const char *const cases[][2] = {
		{ "APP_URL", "app.example.com" },
		{ "APP_URL", "ftp://app.example.com" },
		{ "APP_URL", "https://" },
		{ "APP_URL", "https:///path" },
		{ "APP_URL", "https://a b" },
		{ "DATABASE_URL", "mysql://db/zygo" },
		{ "REDIS_URL", "rediss://cache" },
		{ "DATABASE_POOL_MAX", "ten" },
		{ "DATABASE_POOL_MAX", "0" },
		{ "DATABASE_POOL_MAX", "1.5" },
		{ "DATABASE_PREPARE", "yes" },
		{ "DATABASE_TIMEOUT", "soon" },
		{ "DATABASE_TIMEOUT", "1ms" },
		{ "JWT_SECRET", "0123456789abcdef0123456789abcde" },
		{ "JWT_EXPIRES_IN", "0" },
		{ "ENCRYPTION_KEY", "00" },
		{ "ENCRYPTION_KEY",
		  "0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" },
		{ "SMTP_PORT", "65536" },
		{ "EMAIL_FROM", "zygo" },
		{ "EMAIL_FROM", "a@b@c" },
		{ "LOG_LEVEL", "verbose" },
		{ "CORS_ORIGINS", "*" },
		{ "CORS_ORIGINS", "https://a.example.com/" },
		{ "CORS_ORIGINS", "https://a.example.com,,https://b.example.com" },
		{ "METRICS_ALLOW", "localhost" },
		{ "TRUSTED_PROXIES", "10.0.0.0/33" },
		{ "TRUSTED_PROXIES", "fd00::/8,10.0.0.0.0" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cr_assert_not(READS({ cases[i][0], cases[i][1] }), "%s=%s", cases[i][0],
			      cases[i][1]);
		check_mistake(cases[i][0]);
		cr_assert_not_null(strstr(mistakes.data, "; expected "));
		cr_assert_not_null(strstr(mistakes.data, "; for example "));
	}
}

Test(config, right_values_are_read)
{
	cr_assert(READS({ "REDIS_URL", "unix:///run/redis.sock" }, { "DATABASE_PREPARE", "off" },
			{ "TRUSTED_PROXIES", "10.0.0.0/8,fd00::/8,::1" }, { "LOG_LEVEL", "warn" },
			{ "WORKERS_FAST", "3" }, { "EMAIL_FROM", "a@b.example" }),
		  "%s", mistakes.data);
	cr_assert_str_eq(c.redis_url, "unix:///run/redis.sock");
	cr_assert_not(c.database_prepare);
	cr_assert_eq(c.log_level, 2);
	cr_assert_eq(c.workers_fast, 3);
}

Test(config, all_mistakes_are_told_at_once)
{
	size_t lines = 0;

	cr_assert_not(READS({ "APP_URL", "" }, { "API_URL", NULL }, { "DATABASE_URL", "" },
			    { "REDIS_URL", NULL }, { "SMTP_PORT", "x" }));
	for (size_t i = 0; i < mistakes.len; i++)
		lines += mistakes.data[i] == '\n';
	cr_assert_eq(lines, 5, "%s", mistakes.data);
}

Test(config, a_secret_is_never_printed)
{
	for (const struct setting *s = settings; s->name; s++) {
		if (!s->secret)
			continue;
		(void)READS({ s->name, "hunter2\x01" }, { "SMTP_PORT", "x" });
		cr_assert_null(strstr(mistakes.data, "hunter2"), "%s", mistakes.data);
	}
}

Test(config, settings_are_held_against_each_other)
{
	cr_assert_not(READS({ "SESSION_IDLE", "31d" }));
	check_mistake("SESSION_IDLE: ");
	cr_assert_not(READS({ "REFRESH_EXPIRES_IN", "1h" }, { "JWT_EXPIRES_IN", "2h" }));
	check_mistake("REFRESH_EXPIRES_IN: ");
	cr_assert_not(READS({ "WORKERS_FAST", "8" }, { "WORKERS_SLOW", "3" }));
	check_mistake("DATABASE_POOL_MAX: ");
	cr_assert_not(READS({ "SMTP_HOST", "mail.example.com" }));
	check_mistake("EMAIL_FROM: ");
}

Test(config, workers_of_their_own_accord_fit_the_pool)
{
	cr_assert(READS({ "DATABASE_POOL_MAX", "5" }), "%s", mistakes.data);
	cr_assert_eq(c.workers_fast, 1);
}

/* config_load(), with what it prints to standard error. */
static bool loads_file(const char *path, struct str *ret_printed)
{
	static char printed[4096];
	FILE *caught = tmpfile();
	int saved = dup(STDERR_FILENO);
	ssize_t n;
	bool ok;

	cr_assert_geq(dup2(fileno(caught), STDERR_FILENO), 0);
	ok = config_load(path, &c);
	(void)fflush(stderr);
	cr_assert_geq(dup2(saved, STDERR_FILENO), 0);
	n = pread(fileno(caught), printed, sizeof(printed), 0);
	*ret_printed = (struct str){ printed, (size_t)n };
	(void)fclose(caught);
	(void)close(saved);

	return ok;
}

/* The same of a file with this text. */
static bool loads(const char *text, struct str *ret_printed)
{
	char path[] = "/tmp/zygo-config-XXXXXX";
	int fd = mkstemp(path);
	bool ok;

	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ok = loads_file(path, ret_printed);
	(void)close(fd);
	(void)unlink(path);

	return ok;
}

static void clear_environment(void)
{
	for (const struct setting *s = settings; s->name; s++)
		(void)unsetenv(s->name);
	(void)unsetenv("NODE_ENV");
}

Test(config, the_file_is_read_and_the_environment_wins)
{
	struct str printed;

	clear_environment();
	(void)setenv("APP_ENV", "test", 1);
	(void)setenv("SMTP_PORT", "", 1); /* empty: not set */
	cr_assert(loads("# a comment\n"
			"; another\n"
			"\n"
			"APP_ENV=development\n"
			"APP_URL = \"https://app.example.com\" \r\n"
			"API_URL='https://api.example.com'\n"
			"DATABASE_URL=postgresql://db/zygo?a=b\n"
			"REDIS_URL=redis://cache\n"
			"SMTP_PORT=25\n"
			"SMTP_PORT=26\n"
			"SMTP_PASS= # nobody's\n"
			"SMTP_HOST='mail # one' # in quotes\n"
			"EMAIL_FROM=a@example.com\t# Ann\n"
			"SMTP_USER=a#b",
			&printed),
		  "%.*s", STR_FMT(printed));
	cr_assert_eq(printed.len, 0);
	cr_assert_eq(c.env, APP_TEST);
	cr_assert_str_eq(c.app_url, "https://app.example.com");
	cr_assert_str_eq(c.api_url, "https://api.example.com");
	cr_assert_str_eq(c.database_url, "postgresql://db/zygo?a=b");
	cr_assert_eq(c.smtp_port, 26);
	cr_assert_str_eq(c.smtp_user, "a#b");
	cr_assert_null(c.smtp_pass);
	cr_assert_str_eq(c.smtp_host, "mail # one");
	cr_assert_str_eq(c.email_from, "a@example.com");
}

Test(config, mistakes_are_printed_under_their_heading)
{
	struct str printed;

	clear_environment();
	cr_assert_not(loads("APP_URL\n", &printed));
	cr_assert(str_starts(printed, "Invalid environment variables:\n  /tmp/zygo-config-"));
	cr_assert_not_null(strstr(printed.ptr, ":1: expected NAME=value\n"));
	cr_assert_not_null(strstr(printed.ptr, "\n  APP_URL: is not set; expected a URL"));
	cr_assert_not(loads("APP_URL=\"x\n", &printed));
	cr_assert_not(loads("APP_URL=\"x\" y\nAPI_URL=https://api.example.com\n", &printed));
	cr_assert_null(strstr(printed.ptr, "API_URL: is not set"), "the lines behind are read");
	cr_assert_not(loads("app-url=x\n", &printed));
	cr_assert_not(loads("A=\xff\n", &printed));
}

Test(config, a_file_that_is_not_there_is_no_mistake)
{
	clear_environment();
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		(void)setenv(needed[i][0], needed[i][1], 1);
	cr_assert(config_load("/nowhere/zygo.env", &c));
	cr_assert(config_load(NULL, &c));
}

Test(config, of_a_file_that_cannot_be_read_only_that_is_said)
{
	struct str printed;

	clear_environment();
	cr_assert_not(loads_file("/", &printed)); /* a directory */
	cr_assert(str_eq(printed, STR("Invalid environment variables:\n"
				      "  /: could not be read: Is a directory\n")));
}

Test(config, it_is_kept_for_the_process)
{
	cr_assert(READS({ "APP_ENV", "test" }));
	config_set(&c);
	cr_assert_str_eq(config()->app_url, "https://app.example.com");
	cr_assert_not(config_is_production());
	cr_assert_not(config_is_development());
}

Test(config, it_must_be_set_before_it_is_asked, .signal = SIGABRT)
{
	(void)config();
}

static void check_value(const struct setting *s, const char *value)
{
	union {
		const char *text;
		int64_t number;
		uint8_t bytes[64];
	} field;
	struct arena *a = arena_new();
	const char *wrong = value ? setting_read(s, str_of(value), a, &field) : NULL;

	cr_assert_null(wrong, "%s=%s %s", s->name, value, wrong);
	arena_free(a);
}

Test(config, every_row_agrees_with_itself)
{
	cr_assert_not_null(settings[0].section);
	for (const struct setting *s = settings; s->name; s++) {
		cr_assert_not_null(s->about, "%s", s->name);
		cr_assert_not_null(s->example, "%s", s->name);
		cr_assert_lt(s->offset, sizeof(struct config), "%s", s->name);
		cr_assert(s->type != SETTING_ENUM || s->choices, "%s", s->name);
		cr_assert(s->type != SETTING_INT || s->max > s->min, "%s", s->name);
		cr_assert(s->type != SETTING_DURATION || s->max > s->min, "%s", s->name);
		check_value(s, s->development);
		if (!s->fallback || s->fallback[0] != '$')
			check_value(s, s->fallback);
		if (!s->secret || !s->development) /* those tell how to make one */
			check_value(s, s->example);
		for (const struct setting *other = settings; other < s; other++) {
			cr_assert_str_neq(s->name, other->name);
			cr_assert_neq(s->offset, other->offset, "%s", s->name);
		}
	}
}

Test(config, every_setting_is_in_what_is_printed)
{
	_cleanup_(buf_done) struct buf markdown, example;

	buf_init_heap(&markdown, MIB(1));
	buf_init_heap(&example, MIB(1));
	config_print_markdown(&markdown);
	config_print_example(&example);
	for (const struct setting *s = settings; s->name; s++) {
		struct arena *a = arena_new();

		cr_assert_not_null(strstr(markdown.data, arena_printf(a, "\n| `%s` |", s->name)));
		cr_assert_not_null(strstr(markdown.data, s->about), "%s", s->name);
		cr_assert_not_null(
			strstr(example.data,
			       arena_printf(a, "\n%s%s=", s->required || s->written_out ? "" : "#",
					    s->name)));
		arena_free(a);
	}
	for (const struct unused_setting *u = unused_settings; u->name; u++)
		cr_assert_not_null(strstr(markdown.data, u->name));
}

Test(config, the_example_file_starts_nothing_but_development_before_it_is_edited)
{
	_cleanup_(buf_done) struct buf example;
	struct str printed;

	clear_environment();
	buf_init_heap(&example, MIB(1));
	config_print_example(&example);
	cr_assert_not(loads(example.data, &printed));
	cr_assert_not_null(strstr(printed.ptr, "JWT_SECRET: is development's value"));
	cr_assert_not_null(strstr(printed.ptr, "ENCRYPTION_KEY: is development's value"));
	(void)setenv("APP_ENV", "development", 1);
	cr_assert(loads(example.data, &printed), "%.*s", STR_FMT(printed));
}
