/*
 * zygo: the table of commands. To add one: its function, or its verbs, in a header that says what
 * it does, a row here.
 */
#include "commands/commands.h"
#include "identity/commands.h"

static const struct command {
	const char *name;
	const char *summary;
	const char *arguments;    /* as the usage says them; NULL: none */
	const char *more;         /* what the usage says of them; may be NULL */
	const struct verb *verbs; /* its own commands, in place of run */
	bool configured; /* reads the settings first, and does not run when they are wrong */
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "serve", "answer nginx: a master and its workers", "[--check]",
	  "--check: only see whether it could start", .configured = true, .run = command_serve },
	{ "work", "run jobs: a master, its workers and their keeper", "[--check]",
	  "--check: only see whether it could start", .configured = true, .run = command_work },
	{ "realtime", "hold WebSockets: a master and its processes", "[--check]",
	  "--check: only see whether it could start", .configured = true, .run = command_realtime },
	{ "jobs", "look at jobs and queues: list, retry, pause, …", .configured = true,
	  .verbs = jobs_verbs },
	{ "migrate", "bring the database's schema up to this binary", "[--status | --dry-run]",
	  "--status: which migrations are applied; --dry-run: the SQL that would be run",
	  .configured = true, .run = command_migrate },
	{ "doctor", "check settings, database, Redis, files, clock", .run = command_doctor },
	{ "keys", "list or rotate the keys that sign tokens", .configured = true,
	  .verbs = keys_verbs },
	{ "admin", "say who runs the platform; restore an archived tenant", .configured = true,
	  .verbs = admin_verbs },
	{ "mail", "send one mail and say what the server says", "ADDRESS", .configured = true,
	  .run = command_mail },
	{ "seed", "make the demonstration tenant", .configured = true, .run = command_seed },
	{ "openapi", "print the API's document", "[--public]", "--public: of /api/v1 alone",
	  .run = command_openapi },
	{ "print", "print a table: routes, errors, settings, …", "PAGE", PRINT_PAGES,
	  .run = command_print },
};

static void print_usage(FILE *to)
{
	(void)fputs("usage: zygo COMMAND [ARGUMENT...]\n\n", to);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		(void)fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].summary);
	(void)fputs("\n  COMMAND --help says more of one; --version which this is.\n", to);
}

static void print_usage_of(FILE *to, const struct command *c)
{
	const char *arguments = c->verbs ? "COMMAND" : c->arguments ? c->arguments : "";

	(void)fprintf(to, "usage: zygo %s%s%s\n\n  %s\n", c->name, *arguments ? " " : "", arguments,
		      c->summary);
	if (c->more)
		(void)fprintf(to, "  %s\n", c->more);
	for (const struct verb *v = c->verbs; v && v->name; v++)
		(void)fprintf(to, "%s  %s%s%s\n      %s\n", v == c->verbs ? "\n" : "", v->name,
			      *v->arguments ? " " : "", v->arguments, v->about);
}

static bool asks_for_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* The exit status. Help needs no settings. */
static int run(const struct command *c, int argc, char **argv)
{
	int status = 2;

	if (argc > 1 && asks_for_help(argv[argc - 1])) {
		print_usage_of(stdout, c);
		return 0;
	}
	if (!c->verbs || argc > 1) {
		if (c->configured && !configure(c->name))
			return 1;
		status = c->verbs ? command_verb(c->verbs, argc, argv) : c->run(argc, argv);
	}
	if (status == 2)
		print_usage_of(stderr, c);

	return status;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(name, commands[i].name) == 0)
			return run(&commands[i], argc - 1, argv + 1);

	if (strcmp(name, "--version") == 0) {
		(void)puts("zygo " PACKAGE_VERSION);
		return 0;
	}
	if (asks_for_help(name)) {
		print_usage(stdout);
		return 0;
	}
	if (*name)
		(void)fprintf(stderr, "zygo: there is no command \"%s\"\n", name);
	print_usage(stderr);

	return 2;
}
