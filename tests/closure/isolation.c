/*
 * No request reads or writes another tenant's row: every route with every id that another tenant
 * has, in its path and in its body.
 *
 * Which id belongs to which route is not asked: all of them are tried at all places.
 */
#include "http/shape.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/probe.h"
#include "support/world.h"

#include <criterion/criterion.h>
#include <string.h>

#define IDS_MAX 128

/* Somebody else's tenant with something in every table that has a factory, and all its ids. */
struct victim {
	struct caller owner;
	const char *const *ids;
	size_t ids_len;
	const char *digest; /* of everything it has */
};

/* All uuids in columns named id of tables with tenant_id, and those of its people and itself. */
static const char *ids_statement(void)
{
	return database_value(
		"SELECT string_agg(format('SELECT id::text FROM %I WHERE tenant_id = $1::uuid', "
		"c.relname), ' UNION ') "
		"|| ' UNION SELECT id::text FROM sessions WHERE account_id IN "
		"(SELECT account_id FROM users WHERE tenant_id = $1::uuid)"
		" UNION SELECT account_id::text FROM users WHERE tenant_id = $1::uuid"
		" UNION SELECT $1::uuid::text' "
		"FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = 'tenant_id' "
		"JOIN pg_attribute i ON i.attrelid = c.oid AND i.attname = 'id' "
		"AND i.atttypid = 'uuid'::regtype "
		"WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace",
		NULL);
}

static struct victim victim_make(void)
{
	struct victim v = { .owner = caller(ROLE_OWNER) };

	(void)user_make(v.owner.tenant, ROLE_MEMBER, NULL);
	(void)project_make(v.owner.tenant, NULL);
	(void)api_key_make(v.owner.tenant, v.owner.user, "canViewUsers");
	answer_is(post(&v.owner, "/projects", strf("{\"slug\":\"%s\",\"name\":\"x\"}", new_word())),
		  201);
	v.ids = database_column(&v.ids_len, ids_statement(), id_text(v.owner.tenant.u), NULL);
	cr_assert(v.ids_len >= 6 && v.ids_len < IDS_MAX);
	v.digest = database_tenant_digest(v.owner.tenant);
	return v;
}

static void expect_untouched(const struct victim *v, const char *by)
{
	cr_assert_str_eq(database_tenant_digest(v->owner.tenant), v->digest,
			 "%s changed another tenant's rows", by);
}

/* The body without what differs between any two answers. */
static const char *without_ids(const struct answer *a)
{
	return strf("%s %s %s", answer_text(*a, "error"), answer_text(*a, "message"),
		    answer_find(a, "details", &(const struct json *){ NULL }) ? "details" : "");
}

static bool has_id_param(const struct mounted *row)
{
	return strstr(row->path, "Id") || strstr(row->path, ":id");
}

/* The route answers a foreign id exactly as one that nothing has. */
static void try_path(const struct mounted *row, const struct victim *v)
{
	struct caller c = probe_caller(row);
	struct answer none = probe(row, &c, probe_no_id());

	cr_assert_eq(none.status, 404);
	for (size_t i = 0; i < v->ids_len; i++) {
		struct answer foreign = probe(row, &c, v->ids[i]);

		answer_is_error(foreign, 404, "RESOURCE_NOT_FOUND", NULL);
		cr_assert_str_eq(without_ids(&foreign), without_ids(&none),
				 "%s tells foreign ids from none", probe_name(row));
	}
	expect_untouched(v, probe_name(row));
}

Test(isolation, another_tenants_ids_are_not_found)
{
	struct victim v = victim_make();
	struct mounted row;

	for (size_t i = 0; probe_each(&i, &row);) {
		if (has_id_param(&row) && row.route->perm != PERM_GLOBAL_ADMIN)
			try_path(&row, &v);
	}
}

/* With the other tenant named in X-Tenant-ID, where the caller has no seat. */
Test(isolation, another_tenant_cannot_be_named)
{
	struct victim v = victim_make();
	struct mounted row;

	for (size_t i = 0; probe_each(&i, &row);) {
		size_t n = has_id_param(&row) ? v.ids_len : 1; /* or all would be the same */
		struct caller c;

		if (!probe_needs_tenant(&row))
			continue;
		c = naming(probe_caller(&row), v.owner.tenant);
		for (size_t k = 0; k < n; k++)
			answer_is_error(probe(&row, &c, v.ids[k]), 403, "AUTH_FORBIDDEN", NULL);
		expect_untouched(&v, probe_name(&row));
	}
}

/* Each id that a body may carry. */
static void try_body(const struct mounted *row, const struct field *f, const struct victim *v)
{
	struct caller c = probe_caller(row);

	for (size_t i = 0; i < v->ids_len; i++) {
		const char *id = strf(f->type == T_ARRAY ? "[\"%s\"]" : "\"%s\"", v->ids[i]);
		struct answer a = answer_to(&(struct ask){
			.method = method_name(row->route->method),
			.path = probe_path(row, probe_no_id()),
			.caller = &c,
			.body = probe_body_but(row->route->body, f->name, id),
		});

		cr_assert(a.status >= 400 && a.status < 500, "%s took a foreign %s: %d %.*s",
			  probe_name(row), f->name, a.status, STR_FMT(a.body));
	}
	expect_untouched(v, probe_name(row));
}

Test(isolation, another_tenants_ids_in_bodies_are_refused)
{
	struct victim v = victim_make();
	struct mounted row;

	for (size_t i = 0; probe_each(&i, &row);) {
		const struct shape *s = row.route->body;

		for (size_t k = 0; s && k < s->fields_len; k++) {
			const struct field *f = &s->fields[k];

			if (f->type == T_UUID || (f->type == T_ARRAY && f->of->type == T_UUID))
				try_body(&row, f, &v);
		}
	}
}

/* Lists show the caller's own rows: none of the other tenant's ids is anywhere in them. */
Test(isolation, lists_hold_nothing_of_another_tenant)
{
	struct victim v = victim_make();
	struct mounted row;

	for (size_t i = 0; probe_each(&i, &row);) {
		struct caller c = probe_caller(&row);
		struct answer a;

		if (row.route->method != GET || has_id_param(&row) ||
		    row.route->perm == PERM_PUBLIC || row.route->perm == PERM_GLOBAL_ADMIN)
			continue;
		a = probe(&row, &c, probe_no_id());
		for (size_t k = 0; k < v.ids_len; k++)
			cr_assert(!memmem(a.body.ptr, a.body.len, v.ids[k], strlen(v.ids[k])),
				  "%s shows another tenant's %s", probe_name(&row), v.ids[k]);
	}
}
