/* `zygo migrate`: the schema as this binary wants it, and the built-in roles' permissions. */
#include "commands/commands.h"

#include "base/config.h"
#include "db/migrate.h"
#include "identity/commands.h"

static const struct {
	const char *option;
	enum migrate_mode mode;
} modes[] = {
	{ "--status", MIGRATE_STATUS },
	{ "--dry-run", MIGRATE_DRY_RUN },
};

static bool mode_of(int argc, char **argv, enum migrate_mode *ret)
{
	*ret = MIGRATE_RUN;
	if (argc == 1)
		return true;
	for (size_t i = 0; argc == 2 && i < ARRAY_LEN(modes); i++)
		if (strcmp(argv[1], modes[i].option) == 0) {
			*ret = modes[i].mode;
			return true;
		}

	return false;
}

int command_migrate(int argc, char **argv)
{
	const char *url = config()->database_migrate_url;
	enum migrate_mode mode;

	if (!mode_of(argc, argv, &mode))
		return 2;
	if (!url) {
		(void)fputs("zygo: DATABASE_MIGRATE_URL is not set: the schema belongs to another "
			    "role than the one that serves\n",
			    stderr);
		return 1;
	}
	if (!migrate(url, mode))
		return 1;

	return mode == MIGRATE_RUN ? sync_builtin_roles() : 0;
}
