/* Archives of a test's own: see vault.h. */
#include "support/vault.h"

#include "support/world.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/ctx.h"
#include "crypto/seal.h"
#include "db/batch.h"
#include "db/conn.h"
#include "domains/archive/archive.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct ctx *vault_open(void)
{
	struct config *mine = arena_make(world_arena(), struct config);
	struct ctx *c = arena_make(world_arena(), struct ctx);
	char *folder = arena_strdup(world_arena(), strf("%s/vault-XXXXXX", world()->dir));

	cr_assert(mkdtemp(folder));
	*mine = *config();
	mine->archive_url = strf("file://%s", folder);
	config_set(mine);
	seal_init(config()->encryption_key);
	db_init("test");
	ctx_reset(c, world_arena());
	c->actor.kind = ACTOR_SYSTEM;
	return c;
}

static int tell_nobody(void *p UNUSED, int percent UNUSED, const char *what UNUSED)
{
	return 0;
}

const char *vault_put_away(struct ctx *c, struct tenant_id t, const char *name)
{
	struct archive made;
	int64_t accounts;
	int err;

	do {
		c->fault = (struct fault){ 0 };
		cr_assert_eq(archive_write(c, t, name, tell_nobody, NULL, &made), 0, "%s",
			     c->fault.detail);
		cr_assert_eq(db_begin(c, BATCH_SYSTEM), 0);
		err = archive_remove(c, t, uuid_v7(), made.digests, &accounts);
		if (!err)
			err = db_commit(c);
		db_end(c);
	} while (err == ERR_RESOURCE_CONFLICT);
	cr_assert_eq(err, 0, "%s %s", c->fault.message, c->fault.detail ? c->fault.detail : "");
	return made.location + strlen("file://");
}

void vault_restore(struct ctx *c, const char *path)
{
	struct archive_restore how = { .location = path };

	c->fault = (struct fault){ 0 };
	cr_assert_eq(archive_restore(c, &how), 0, "%s %s", c->fault.message,
		     c->fault.detail ? c->fault.detail : "");
}
