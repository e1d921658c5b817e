/*
 * One statement a thing.
 */
#include "support/factories.h"

#include "base/str.h"
#include "crypto/apikey.h"
#include "crypto/password.h"
#include "crypto/token.h"
#include "support/database.h"
#include "support/world.h"

#include <criterion/criterion.h>

const char *new_word(void)
{
	uint8_t bytes[13];

	random_bytes(bytes, sizeof(bytes));
	return strf("n%s", str_hex(world_arena(), bytes, sizeof(bytes)));
}

struct tenant_id tenant_make(void)
{
	struct tenant_id t = { uuid_v7() };

	database_run(
		"WITH t AS (INSERT INTO tenants (id, slug, name) VALUES ($1::uuid, $2, $3)) "
		"INSERT INTO roles (tenant_id, id, key, name, builtin_key) "
		"SELECT $1::uuid, gen_random_uuid(), key, initcap(key), key FROM builtin_roles",
		id_text(t.u), new_word(), "Test tenant", NULL);
	return t;
}

void tenant_suspend(struct tenant_id t)
{
	database_run("UPDATE tenants SET status = 'suspended' WHERE id = $1::uuid", id_text(t.u),
		     NULL);
}

struct account_id account_make(const char *email)
{
	if (!email)
		email = strf("%s@example.com", new_word());
	return (struct account_id){ id_of(database_value(
		"INSERT INTO accounts (id, email, email_verified_at, first_name, last_name) "
		"VALUES ($1::uuid, $2, now(), 'Ann', 'Example') "
		"ON CONFLICT (realm_id, email) WHERE deleted_at IS NULL "
		"DO UPDATE SET email = excluded.email RETURNING id",
		id_text(uuid_v7()), email, NULL)) };
}

const char *account_email(struct account_id a)
{
	return database_value("SELECT email FROM accounts WHERE id = $1::uuid", id_text(a.u), NULL);
}

void account_set_password(struct account_id a, const char *password)
{
	char hash[PASSWORD_HASH_SIZE];

	password_hash(str_of(password), hash);
	database_run("UPDATE accounts SET password_hash = $2 WHERE id = $1::uuid", id_text(a.u),
		     hash, NULL);
}

struct user_id user_make(struct tenant_id t, enum builtin_role role, const char *email)
{
	return user_make_of(t, role, account_make(email));
}

struct user_id user_make_of(struct tenant_id t, enum builtin_role role, struct account_id a)
{
	struct user_id u = { uuid_v7() };

	database_run(
		"WITH u AS (INSERT INTO users (tenant_id, id, account_id, email, first_name, last_name, "
		"status, email_verified) "
		"SELECT $1::uuid, $2::uuid, id, email, first_name, last_name, 'active', true "
		"FROM accounts WHERE id = $3::uuid) "
		"INSERT INTO user_roles (tenant_id, user_id, role_id) "
		"SELECT tenant_id, $2::uuid, id FROM roles WHERE tenant_id = $1::uuid AND key = $4",
		id_text(t.u), id_text(u.u), id_text(a.u), builtin_role_name(role), NULL);
	return u;
}

void user_rename(struct tenant_id t, struct user_id u, const char *first, const char *last)
{
	database_run("UPDATE users SET first_name = $3, last_name = $4 "
		     "WHERE tenant_id = $1::uuid AND id = $2::uuid",
		     id_text(t.u), id_text(u.u), first, last, NULL);
}

const char *api_key_make(struct tenant_id t, struct user_id u, const char *scopes)
{
	char *key = arena_alloc(world_arena(), APIKEY_TEXT_SIZE);
	struct token_hash hash;

	apikey_make(false, key);
	token_hash(str_of(key), &hash);
	database_run(
		"WITH k AS (INSERT INTO api_keys (tenant_id, id, user_id, name, hint, scopes) "
		"VALUES ($1::uuid, $2::uuid, $3::uuid, 'Test key', $4, string_to_array($5, ' '))) "
		"INSERT INTO api_key_secrets (tenant_id, api_key_id, hash) "
		"VALUES ($1::uuid, $2::uuid, decode($6, 'hex'))",
		id_text(t.u), id_text(uuid_v7()), id_text(u.u), strf("%.*s", APIKEY_HINT_LEN, key),
		scopes, str_hex(world_arena(), hash.bytes, sizeof(hash.bytes)), NULL);
	return key;
}

struct uuid project_make(struct tenant_id t, const char *slug)
{
	struct uuid id = uuid_v7();

	database_run("INSERT INTO projects (tenant_id, id, slug, name) "
		     "VALUES ($1::uuid, $2::uuid, $3, 'Test project')",
		     id_text(t.u), id_text(id), slug ? slug : new_word(), NULL);
	return id;
}
