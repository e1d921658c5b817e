/* What an admin types: each command says how it is called. */
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
