/* What an admin types: each command says how it is called, and zygo doctor what is wrong. */
#include "support/world.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* `zygo COMMAND --help`; NULL: `zygo --help`. */
static const char *help(const char *command)
{
	const char *argv[] = { world()->binary, command ? command : "--help",
			       command ? "--help" : NULL, NULL };
	struct str said = world_run(argv, NULL);

	return strf("%.*s", STR_FMT(said));
}

/* Whatever the list of commands names, without any settings. */
Test(commands, say_how_they_are_called)
{
	struct str rest = str_of(strstr(help(NULL), "\n\n") + 2), line;
	int commands = 0;

	(void)setenv("ZYGO_ENV_FILE", "/nonexistent", 1);
	for (line = str_cut(&rest, '\n'); line.len; line = str_cut(&rest, '\n')) {
		struct str words = str_trim(line), word = str_cut(&words, ' ');
		const char *name = strf("%.*s", STR_FMT(word));
		const char *usage = strf("usage: zygo %s", name);

		cr_expect_eq(strncmp(help(name), usage, strlen(usage)), 0, "%s", help(name));
		commands++;
	}
	cr_expect_gt(commands, 10);
}

Test(commands, print_prints_each_page_that_its_usage_names)
{
	struct str rest = str_trim(str_of(strstr(help("print"), "PAGE: ") + strlen("PAGE: ")));
	struct str page;

	for (page = str_cut(&rest, ','); page.ptr; page = str_cut(&rest, ',')) {
		const char *name = strf("%.*s", STR_FMT(str_trim(page)));
		const char *argv[] = { world()->binary, "print", name, NULL };

		cr_expect_gt(world_run(argv, NULL).len, 1000, "%s", name);
	}
}

/* What zygo doctor says where one setting is another. */
static const char *doctor(const char *setting, const char *value)
{
	const char *argv[] = { world()->binary, "doctor", NULL };
	const char *said;
	struct str out;
	int status;

	(void)setenv("ZYGO_ENV_FILE", world()->env_file, 1);
	(void)setenv(setting, value, 1);
	out = world_run(argv, &status);
	said = strf("%.*s", STR_FMT(out));
	(void)unsetenv(setting);
	cr_expect_eq(status, strstr(said, "\nproblem ") ? 1 : 0, "%d: %s", status, said);

	return said;
}

Test(commands, doctor_says_once_that_the_database_is_away)
{
	const char *said = doctor("DATABASE_URL", "postgresql://zygo_app@/zygo?host=/nonexistent");
	const char *why = strstr(said, "Is the server running");

	cr_assert(why, "%s", said);
	cr_expect_null(strstr(why + 1, "Is the server running"), "%s", said);
	cr_expect(strstr(said, "problem  database       does it run, and is DATABASE_URL right?"),
		  "%s", said);
	cr_expect(strstr(said, "skipped  events"), "%s", said);
}

Test(commands, doctor_finds_what_is_not_there)
{
	static const struct {
		const char *setting, *value, *said;
	} cases[] = {
		{ "REDIS_URL", "unix:///nonexistent/redis.sock",
		  "warning  redis          does it run, and is REDIS_URL right? Redis: No such file" },
		{ "ARCHIVE_URL", "file:///nonexistent",
		  "warning  folders        ARCHIVE_URL: /nonexistent: No such file" },
		{ "MAIL_TEMPLATES", "/etc/passwd",
		  "problem  folders        MAIL_TEMPLATES: /etc/passwd is not a folder" },
		{ "SOCKET_FAST", "/nonexistent/fast.sock",
		  "problem  sockets        /nonexistent: No such file" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *said = doctor(cases[i].setting, cases[i].value);

		cr_expect(strstr(said, cases[i].said), "%s", said);
	}
}
