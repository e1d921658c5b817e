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
#include "base/ctx.h"
#include "domains/deletion/erase.h"

#include <criterion/criterion.h>
#include <string.h>

/* A tenant of its own people, with an owner and bob. */
struct house {
	struct caller ann, bob;
	const char *realm, *tenant, *user, *account; /* the last two: bob's */
};

static struct house house_with_realm(void)
{
	struct house h = { .ann = caller(ROLE_OWNER) };

	h.bob = caller_in(h.ann.tenant, ROLE_ADMIN);
	h.tenant = id_text(h.ann.tenant.u);
	h.user = id_text(h.bob.user.u);
	h.account = id_text(h.bob.account.u);
	h.realm = id_text(uuid_v7());
	database_run("INSERT INTO realms (id, slug, name) VALUES ($1::uuid, $2, 'x')", h.realm,
		     new_word(), NULL);
	database_run("UPDATE accounts SET realm_id = $1::uuid WHERE id IN ($2::uuid, $3::uuid)",
		     h.realm, id_text(h.ann.account.u), h.account, NULL);
	database_run("UPDATE tenants SET realm_id = $1::uuid WHERE id = $2::uuid", h.realm,
		     h.tenant, NULL);
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

static void erase(struct ctx *c, struct tenant_id tenant, const char *user)
{
	struct str id = str_of(user), counts;

	cr_assert_eq(db_begin(c, BATCH_SYSTEM), 0);
	cr_assert_eq(erase_seats(c, tenant, arg_text_array(&id, 1), &counts), 0, "%s",
		     c->fault.detail);
	cr_assert(counts.ptr);
	cr_assert_eq(db_commit(c), 0);
}

/* The tenant came back, lost bob, went again: what is restored is the older archive. */
Test(restoring, an_archive_older_than_the_erasure_of_a_seat_does_not_undo_it)
{
	struct house h = house_with_realm();
	struct ctx *c = vault_open();
	const char *old = vault_put_away(c, h.ann.tenant, "old.zygo");

	vault_restore(c, old);
	erase(c, h.ann.tenant, h.user);
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

/* A tenant of its own people, with so many more of them than a part has rows (db/parts.h). */
static struct house large_house(void)
{
	struct house h = house_with_realm();

	database_run("WITH p AS (SELECT uuid_v7() AS id, n FROM generate_series(1, 1200) AS n), "
		     "a AS (INSERT INTO accounts (id, realm_id, email) SELECT id, $2::uuid, "
		     "'p' || n || '@example.com' FROM p RETURNING id, email) "
		     "INSERT INTO users (tenant_id, id, account_id, email, status, role_keys, "
		     "permissions) SELECT $1::uuid, uuid_v7(), id, email, 'active', '{member}', "
		     "'{canDoMagic}' FROM a",
		     h.tenant, h.realm, NULL);
	return h;
}

static int64_t people_of(const struct house *h)
{
	return database_number("SELECT count(*) FROM accounts WHERE realm_id = $1::uuid", h->realm,
			       NULL);
}

Test(restoring, of_a_large_tenant_comes_with_everybody)
{
	struct house h = large_house();
	struct ctx *c = vault_open();
	const char *path = vault_put_away(c, h.ann.tenant, "it.zygo");

	cr_expect_eq(people_of(&h), 0);
	vault_restore(c, path);
	cr_expect_eq(people_of(&h), 1202);
	cr_expect_eq(database_number(
			     "SELECT count(*) FROM users WHERE tenant_id = $1::uuid AND "
			     "'canDoMagic' <> ALL (permissions) AND cardinality(permissions) > 0",
			     h.tenant, NULL),
		     1202);
}

/* As if so many were erased while the tenant was away; how often the database is asked then. */
static unsigned trips_of_restore(struct ctx *c, const struct house *h, const char *path,
				 const char *how_many)
{
	unsigned before;

	database_run("INSERT INTO erased_users (tenant_id, user_id) SELECT tenant_id, id FROM "
		     "users WHERE tenant_id = $1::uuid AND erased_at IS NULL AND "
		     "'member' = ANY (role_keys) ORDER BY id LIMIT $2::integer",
		     h->tenant, how_many, NULL);
	(void)vault_put_away(c, h->ann.tenant, "away.zygo");
	before = c->pg_trips;
	vault_restore(c, path);
	return c->pg_trips - before;
}

/* Events are many, and so may they be who were erased. */
Test(restoring, looks_for_all_who_were_erased_at_once)
{
	struct house h = large_house();
	struct ctx *c = vault_open();
	const char *path = vault_put_away(c, h.ann.tenant, "it.zygo");
	unsigned one, many;

	vault_restore(c, path);
	one = trips_of_restore(c, &h, path, "1");
	many = trips_of_restore(c, &h, path, "300");
	cr_expect_eq(database_number("SELECT count(*) FROM users WHERE tenant_id = $1::uuid "
				     "AND email LIKE 'erased-%'",
				     h.tenant, NULL),
		     301);
	cr_expect_eq(people_of(&h), 1202 - 301);
	cr_expect_lt(many, one + 100, "%u round trips for 300 people, %u for one", many, one);
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
