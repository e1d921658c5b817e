/*
 * zygo: the table of commands. To add one: its function in a header that says what it does, a row
 * here.
 */
#include "commands/commands.h"
#include "identity/commands.h"

static const struct command {
	const char *name;
	const char *summary;
	bool configured; /* reads the settings first, and does not run when they are wrong */
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "serve", "answer nginx: a master and its workers", true, command_serve },
	{ "work", "run jobs: a master, its workers and their keeper", true, command_work },
	{ "realtime", "hold WebSockets: a master and its processes", true, command_realtime },
	{ "jobs", "look at jobs and queues: list, retry, pause, …", true, command_jobs },
	{ "migrate", "bring the database's schema up to this binary", true, command_migrate },
	{ "doctor", "check settings, database, Redis, files, clock", false, command_doctor },
	{ "keys", "list or rotate the keys that sign tokens", true, command_keys },
	{ "admin", "say who runs the platform; restore an archived tenant", true, command_admin },
	{ "mail", "send one mail and say what the server says", true, command_mail },
	{ "seed", "make the demonstration tenant", true, command_seed },
	{ "openapi", "print the API's document", false, command_openapi },
	{ "print", "print a table: routes, errors, settings, …", false, command_print },
};

static void print_usage(FILE *to)
{
	(void)fputs("usage: zygo COMMAND [ARGUMENT...]\n\n", to);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		(void)fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].summary);
	(void)fputs("\n  --version, --help\n", to);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(name, commands[i].name) != 0)
			continue;
		if (commands[i].configured && !configure(name))
			return 1;
		return commands[i].run(argc - 1, argv + 1);
	}

	if (strcmp(name, "--version") == 0) {
		(void)puts("zygo " PACKAGE_VERSION);
		return 0;
	}
	if (strcmp(name, "--help") == 0) {
		print_usage(stdout);
		return 0;
	}
	print_usage(stderr);

	return 2;
}
