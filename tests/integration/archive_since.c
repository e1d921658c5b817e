/*
 * A restore and what happened since the archive was made: people who were erased, and months of
 * events that nobody has any more.
 */
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/vault.h"
#include "support/world.h"

#include "base/config.h"

#include <criterion/criterion.h>
#include <string.h>

/* A tenant of its own people, with an owner and bob. */
struct house {
	struct caller ann, bob;
	const char *tenant, *user, *account; /* bob's */
};

static struct house house_with_realm(void)
{
	struct house h = { .ann = caller(ROLE_OWNER) };
	const char *realm = id_text(uuid_v7());

	h.bob = caller_in(h.ann.tenant, ROLE_ADMIN);
	h.tenant = id_text(h.ann.tenant.u);
	h.user = id_text(h.bob.user.u);
	h.account = id_text(h.bob.account.u);
	database_run("INSERT INTO realms (id, slug, name) VALUES ($1::uuid, $2, 'x')", realm,
		     new_word(), NULL);
	database_run("UPDATE accounts SET realm_id = $1::uuid WHERE id IN ($2::uuid, $3::uuid)",
		     realm, id_text(h.ann.account.u), h.account, NULL);
	database_run("UPDATE tenants SET realm_id = $1::uuid WHERE id = $2::uuid", realm, h.tenant,
		     NULL);
	return h;
}

/* Bob's seat is nobody's, and no account has his email. */
static void bob_is_nobody(const struct house *h)
{
	cr_expect_eq(database_number("SELECT count(*) FROM users WHERE tenant_id = $1::uuid AND "
				     "id = $2::uuid AND display_name = 'Erased user' AND "
				     "account_id IS NULL AND email LIKE 'erased-%'",
				     h->tenant, h->user, NULL),
		     1);
	cr_expect_eq(database_number("SELECT count(*) FROM accounts WHERE id = $1::uuid OR "
				     "email = $2",
				     h->account, h->bob.email, NULL),
		     0);
	cr_expect_eq(database_number("SELECT count(*) FROM accounts WHERE id = $1::uuid AND "
				     "email = $2",
				     id_text(h->ann.account.u), h->ann.email, NULL),
		     1);
}

/* The tenant came back, lost bob, went again: what is restored is the older archive. */
Test(restoring, an_archive_older_than_the_erasure_of_a_seat_does_not_undo_it)
{
	struct house h = house_with_realm();
	struct ctx *c = vault_open();
	const char *old = vault_put_away(c, h.ann.tenant, "old.zygo");

	vault_restore(c, old);
	database_run("SELECT erase_seat($1::uuid, $2::uuid)", h.tenant, h.user, NULL);
	(void)vault_put_away(c, h.ann.tenant, "new.zygo");
	vault_restore(c, old);
	bob_is_nobody(&h);
}

/* Its job went with the tenant before it was run. */
Test(restoring, ends_the_erasure_of_a_seat_that_was_asked_for)
{
	struct house h = house_with_realm();
	struct ctx *c = vault_open();

	database_run("INSERT INTO events (tenant_id, id, type, subject_id, actor_kind) "
		     "VALUES ($1::uuid, uuid_v7(), 'user.erasureRequested', $2::uuid, 'system')",
		     h.tenant, h.user, NULL);
	vault_restore(c, vault_put_away(c, h.ann.tenant, "it.zygo"));
	bob_is_nobody(&h);
}

/* He has deleted his account; the tenant's end, with all its people, came before the grace
 * period's. */
Test(restoring, brings_nobody_back_who_had_asked_to_be_erased)
{
	struct house h = house_with_realm();
	struct ctx *c = vault_open();

	database_run("UPDATE accounts SET deletion_at = now() + interval '1 day' "
		     "WHERE id = $1::uuid",
		     h.account, NULL);
	vault_restore(c, vault_put_away(c, h.ann.tenant, "it.zygo"));
	bob_is_nobody(&h);
}

/* An event of so many days ago. */
static void event_make(const char *tenant, const char *days)
{
	database_run("INSERT INTO events (tenant_id, id, type, actor_kind, created_at) "
		     "SELECT $1::uuid, overlay(uuid_v7()::text PLACING left(uuid_at(at)::text, 13) "
		     "FROM 1)::uuid, 'project.updated', 'system', at "
		     "FROM (SELECT now() - $2::integer * interval '1 day' AS at) AS x",
		     tenant, days, NULL);
}

static int64_t events_older_than(const char *tenant, const char *days)
{
	return database_number("SELECT count(*) FROM events WHERE tenant_id = $1::uuid AND "
			       "created_at < now() - $2::integer * interval '1 day'",
			       tenant, days, NULL);
}

/* The next hour would take them again; who wants them says so before. */
Test(restoring, leaves_events_in_the_archive_that_are_kept_of_no_tenant)
{
	struct caller ann = caller(ROLE_OWNER);
	const char *tenant = id_text(ann.tenant.u), *path;
	struct ctx *c = vault_open();
	struct config *mine;

	event_make(tenant, "450");
	event_make(tenant, "300");
	path = vault_put_away(c, ann.tenant, "it.zygo");
	vault_restore(c, path);
	cr_expect_eq(events_older_than(tenant, "200"), 1);
	cr_expect_eq(events_older_than(tenant, "400"), 0);

	(void)vault_put_away(c, ann.tenant, "again.zygo");
	mine = arena_make(world_arena(), struct config);
	*mine = *config();
	mine->events_keep_days = 500;
	config_set(mine);
	vault_restore(c, path);
	cr_expect_eq(events_older_than(tenant, "400"), 1);
}
