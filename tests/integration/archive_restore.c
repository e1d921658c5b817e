/*
 * What comes back out of an archive, and what does not: archives of other versions, archives that
 * somebody with the key has made up, and a platform that went on meanwhile.
 */
#include "support/caller.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/vault.h"
#include "support/world.h"

#include "base/buf.h"
#include "base/config.h"
#include "base/ctx.h"
#include "base/jsonwrite.h"
#include "crypto/digest.h"
#include "crypto/seal.h"
#include "db/batch.h"
#include "db/conn.h"
#include "domains/archive/archive.h"
#include "domains/archive/bundle.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINES_MAX 1000

/* A bundle's lines, to be changed. */
struct bundle_text {
	struct {
		int kind;
		struct str text;
	} lines[LINES_MAX];
	size_t len;
};

static int64_t is_there(struct tenant_id t)
{
	return database_number("SELECT count(*) FROM tenants WHERE id = $1::uuid", id_text(t.u),
			       NULL);
}

static void is_refused(struct ctx *c, struct tenant_id t, const char *path, const char *why)
{
	struct archive_restore how = { .location = path };

	c->fault = (struct fault){ 0 };
	cr_assert(archive_restore(c, &how) != 0);
	cr_assert(c->fault.message, "%s", c->fault.detail);
	cr_expect(strstr(c->fault.message, why), "%s", c->fault.message);
	cr_expect_eq(is_there(t), 0);
}

/*
 * Bundles that are changed by who has the key
 */

static struct bundle_text *text_of(struct ctx *c, const char *path)
{
	struct bundle_text *t = arena_make(world_arena(), struct bundle_text);
	int fd = open(path, O_RDONLY | O_CLOEXEC), kind;
	struct bundle_reader *r;
	struct str line;

	cr_assert(fd >= 0);
	cr_assert_eq(bundle_open(c, fd, &r), 0);
	while (bundle_next(r, &kind, &line) == 0 && kind) {
		cr_assert(t->len < LINES_MAX);
		t->lines[t->len].kind = kind;
		t->lines[t->len++].text = str_of(str_dup(world_arena(), line));
	}
	(void)close(fd);
	return t;
}

/* Where the table begins. */
static size_t find_table(const struct bundle_text *t, const char *table)
{
	size_t i = 0;

	while (i < t->len && (t->lines[i].kind != LINE_TABLE || !str_is(t->lines[i].text, table)))
		i++;
	cr_assert(i < t->len, "%s", table);
	return i;
}

/* Each row of a table becomes what an SQL expression makes of it ($1::jsonb). */
static void change_rows(struct bundle_text *t, const char *table, const char *expression)
{
	size_t changed = 0;

	for (size_t i = find_table(t, table) + 1; t->lines[i].kind == LINE_ROW; i++) {
		const char *was = strf("%.*s", STR_FMT(t->lines[i].text));

		t->lines[i].text =
			str_of(database_value(strf("SELECT (%s)::text", expression), was, NULL));
		changed++;
	}
	cr_assert(changed > 0);
}

/* The end of a table, as its rows are now; beside it the manifest grows. */
static struct str end_of(struct digest *d, int64_t rows)
{
	return str_of(strf("{\"rows\":%lld,\"digest\":\"0\",\"sha256\":\"%s\"}", (long long)rows,
			   digest_end(d)));
}

/* Written anew, with sums that are right; the path. keeps_manifest: what it said at first. */
static const char *write_again(struct ctx *c, struct tenant_id tenant, struct bundle_text *t,
			       bool keeps_manifest)
{
	const char *path = strf("%s.again", config()->archive_url + strlen("file://")), *sha256;
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct bundle_writer *w;
	struct digest *d = digest_new(world_arena());
	struct buf manifest;
	int64_t rows = 0, bytes;

	c->fault = (struct fault){ 0 };
	w = bundle_begin(c, fd, tenant);
	buf_init(&manifest, world_arena(), MIB(1));
	for (size_t i = 0; i < t->len; i++) {
		int kind = t->lines[i].kind;
		struct str line = t->lines[i].text;

		if (kind == LINE_TABLE) {
			buf_printf(&manifest, "%c\"%.*s\":", manifest.len ? ',' : '{',
				   STR_FMT(line));
			rows = 0;
		} else if (kind == LINE_ROW) {
			digest_add(d, line.ptr, line.len);
			digest_add(d, "\n", 1);
			rows++;
		} else if (kind == LINE_END) {
			line = end_of(d, rows);
			buf_add(&manifest, line.ptr, line.len);
		} else if (kind == LINE_MANIFEST && !keeps_manifest) {
			buf_char(&manifest, '}');
			line = buf_view(&manifest);
		}
		cr_assert_eq(bundle_add(w, (enum bundle_line)kind, line), 0);
	}
	cr_assert_eq(bundle_end(w, &bytes, &sha256), 0);
	(void)close(fd);
	return path;
}

/* Takes a table out, and gives back how many lines that were. */
static void drop_table(struct bundle_text *t, const char *table)
{
	size_t from = find_table(t, table), to = from;

	while (t->lines[to++].kind != LINE_END)
		;
	memmove(&t->lines[from], &t->lines[to], (t->len - to) * sizeof(t->lines[0]));
	t->len -= to - from;
}

Test(restoring, an_archive_of_before_a_column_was_there_is_possible)
{
	struct caller ann = caller(ROLE_OWNER);
	const char *tenant = id_text(ann.tenant.u);
	struct ctx *c = vault_open();
	struct bundle_text *t;

	(void)project_make(ann.tenant, NULL);
	t = text_of(c, vault_put_away(c, ann.tenant, "it.zygo"));
	change_rows(t, "projects", "$1::jsonb - 'version'");
	change_rows(t, "users", "$1::jsonb - 'is_guest'");
	change_rows(t, "tenants", "$1::jsonb - 'limits'");
	vault_restore(c, write_again(c, ann.tenant, t, false));

	cr_expect_eq(database_number("SELECT version FROM projects WHERE tenant_id = $1::uuid",
				     tenant, NULL),
		     1);
	cr_expect_str_eq(
		database_value("SELECT limits FROM tenants WHERE id = $1::uuid", tenant, NULL),
		"{}");
}

Test(restoring, an_archive_with_what_this_version_cannot_keep_is_refused)
{
	struct caller ann = caller(ROLE_OWNER);
	struct ctx *c = vault_open();
	struct bundle_text *t;

	(void)project_make(ann.tenant, NULL);
	t = text_of(c, vault_put_away(c, ann.tenant, "it.zygo"));
	change_rows(t, "projects", "$1::jsonb || '{\"colour\": \"red\"}'");
	is_refused(c, ann.tenant, write_again(c, ann.tenant, t, false),
		   "projects cannot keep what the archive has of it");
}

Test(restoring, an_archive_brings_nothing_into_another_tenant)
{
	struct caller ann = caller(ROLE_OWNER), eve = caller(ROLE_OWNER);
	const char *others = database_tenant_digest(eve.tenant);
	struct ctx *c = vault_open();
	struct bundle_text *t;
	const char *path;

	(void)project_make(ann.tenant, NULL);
	path = vault_put_away(c, ann.tenant, "it.zygo");
	t = text_of(c, path);
	change_rows(t, "projects",
		    strf("$1::jsonb || '{\"tenant_id\": \"%s\"}'", id_text(eve.tenant.u)));
	is_refused(c, ann.tenant, write_again(c, ann.tenant, t, false),
		   "rows of another tenant in projects");

	t = text_of(c, path);
	change_rows(t, "tenants", strf("$1::jsonb || '{\"id\": \"%s\"}'", id_text(uuid_v7())));
	is_refused(c, ann.tenant, write_again(c, ann.tenant, t, false),
		   "rows of another tenant in tenants");
	cr_expect_str_eq(database_tenant_digest(eve.tenant), others);
}

Test(restoring, an_archive_is_of_one_tenant_and_all_its_tables)
{
	struct caller ann = caller(ROLE_OWNER);
	struct ctx *c = vault_open();
	const char *path = vault_put_away(c, ann.tenant, "it.zygo");
	struct bundle_text *t = text_of(c, path);
	size_t row = find_table(t, "tenants") + 1;

	memmove(&t->lines[row + 1], &t->lines[row], (t->len - row) * sizeof(t->lines[0]));
	t->len++;
	is_refused(c, ann.tenant, write_again(c, ann.tenant, t, false), "not of one tenant");

	t = text_of(c, path);
	drop_table(t, "tenants");
	is_refused(c, ann.tenant, write_again(c, ann.tenant, t, false), "not of one tenant");

	t = text_of(c, path);
	drop_table(t, "user_roles");
	is_refused(c, ann.tenant, write_again(c, ann.tenant, t, true), "not those of its manifest");
}

Test(restoring, takes_no_slug_that_is_none)
{
	struct archive_restore how = { .location = "/nowhere.zygo", .slug = "../Up" };
	struct ctx *c = vault_open();

	cr_assert(archive_restore(c, &how) != 0);
	cr_expect(strstr(c->fault.message, "a-z"), "%s", c->fault.message);
}

/*
 * What went on meanwhile
 */

Test(restoring, sends_nothing_that_waited_then)
{
	struct caller ann = caller(ROLE_OWNER);
	const char *tenant = id_text(ann.tenant.u), *endpoint = id_text(uuid_v7());
	struct ctx *c = vault_open();

	database_run(
		"INSERT INTO webhook_endpoints (tenant_id, id, url, secret_sealed, disabled_at) "
		"VALUES ($1::uuid, $2::uuid, 'https://example.com/', '', now())",
		tenant, endpoint, NULL);
	database_run(
		"INSERT INTO webhook_deliveries (tenant_id, id, endpoint_id, message_id, type, "
		"position, state, due_at, created_at) SELECT $1::uuid, gen_random_uuid(), "
		"$2::uuid, gen_random_uuid(), 'tenant.deleted', 1, s, now() + interval '1 day', "
		"now() FROM unnest('{delayed,delivered}'::text[]) s",
		tenant, endpoint, NULL);
	database_run(
		"INSERT INTO notifications (tenant_id, id, user_id, event_id, kind, title, body, "
		"is_shown, email, awaits_digest) VALUES ($1::uuid, gen_random_uuid(), $2::uuid, "
		"gen_random_uuid(), 'x', 'x', 'x', true, 'digest', true)",
		tenant, id_text(ann.user.u), NULL);
	vault_restore(c, vault_put_away(c, ann.tenant, "it.zygo"));

	cr_expect_str_eq(database_value("SELECT string_agg(state, ' ' ORDER BY state) FROM "
					"webhook_deliveries WHERE tenant_id = $1::uuid "
					"AND type <> 'tenant.restored'",
					tenant, NULL),
			 "cancelled delivered");
	cr_expect_eq(database_number("SELECT count(*) FROM notifications WHERE "
				     "tenant_id = $1::uuid AND NOT awaits_digest",
				     tenant, NULL),
		     1);
}

/* As if the built-in roles had changed since. */
Test(restoring, gives_seats_what_their_roles_say_by_now)
{
	struct caller ann = caller(ROLE_OWNER);
	struct ctx *c = vault_open();

	database_run("UPDATE users SET permissions = '{canDoMagic}' WHERE tenant_id = $1::uuid",
		     id_text(ann.tenant.u), NULL);
	vault_restore(c, vault_put_away(c, ann.tenant, "it.zygo"));
	cr_expect_eq(database_number("SELECT count(*) FROM users WHERE tenant_id = $1::uuid AND "
				     "'canDeleteTenant' = ANY (permissions) AND "
				     "'canDoMagic' <> ALL (permissions)",
				     id_text(ann.tenant.u), NULL),
		     1);
}

Test(restoring, brings_nobody_back_who_was_erased_since)
{
	struct caller ann = caller(ROLE_OWNER), bob = caller_in(ann.tenant, ROLE_ADMIN);
	struct ctx *c = vault_open();
	const char *path = vault_put_away(c, ann.tenant, "it.zygo"),
		   *account = id_text(bob.account.u);

	database_run("SELECT erase_account($1::uuid)", account, NULL);
	vault_restore(c, path);
	cr_expect_eq(database_number("SELECT count(*) FROM users WHERE tenant_id = $1::uuid",
				     id_text(ann.tenant.u), NULL),
		     2);
	cr_expect_eq(database_number("SELECT count(*) FROM users WHERE tenant_id = $1::uuid AND "
				     "id = $2::uuid AND display_name = 'Erased user' AND "
				     "account_id IS NULL AND email LIKE 'erased-%'",
				     id_text(ann.tenant.u), id_text(bob.user.u), NULL),
		     1);
	cr_expect_eq(database_number("SELECT count(*) FROM accounts WHERE id = $1::uuid OR "
				     "email = $2",
				     account, bob.email, NULL),
		     0);
}

/* A tenant of its own people, whose names others have taken. */
Test(restoring, finds_names_for_what_is_taken_by_now)
{
	struct caller ann = caller(ROLE_OWNER);
	const char *tenant = id_text(ann.tenant.u), *realm = id_text(uuid_v7()), *word = new_word();
	const char *host = strf("%s.example.com", word);
	struct ctx *c = vault_open();
	const char *path;

	database_run("INSERT INTO realms (id, slug, name) VALUES ($1::uuid, $2, 'x')", realm, word,
		     NULL);
	database_run("UPDATE accounts SET realm_id = $1::uuid WHERE id = $2::uuid", realm,
		     id_text(ann.account.u), NULL);
	database_run("UPDATE tenants SET realm_id = $1::uuid, host = $2 WHERE id = $3::uuid", realm,
		     host, tenant, NULL);
	path = vault_put_away(c, ann.tenant, "it.zygo");
	cr_assert_eq(database_number("SELECT count(*) FROM realms WHERE slug = $1", word, NULL), 0);

	database_run("INSERT INTO realms (id, slug, name) VALUES ($1::uuid, $2, 'x')",
		     id_text(uuid_v7()), word, NULL);
	database_run("UPDATE tenants SET host = $1 WHERE id = $2::uuid", host,
		     id_text(tenant_make().u), NULL);
	vault_restore(c, path);
	cr_expect_str_eq(database_value("SELECT r.slug = t.slug AND t.host IS NULL FROM tenants t "
					"JOIN realms r ON r.id = t.realm_id WHERE t.id = $1::uuid",
					tenant, NULL),
			 "t");
	cr_expect_eq(database_number("SELECT count(*) FROM accounts WHERE id = $1::uuid AND "
				     "reset_required_at IS NOT NULL",
				     id_text(ann.account.u), NULL),
		     1);
}
