/*
 * `zygo admin`: what is done seldom, by hand, and with care.
 */
#include "commands/commands.h"

#include "base/ctx.h"
#include "cache/redis.h"
#include "db/rows.h"
#include "domains/archive/archive.h"
#include "identity/commands.h"
#include "identity/oversight.h"

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

/*
 * Who runs the platform
 */

/* An email says who it is in the platform's realm alone: of anybody else, the id does. */
static void print_admin(const struct rows *admins, size_t row)
{
	printf("%s", rows_str(admins, row, (size_t)rows_find(admins, "email")).ptr);
	if (!rows_bool(admins, row, (size_t)rows_find(admins, "isOurs"))) {
		char id[UUID_TEXT_SIZE];

		uuid_format(rows_uuid(admins, row, (size_t)rows_find(admins, "id")), id);
		printf("  %s, of the realm %s", id,
		       rows_str(admins, row, (size_t)rows_find(admins, "realm")).ptr);
	}
	printf("%s\n", rows_bool(admins, row, (size_t)rows_find(admins, "mfaEnabled"))
			       ? ""
			       : "  (no second factor yet)");
}

static int list_admins(struct ctx *c, int argc, char **argv UNUSED)
{
	const struct rows *admins;

	if (argc)
		return 2;
	if (oversight_admins(c, &admins))
		return command_failed(c, "the global admins could not be read");

	for (size_t row = 0; row < rows_len(admins); row++)
		print_admin(admins, row);
	if (!rows_len(admins))
		printf("There are none.\n");

	return 0;
}

static int grant_admin(struct ctx *c, int argc, char **argv)
{
	const struct rows *account;

	if (argc != 1)
		return 2;
	if (oversight_set_admin(c, argv[0], true, &account))
		return command_failed(c, "nobody was made a global admin");
	printf("%s is a global admin.\n", rows_get_text(account, "email"));
	if (!rows_get_bool(account, "mfaEnabled"))
		printf("It has no second factor yet, and /api/superadmin lets nobody in without.\n");

	return 0;
}

/* Copies of the sessions that end are in Redis. */
static int revoke_admin(struct ctx *c, int argc, char **argv)
{
	const struct rows *account;
	const char *why;
	int err;

	if (argc != 1)
		return 2;
	why = redis_init();
	if (why) {
		(void)fprintf(stderr, "zygo: REDIS_URL: %s\n", why);
		return 1;
	}
	err = oversight_set_admin(c, argv[0], false, &account);
	redis_done();
	if (err)
		return command_failed(c, "nothing was taken from anybody");
	printf("%s is no global admin any more; all sessions of that account ended.\n",
	       rows_get_text(account, "email"));

	return 0;
}

const struct verb admin_verbs[] = {
	{ "list", "", "who runs the platform", list_admins },
	{ "grant", "EMAIL", "this account does from now on, with a second factor", grant_admin },
	{ "revoke", "EMAIL|ID", "it does no more, and its sessions end", revoke_admin },
	{ "restore-tenant", "FILE|URL [--slug NEW] [--dry-run]",
	  "brings a deleted tenant back from its archive; --dry-run: only reads it",
	  restore_tenant },
	{ 0 },
};
