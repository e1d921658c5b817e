/*
 * `zygo admin`: what is done seldom, by hand, and with care.
 */
#include "commands/commands.h"

#include "base/ctx.h"
#include "domains/archive/archive.h"
#include "identity/commands.h"

static int restore_tenant(struct ctx *c, int argc, char **argv)
{
	struct archive_restore how = { 0 };

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--dry-run") == 0)
			how.only_look = true;
		else if (strcmp(argv[i], "--slug") == 0 && i + 1 < argc)
			how.slug = argv[++i];
		else if (argv[i][0] != '-' && !how.location)
			how.location = argv[i];
		else
			return 2;
	}
	if (!how.location)
		return 2;
	if (archive_restore(c, &how))
		return command_failed(c, "the tenant was not restored");
	if (how.only_look)
		printf("The archive is whole. Nothing was changed.\n");

	return 0;
}

static const struct {
	const char *name;
	const char *arguments;
	int (*run)(struct ctx *c, int argc, char **argv); /* the arguments alone; 2: wrong ones */
} verbs[] = {
	{ "restore-tenant", "FILE|URL [--slug NEW] [--dry-run]", restore_tenant },
};

int command_admin(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(verbs); i++) {
		struct ctx *c;
		int status;

		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		c = command_begin("admin");
		status = verbs[i].run(c, argc - 2, argv + 2);
		command_end(c);
		if (status != 2)
			return status;
	}

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		(void)fprintf(stderr, "usage: zygo admin %s %s\n", verbs[i].name,
			      verbs[i].arguments);

	return 2;
}
