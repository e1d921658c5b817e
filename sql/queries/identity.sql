-- Identity: accounts, their sessions, and the keys that sign access tokens.
--
-- Statements with role: identity run as zygo_identity, which sees all accounts and the seats of all tenants. Whose they may touch is
-- in each of them: current_account() and current_session() are who entered, or who identity_act_as has named.

-- How a request's transactions begin; enter() in sql/migrations/0001 says what the parameters are.
-- name: identity_enter :one
SELECT session_id, account_id, tenant_id, user_id, is_global_admin, is_stale
FROM enter($1, $2, $3, $4, $5, $6, $7, $8);

-- The same for an API key; enter_key() in sql/migrations/0004.
-- name: identity_enter_key :one
SELECT api_key_id, account_id, tenant_id, user_id, rate_limit, is_stale
FROM enter_key($1, $2, $3, $4, $5, $6);

-- From here on in this transaction somebody acts who has just proven who they are, by a password or a refresh token.
-- $1 account, $2 session, $3 tenant, $4 seat.
-- name: identity_act_as :exec  role: identity
SELECT set_config('app.account_id', coalesce($1, ''), true), set_config('app.session_id', coalesce($2, ''), true),
       set_config('app.tenant_id', coalesce($3, ''), true), set_config('app.user_id', coalesce($4, ''), true);

-- The same for one who has entered, and now acts in a tenant just founded.  $1 tenant, $2 seat.
-- name: identity_act_in :exec  role: identity
SELECT set_config('app.tenant_id', $1, true), set_config('app.user_id', $2, true);

-- What the account that acts does behind this takes turns: the second sees what the first has done. In front of whatever counts what the
-- account has: its tenants, its ways to log in.
-- name: identity_account_lock :exec  role: identity
SELECT FROM accounts WHERE id = current_account() FOR NO KEY UPDATE;

------------------------------------------------------------------------------------------------------------
-- Signing up

-- $1 id, $2 email, $3 hash of the password, $4 first name, $5 last name.
-- name: identity_account_create :exec  role: identity
INSERT INTO accounts (id, email, password_hash, first_name, last_name, last_login_at)
VALUES ($1, $2, $3, $4, $5, now());

-- Run once with the slug that one would like and once with one that nobody has: the second does nothing when the first
-- did something.  $1 id, $2 slug, $3 name.
-- name: identity_tenant_create :exec  role: identity
INSERT INTO tenants (id, slug, name)
SELECT $1, $2, $3
WHERE NOT EXISTS (SELECT FROM tenants WHERE id = $1)
ON CONFLICT (slug) WHERE deleted_at IS NULL DO NOTHING;

-- Behind identity_account_lock, so that two of one account do not count the same ones. Nor does anybody found one in another's name.
-- $1 how many tenants an account may own.
-- name: identity_tenants_keep_within :exec  role: identity
SELECT CASE WHEN current_impersonator() IS NULL
       THEN refuse('ZY402', format('An account owns %s organisations at most here: delete one, or hand it over, first', $1::bigint))
       ELSE refuse('ZY403', 'Who acts as somebody else does so in one tenant') END
FROM users u
JOIN tenants t ON t.id = u.tenant_id AND t.deleted_at IS NULL
WHERE u.account_id = current_account() AND u.deleted_at IS NULL AND 'owner' = ANY (u.role_keys)
HAVING count(*) >= $1::bigint OR current_impersonator() IS NOT NULL;

-- A built-in role.  $1 tenant, $2 id, $3 key, $4 name.
-- name: identity_role_create :exec
INSERT INTO roles (tenant_id, id, key, name, builtin_key)
VALUES ($1, $2, $3::text, $4, $3::text);

-- $1 tenant, $2 id, $3 account; NULL: the one that acts.
-- name: identity_seat_create :exec  role: identity
INSERT INTO users (tenant_id, id, account_id, email, first_name, last_name, status, email_verified, mfa_enabled, last_login_at)
SELECT $1, $2, id, email, first_name, last_name, 'active', email_verified_at IS NOT NULL, mfa_enabled, now()
FROM accounts
WHERE id = coalesce($3, current_account());

-- $1 tenant, $2 seat, $3 role's key.
-- name: identity_seat_give_role :exec
INSERT INTO user_roles (tenant_id, user_id, role_id)
SELECT tenant_id, $2, id
FROM roles
WHERE tenant_id = $1 AND key = $3;

------------------------------------------------------------------------------------------------------------
-- Logging in

-- Counts an attempt as failed, until identity_login_forget says that it was not: so those made at once count too.
-- No row: locked out.  $1 hash of the email, $2 tenant's slug, $3 tenant's id.
-- name: identity_login_attempt :opt  role: identity
INSERT INTO login_attempts AS l (realm_id, email_hash, failures, last_at)
VALUES (realm_of($2, $3), $1, 1, now())
ON CONFLICT ON CONSTRAINT login_attempts_pkey DO UPDATE
SET (failures, locked_until, last_at) = (
	SELECT n, now() + login_delay(n), now()
	FROM (SELECT CASE WHEN l.last_at < now() - interval '1 day' THEN 1 ELSE l.failures + 1 END) AS counted (n))
WHERE l.locked_until IS NULL OR l.locked_until <= now()
RETURNING failures;

-- Always a row. The seat is the one in the tenant that was named, or else the one used last.
-- $1 email, $2 its hash, $3 tenant's slug, $4 tenant's id.
-- name: identity_login_find :one  role: identity
SELECT realm.id AS realm_id, a.id AS account_id, a.password_hash, seat.tenant_id, seat.id AS user_id,
       coalesce(ceil(extract(epoch FROM l.locked_until - now())), 0)::bigint AS locked_s
FROM realm_of($3, $4) AS realm (id)
LEFT JOIN login_attempts l ON l.realm_id = realm.id AND l.email_hash = $2
LEFT JOIN accounts a ON a.realm_id = realm.id AND a.email = $1 AND a.deleted_at IS NULL
LEFT JOIN LATERAL (
	SELECT u.tenant_id, u.id
	FROM users u
	JOIN tenants t ON t.id = u.tenant_id
	WHERE u.account_id = a.id AND u.status = 'active' AND u.deleted_at IS NULL AND t.deleted_at IS NULL
	  AND (t.id = tenant_named($3, $4) OR ($3 IS NULL AND $4::uuid IS NULL))
	ORDER BY t.status, u.last_login_at DESC NULLS LAST, u.created_at
	LIMIT 1
) AS seat ON true;

-- The wait begins when the answer is known. It also makes a refusal write, and so wait for the disk, whether or not there is an
-- account whose events it goes to.  $1 realm, $2 hash of the email.
-- name: identity_login_refused :exec  role: identity
UPDATE login_attempts
SET last_at = now(), locked_until = now() + login_delay(failures)
WHERE realm_id = $1 AND email_hash = $2;

-- $1 realm, $2 hash of the email.
-- name: identity_login_forget :exec  role: identity
DELETE FROM login_attempts WHERE realm_id = $1 AND email_hash = $2;

-- What nobody has tried for a day, a few at a time: each attempt leaves one row at most, so these do not pile up.
-- name: identity_login_sweep :exec  role: identity
DELETE FROM login_attempts
WHERE (realm_id, email_hash) IN (
	SELECT realm_id, email_hash
	FROM login_attempts
	WHERE last_at < now() - interval '1 day'
	ORDER BY last_at
	LIMIT 8
	FOR UPDATE SKIP LOCKED);

-- Refused when the password has changed since it was compared.  $1 its hash then, $2 a new hash of the same password or NULL.
-- name: identity_login_note :exec  role: identity
UPDATE accounts
SET last_login_at = now(), password_hash = coalesce($2, password_hash)
WHERE id = current_account() AND (password_hash = $1 OR refuse('ZY401', 'Invalid email or password'));

-- The seat that the session works in is the one that the next log-in chooses.
-- name: identity_seat_use :exec  role: identity
UPDATE users u
SET last_login_at = now()
FROM sessions s
WHERE s.id = current_session() AND u.tenant_id = s.active_tenant_id AND u.account_id = s.account_id AND u.deleted_at IS NULL;

------------------------------------------------------------------------------------------------------------
-- Sessions

-- Only here does a session begin, and nobody who has a second factor gets one without it: what reads current_session() behind
-- this then finds nothing.
-- $1 hash of the cookie, $2 user agent, $3 address, $4 idle and $5 greatest lifetime in microseconds, $6 a second factor was proven.
-- name: identity_session_create :exec  role: identity
INSERT INTO sessions (id, account_id, active_tenant_id, token_hash, user_agent, ip, idle_expires_at, expires_at, mfa_at)
SELECT current_session(), id, current_tenant(), $1, $2, $3::inet,
       now() + least($4::bigint, $5::bigint) * interval '1 microsecond', now() + $5::bigint * interval '1 microsecond',
       CASE WHEN $6 THEN now() END
FROM accounts
WHERE id = current_account() AND deleted_at IS NULL AND (NOT mfa_enabled OR $6);

-- $1 hash, $2 lifetime in microseconds.
-- name: identity_refresh_create :exec  role: identity
INSERT INTO refresh_tokens (token_hash, session_id, expires_at)
SELECT $1, id, least(now() + $2::bigint * interval '1 microsecond', expires_at)
FROM sessions
WHERE id = current_session();

-- Uses a refresh token and puts the next one in its place. Of two at once one comes first, by the row's lock; a token that
-- is used again ends its session, since one of the two who have it should not.
-- No row: there is no such token.  $1 its hash, $2 the next one's, $3 a token's lifetime, $4 a session's idle one, in microseconds.
-- name: identity_refresh :opt  role: identity
WITH presented AS (
	UPDATE refresh_tokens t
	SET uses = t.uses + 1
	FROM sessions s
	JOIN accounts a ON a.id = s.account_id
	WHERE t.token_hash = $1 AND s.id = t.session_id
	RETURNING s.id, s.account_id, s.active_tenant_id, s.token_hash, t.uses > 1 AS is_reused,
		t.expires_at > now() AND s.expires_at > now() AND s.revoked_at IS NULL AND a.deleted_at IS NULL AS is_alive
), next AS (
	INSERT INTO refresh_tokens (token_hash, session_id, expires_at)
	SELECT $2, s.id, least(now() + $3::bigint * interval '1 microsecond', s.expires_at)
	FROM presented p
	JOIN sessions s ON s.id = p.id
	WHERE p.is_alive AND NOT p.is_reused
), session AS (
	UPDATE sessions s
	SET last_seen_at = now(),
	    idle_expires_at = least(now() + $4::bigint * interval '1 microsecond', s.expires_at),
	    revoked_at = CASE WHEN p.is_reused THEN now() END,
	    revoked_reason = CASE WHEN p.is_reused THEN 'refresh token reused' END
	FROM presented p
	WHERE s.id = p.id AND s.revoked_at IS NULL
)
SELECT id, account_id, active_tenant_id, token_hash, is_reused, is_alive FROM presented;

-- When a stale one was used; at most once in five minutes, see is_stale in enter().  $1 session, $2 idle lifetime in microseconds.
-- name: identity_session_touch :exec  role: identity
UPDATE sessions
SET last_seen_at = now(), idle_expires_at = least(now() + $2::bigint * interval '1 microsecond', expires_at)
WHERE id = $1 AND revoked_at IS NULL AND last_seen_at < now() - interval '5 minutes';

-- One of the account's own.  $1 session, $2 why.
-- name: identity_session_revoke :one  noun: Session  role: identity
UPDATE sessions
SET revoked_at = now(), revoked_reason = $2
WHERE id = coalesce($1, current_session()) AND account_id = current_account() AND revoked_at IS NULL AND expires_at > now()
RETURNING id, token_hash;

-- All of the account, or all but the present one.  $1 the present one too, $2 why.
-- name: identity_sessions_revoke :many  role: identity
UPDATE sessions
SET revoked_at = now(), revoked_reason = $2
WHERE account_id = current_account() AND revoked_at IS NULL AND ($1::boolean OR id <> current_session())
RETURNING id, token_hash;

-- Those that a refresh token brings back among them, though their cookie has been idle for too long.
-- name: identity_sessions :many  reply: Session  role: identity
SELECT s.id, s.user_agent AS "device", host(s.ip) AS "ip", s.id = current_session() AS "isCurrent", s.created_at AS "createdAt",
       s.last_seen_at AS "lastSeenAt", greatest(least(s.idle_expires_at, s.expires_at), t.expires_at) AS "expiresAt"
FROM sessions s
LEFT JOIN refresh_tokens t ON t.session_id = s.id AND t.uses = 0
WHERE s.account_id = current_account() AND s.revoked_at IS NULL AND s.expires_at > now()
  AND greatest(s.idle_expires_at, t.expires_at) > now()
ORDER BY s.last_seen_at DESC, s.id DESC
LIMIT 100;

-- Another account's tenant, and one where the seat is suspended, is not found.  $1 tenant.
-- name: identity_switch_tenant :one  noun: Tenant  role: identity
UPDATE sessions s
SET active_tenant_id = u.tenant_id
FROM users u
JOIN tenants t ON t.id = u.tenant_id
WHERE s.id = current_session() AND u.tenant_id = $1 AND u.account_id = current_account()
  AND u.status = 'active' AND u.deleted_at IS NULL AND t.deleted_at IS NULL
RETURNING s.id, s.token_hash;

------------------------------------------------------------------------------------------------------------
-- Hooks (sql/migrations/0008): between these two, a second is all that a statement may take.

-- name: identity_hurry :exec
SELECT set_config('app.statement_timeout', current_setting('statement_timeout'), true), set_config('statement_timeout', '1s', true);

-- name: identity_hurry_no_more :exec
SELECT set_config('statement_timeout', current_setting('app.statement_timeout'), true);

-- name: identity_after_sign_up :exec  role: identity
SELECT run_after_sign_up();

-- No row: the session that was to begin has not.
-- name: identity_custom_claims :opt  role: identity
SELECT run_custom_claims() AS claims FROM sessions WHERE id = current_session();

-- Whom the admin's hook lets into a room, beside the room's own rule.  $1 room.
-- name: identity_join_room :one
SELECT run_join_room($1) AS is_let_in;

------------------------------------------------------------------------------------------------------------
-- Tickets to connect with

-- $1 hash, $2 lifetime in microseconds, $3 the ticket itself, which is said once and not kept.
-- name: identity_ticket_create :one  role: identity  reply: WsTicket
INSERT INTO ws_tickets (token_hash, session_id, active_tenant_id, expires_at)
SELECT $1, current_session(), current_tenant(), now() + $2::bigint * interval '1 microsecond'
RETURNING $3::text AS ticket, $2::bigint / 1000000 AS "expiresIn";

-- Those that nobody used, a few at a time: each that is made leaves one at most.
-- name: identity_ticket_sweep :exec  role: identity
DELETE FROM ws_tickets
WHERE token_hash IN (SELECT token_hash FROM ws_tickets WHERE expires_at < now() ORDER BY expires_at LIMIT 8 FOR UPDATE SKIP LOCKED);

------------------------------------------------------------------------------------------------------------
-- API keys

-- Whose a key is and how often it may be used, before the request is let in or not: it proves nothing.  $1 hash of its secret, $2 the one
-- under the JWT_SECRET of before, or NULL.
-- name: identity_key_find :opt  role: identity
SELECT k.id, u.account_id, k.rate_limit, s.hash = $1 AS is_current
FROM api_key_secrets s
JOIN api_keys k ON k.tenant_id = s.tenant_id AND k.id = s.api_key_id
JOIN users u ON u.tenant_id = k.tenant_id AND u.id = k.user_id
WHERE s.hash IN ($1, $2)
ORDER BY s.hash = $1 DESC
LIMIT 1;

-- Ahead of identity_key_adopt: nobody rotates the key meanwhile, whose older secret would get a row without an end.  $1 key.
-- name: identity_key_lock :exec  role: identity
SELECT FROM api_keys WHERE id = $1 FOR NO KEY UPDATE;

-- The hash under the present JWT_SECRET beside that under the one of before, by which other hosts, and workers that are about to leave, may
-- still look.  $1 hash, $2 the one of before, $3 mark.
-- name: identity_key_adopt :exec  role: identity
INSERT INTO api_key_secrets (tenant_id, api_key_id, hash, expires_at, keyed_by)
SELECT tenant_id, api_key_id, $1, expires_at, $3
FROM api_key_secrets
WHERE hash = $2
ON CONFLICT ON CONSTRAINT api_key_secrets_hash_key DO NOTHING;

-- What ends with JWT_SECRET_PREVIOUS: API keys that nobody has used under the present secret, and accounts with recovery codes from
-- before.  $1 mark.
-- name: identity_keyed_before :one  role: identity
SELECT (SELECT count(*)
	FROM api_keys k
	WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
	  AND NOT EXISTS (SELECT FROM api_key_secrets s
			  WHERE s.tenant_id = k.tenant_id AND s.api_key_id = k.id AND s.keyed_by = $1)) AS api_keys,
       (SELECT count(DISTINCT account_id) FROM recovery_codes WHERE used_at IS NULL AND keyed_by IS DISTINCT FROM $1) AS accounts;

-- When it was last used, and from where: at most once a minute, see is_stale in enter_key().  $1 tenant, $2 key, $3 address.
-- name: identity_key_touch :exec  role: identity
UPDATE api_keys
SET last_used_at = now(), last_used_ip = $3
WHERE tenant_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute');

------------------------------------------------------------------------------------------------------------
-- Who am I

-- No row: the session that was to begin has not, for want of a second factor.
-- name: identity_me :opt  reply: Me  role: identity
SELECT a.id, a.email, a.first_name AS "firstName", a.last_name AS "lastName", a.email_verified_at IS NOT NULL AS "emailVerified",
       a.mfa_enabled AS "mfaEnabled", a.is_global_admin AS "isGlobalAdmin", s.impersonator_id AS "impersonatedBy",
       u.tenant_id AS "tenantId", u.id AS "userId",
       (SELECT k FROM unnest(u.role_keys) AS k
        ORDER BY array_position(ARRAY['owner', 'admin', 'member', 'viewer'], k), k LIMIT 1) AS "role",
       coalesce(u.role_keys, '{}') AS "roles", coalesce(u.permissions, '{}') AS "permissions",
       a.last_login_at AS "lastLoginAt", a.created_at AS "createdAt", a.updated_at AS "updatedAt"
FROM sessions s
JOIN accounts a ON a.id = s.account_id
LEFT JOIN (users u JOIN tenants t ON t.id = u.tenant_id AND t.deleted_at IS NULL)
	ON u.tenant_id = s.active_tenant_id AND u.account_id = a.id AND u.status = 'active' AND u.deleted_at IS NULL
WHERE s.id = current_session();

-- The tenant that the session works in; no row when the account has no seat in it any more.
-- name: identity_me_tenant :opt  reply: ActiveTenant  role: identity
SELECT t.id, t.slug, t.name, t.plan, t.status, t.settings
FROM sessions s
JOIN users u ON u.tenant_id = s.active_tenant_id AND u.account_id = s.account_id AND u.status = 'active' AND u.deleted_at IS NULL
JOIN tenants t ON t.id = u.tenant_id AND t.deleted_at IS NULL
WHERE s.id = current_session();

-- What a hot copy of the session must know beside: until when it may be believed.
-- name: identity_me_ends :one  role: identity
SELECT least(idle_expires_at, expires_at) AS ends_at FROM sessions WHERE id = current_session();

-- $1 a tenant; NULL: all.
-- name: identity_me_tenants :many  reply: Seat  role: identity
SELECT t.id, t.slug, t.name, t.plan, t.status, u.id AS "userId", u.status AS "userStatus", u.role_keys AS "roles",
       t.id IS NOT DISTINCT FROM s.active_tenant_id AS "isActive"
FROM sessions s
JOIN users u ON u.account_id = s.account_id AND u.deleted_at IS NULL
JOIN tenants t ON t.id = u.tenant_id AND t.deleted_at IS NULL
WHERE s.id = current_session() AND ($1::uuid IS NULL OR t.id = $1)
ORDER BY lower(t.name), t.id
LIMIT 1000;

-- Whether given, and value, of $1 first name, $3 last name.
-- name: identity_account_update :exec  role: identity
UPDATE accounts
SET first_name = CASE WHEN $1 THEN $2 ELSE first_name END,
    last_name = CASE WHEN $3 THEN $4 ELSE last_name END,
    updated_at = now(), version = version + 1
WHERE id = current_account();

-- The sessions whose hot copies say something else from now on.
-- name: identity_sessions_living :many  role: identity
SELECT id, token_hash FROM sessions WHERE account_id = current_account() AND revoked_at IS NULL AND expires_at > now();

-- With how long the next attempt at a password has to wait (mfa_attempt).
-- name: identity_password :one  role: identity
SELECT a.email, a.password_hash, coalesce(ceil(extract(epoch FROM m.locked_until - now())), 0)::bigint AS locked_s
FROM accounts a
LEFT JOIN mfa_attempts m ON m.account_id = a.id
WHERE a.id = current_account();

-- $1 hash of the new one, $2 the hash that the present one was compared with.
-- name: identity_password_set :exec  role: identity
UPDATE accounts
SET password_hash = $1, updated_at = now(), version = version + 1
WHERE id = current_account() AND (password_hash = $2 OR refuse('ZY409', 'The password was changed meanwhile'));

-- The password was given again in the present session, here and now.
-- name: identity_password_confirmed :exec  role: identity
UPDATE sessions SET password_at = now() WHERE id = current_session();

------------------------------------------------------------------------------------------------------------
-- Keys that sign access tokens

-- One at a time changes the set of keys, to the end of its transaction.
-- name: identity_keys_lock :exec  role: identity
SELECT pg_advisory_xact_lock(2054776687, 1);

-- Those that tokens may still name, the newest first.
-- name: identity_keys :many  role: identity
SELECT kid, private_sealed, public_pem, created_at, signs_from, retires_at
FROM signing_keys
WHERE retires_at IS NULL OR retires_at > now()
ORDER BY signs_from DESC, kid DESC;

-- Unless there is one already.  $1 kid, $2 private half, sealed, $3 public half.
-- name: identity_keys_create_first :exec  role: identity
INSERT INTO signing_keys (kid, private_sealed, public_pem)
SELECT $1, $2, $3
WHERE NOT EXISTS (SELECT FROM signing_keys WHERE retires_at IS NULL OR retires_at > now());

-- $1 kid, $2 private half, sealed, $3 public half, $4 from when it signs, in microseconds from now.
-- name: identity_keys_create :exec  role: identity
INSERT INTO signing_keys (kid, private_sealed, public_pem, signs_from)
VALUES ($1, $2, $3, now() + $4::bigint * interval '1 microsecond');

-- All but the new one.  $1 its kid, $2 when, in microseconds from now.
-- name: identity_keys_retire :exec  role: identity
UPDATE signing_keys
SET retires_at = now() + $2::bigint * interval '1 microsecond'
WHERE kid <> $1 AND retires_at IS NULL;

------------------------------------------------------------------------------------------------------------
-- Built-in roles

-- $1 key, $2 permissions.
-- name: identity_builtin_role_put :exec  role: system
INSERT INTO builtin_roles (key, permissions)
VALUES ($1, $2)
ON CONFLICT ON CONSTRAINT builtin_roles_pkey DO UPDATE SET permissions = excluded.permissions;

------------------------------------------------------------------------------------------------------------
-- The demonstration tenant

-- The oldest tenant that an account of the platform's realm owns.  $1 email.
-- name: identity_tenant_of_owner :opt  role: identity
SELECT u.tenant_id AS id
FROM accounts a
JOIN users u ON u.account_id = a.id AND u.deleted_at IS NULL
WHERE a.realm_id = realm_of(NULL, NULL) AND a.email = $1 AND a.deleted_at IS NULL AND 'owner' = ANY (u.role_keys)
ORDER BY u.created_at
LIMIT 1;

-- Behind identity_account_lock and what takes a way to log in away: refuses when none is left. Ways are a password, a passkey, and an
-- identity of a provider that is on.  $1 the issuers of those.
-- name: identity_keep_a_way_in :exec  role: identity
SELECT refuse('ZY422', 'This is the last way to log in: set a password first')
FROM accounts a
WHERE a.id = current_account() AND a.password_hash IS NULL
  AND NOT EXISTS (SELECT FROM passkeys p WHERE p.account_id = a.id)
  AND NOT EXISTS (SELECT FROM oauth_identities o WHERE o.account_id = a.id AND o.issuer = ANY ($1));
