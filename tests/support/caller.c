/*
 * Sessions as rows, and the two credentials of each.
 */
#include "support/caller.h"

#include "base/config.h"
#include "base/str.h"
#include "crypto/token.h"
#include "support/credential.h"
#include "support/database.h"
#include "support/factories.h"
#include "support/world.h"

bool tier_takes_token(enum tier t)
{
	return t == TIER_API || t == TIER_AUTH;
}

/* A row in sessions; fills session and cookie. */
static void open_session(struct caller *c)
{
	struct token_hash hash;
	char *cookie = arena_alloc(world_arena(), TOKEN_TEXT_SIZE);

	token_make(cookie);
	token_hash(str_of(cookie), &hash);
	c->cookie = cookie;
	c->session.u = uuid_v7();
	database_run(
		"INSERT INTO sessions (id, account_id, active_tenant_id, token_hash, user_agent, ip, "
		"idle_expires_at, expires_at) VALUES ($1::uuid, $2::uuid, nullif($3, $5)::uuid, "
		"decode($4, 'hex'), 'zygo-integration', '127.0.0.1', now() + interval '1 day', "
		"now() + interval '7 days')",
		id_text(c->session.u), id_text(c->account.u), id_text(c->tenant.u),
		str_hex(world_arena(), hash.bytes, sizeof(hash.bytes)),
		id_text((struct uuid){ { 0 } }), NULL);
}

/* A session for whom the fields that are set already name. */
static struct caller logged_in(struct caller c)
{
	world();
	c.email = account_email(c.account);
	c.origin = config()->app_url;
	c.tier = TIER_API;
	open_session(&c);
	c.token = credential_sign(&c);
	return c;
}

struct caller caller(enum builtin_role role)
{
	return caller_in(tenant_make(), role);
}

struct caller caller_in(struct tenant_id t, enum builtin_role role)
{
	struct account_id a = account_make(NULL);

	return logged_in(
		(struct caller){ .account = a, .tenant = t, .user = user_make_of(t, role, a) });
}

struct caller caller_of(struct tenant_id t, struct user_id u)
{
	const char *account = database_value(
		"SELECT account_id FROM users WHERE tenant_id = $1::uuid AND id = $2::uuid",
		id_text(t.u), id_text(u.u), NULL);

	return logged_in((struct caller){ .account = { id_of(account) }, .tenant = t, .user = u });
}

struct caller caller_outsider(void)
{
	return logged_in((struct caller){ .account = account_make(NULL) });
}

struct caller caller_global_admin(void)
{
	struct account_id a = account_make(NULL);
	struct caller c;

	database_run(
		"UPDATE accounts SET is_global_admin = true, mfa_enabled = true WHERE id = $1::uuid",
		id_text(a.u), NULL);
	c = logged_in((struct caller){ .account = a });
	database_run("UPDATE sessions SET mfa_at = now() WHERE id = $1::uuid", id_text(c.session.u),
		     NULL);
	return c;
}

struct caller caller_nobody(void)
{
	world();
	return (struct caller){ .tier = TIER_API, .origin = config()->app_url };
}

struct caller on_tier(struct caller c, enum tier t)
{
	c.tier = t;
	return c;
}

struct caller naming(struct caller c, struct tenant_id t)
{
	c.named_tenant = id_text(t.u);
	return c;
}

struct caller with_token(struct caller c, const char *token)
{
	c.token = token;
	return c;
}

struct caller with_api_key(struct caller c, const char *key)
{
	c.token = c.cookie = NULL;
	c.api_key = key;
	return c;
}

const char *new_address(void)
{
	uint8_t part[3];

	random_bytes(part, sizeof(part));
	return strf("127.%d.%d.%d", part[0], part[1], 1 + part[2] % 254);
}

struct caller from_elsewhere(struct caller c)
{
	c.from = new_address();
	return c;
}

void caller_revoke(const struct caller *c)
{
	database_run("UPDATE sessions SET revoked_at = now(), revoked_reason = 'logout' "
		     "WHERE id = $1::uuid",
		     id_text(c->session.u), NULL);
}

void caller_expire(const struct caller *c)
{
	database_run("UPDATE sessions SET idle_expires_at = now() - interval '1 second' "
		     "WHERE id = $1::uuid",
		     id_text(c->session.u), NULL);
}
