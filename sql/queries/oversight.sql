-- What the platform's people do to accounts. Role identity, which alone reaches accounts; who may is for the routes' permission.

-- $1 text to find in email or names, as LIKE wants it; $2 status.
-- name: oversight_accounts_list :page  reply: PlatformAccount  role: identity
-- sort: createdAt a.created_at timestamptz, email a.email text
-- id: a.id
SELECT a.id, a.email, a.first_name AS "firstName", a.last_name AS "lastName", r.slug AS "realm",
       CASE WHEN a.locked_at IS NULL THEN 'active' ELSE 'locked' END AS "status", a.locked_at AS "lockedAt",
       a.reset_required_at IS NOT NULL AS "resetRequired", a.email_verified_at IS NOT NULL AS "emailVerified",
       a.mfa_enabled AS "mfaEnabled", a.is_global_admin AS "isGlobalAdmin", a.last_login_at AS "lastLoginAt",
       a.created_at AS "createdAt", a.updated_at AS "updatedAt", a.version
FROM accounts a
JOIN realms r ON r.id = a.realm_id
WHERE a.deleted_at IS NULL
  AND ($1::text IS NULL OR a.email ILIKE $1 OR a.first_name ILIKE $1 OR a.last_name ILIKE $1)
  AND ($2::text IS NULL OR $2 = CASE WHEN a.locked_at IS NULL THEN 'active' ELSE 'locked' END);

-- name: oversight_accounts_get :one  reply: PlatformAccount  noun: Account  role: identity
SELECT a.id, a.email, a.first_name AS "firstName", a.last_name AS "lastName", r.slug AS "realm",
       CASE WHEN a.locked_at IS NULL THEN 'active' ELSE 'locked' END AS "status", a.locked_at AS "lockedAt",
       a.reset_required_at IS NOT NULL AS "resetRequired", a.email_verified_at IS NOT NULL AS "emailVerified",
       a.mfa_enabled AS "mfaEnabled", a.is_global_admin AS "isGlobalAdmin", a.last_login_at AS "lastLoginAt",
       a.created_at AS "createdAt", a.updated_at AS "updatedAt", a.version
FROM accounts a
JOIN realms r ON r.id = a.realm_id
WHERE a.id = $1 AND a.deleted_at IS NULL;

-- $1 account.
-- name: oversight_events :page  reply: AccountEvent  role: identity
-- sort: -createdAt created_at timestamptz
SELECT id, type, session_id AS "sessionId", impersonated_by AS "impersonatedBy", host(ip) AS "ip", user_agent AS "device",
       request_id AS "requestId", data, created_at AS "createdAt"
FROM account_events
WHERE account_id = $1;

-- $1 id, $2 If-Match.
-- name: oversight_lock :one  noun: Account  role: identity
UPDATE accounts
SET locked_at = now(), updated_at = now(), version = version + 1
WHERE id = $1 AND deleted_at IS NULL AND version_is_wanted(version, $2)
  AND (id <> current_account() OR refuse('ZY422', 'You cannot lock yourself'))
  AND (locked_at IS NULL OR refuse('ZY409', 'The account is locked already', '', 'status'))
RETURNING id;

-- $1 id, $2 If-Match.
-- name: oversight_unlock :one  noun: Account  role: identity
UPDATE accounts
SET locked_at = NULL, updated_at = now(), version = version + 1
WHERE id = $1 AND deleted_at IS NULL AND version_is_wanted(version, $2)
  AND (locked_at IS NOT NULL OR refuse('ZY409', 'The account is not locked', '', 'status'))
RETURNING id;

-- $1 id, $2 If-Match.
-- name: oversight_require_reset :one  noun: Account  role: identity
UPDATE accounts
SET reset_required_at = coalesce(reset_required_at, now()), updated_at = now(), version = version + 1
WHERE id = $1 AND deleted_at IS NULL AND version_is_wanted(version, $2)
RETURNING id;

-- name: oversight_admins :many  role: identity
SELECT a.id, a.email, a.mfa_enabled AS "mfaEnabled", r.slug AS "realm", r.id = realm_of(NULL, NULL) AS "isOurs"
FROM accounts a
JOIN realms r ON r.id = a.realm_id
WHERE a.is_global_admin AND a.deleted_at IS NULL
ORDER BY a.email, a.id;

-- Whom somebody at the host means. An email is one of the platform's realm, since nobody of a tenant's own people runs the platform; an
-- id is that of whoever does so all the same.  $1 email, or a global admin's id.
-- name: oversight_account_meant :one  noun: Account  role: identity
SELECT id
FROM accounts
WHERE deleted_at IS NULL
  AND (realm_id = realm_of(NULL, NULL) AND email = lower($1) OR is_global_admin AND id::text = lower($1));

-- $1 id, $2 If-Match.
-- name: oversight_admin_grant :one  noun: Account  role: identity
UPDATE accounts
SET is_global_admin = true, updated_at = now(), version = version + 1
WHERE id = $1 AND deleted_at IS NULL AND version_is_wanted(version, $2)
  AND (NOT is_global_admin OR refuse('ZY409', 'The account is a global admin already'))
  AND (email_verified_at IS NOT NULL OR refuse('ZY409', 'Its email is not verified, so whoever typed it has the account: verify it first'))
RETURNING id;

-- $1 id, $2 If-Match.
-- name: oversight_admin_revoke :one  noun: Account  role: identity
UPDATE accounts
SET is_global_admin = false, updated_at = now(), version = version + 1
WHERE id = $1 AND deleted_at IS NULL AND version_is_wanted(version, $2)
  AND (is_global_admin OR refuse('ZY409', 'The account is no global admin'))
RETURNING id;

-- Also those in which it acts as somebody else.  $1 account, $2 why.
-- name: oversight_sessions_revoke :many  role: identity
UPDATE sessions
SET revoked_at = now(), revoked_reason = $2
WHERE (account_id = $1 OR impersonator_id = $1) AND revoked_at IS NULL
RETURNING id, token_hash;

-- A session of a user in which the account that acts is somebody else.
-- $1 id, $2 tenant, $3 user, $4 hash of a cookie or NULL, $5 user agent, $6 address, $7 lifetime in microseconds, $8 reason.
-- name: oversight_impersonate :one  noun: User  role: identity
INSERT INTO sessions (id, account_id, active_tenant_id, token_hash, user_agent, ip, idle_expires_at, expires_at, impersonator_id,
		      impersonation_reason)
SELECT $1, who.account_id, who.tenant_id, $4, $5, $6::inet, now() + $7::bigint * interval '1 microsecond',
       now() + $7::bigint * interval '1 microsecond', current_account(), $8
FROM (
	SELECT u.account_id, u.tenant_id, a.is_global_admin
	FROM users u
	JOIN tenants t ON t.id = u.tenant_id AND t.deleted_at IS NULL
	JOIN accounts a ON a.id = u.account_id AND a.deleted_at IS NULL
	WHERE u.tenant_id = $2 AND u.id = $3 AND u.status = 'active' AND u.deleted_at IS NULL
	OFFSET 0 -- nobody is judged but who was found
) AS who
WHERE NOT who.is_global_admin OR refuse('ZY403', 'Nobody acts as one of the platform''s own people')
RETURNING account_id;

-- From here on in this transaction that user acts, by that session.  $1 session, $2 user.
-- name: oversight_act_as :exec  role: identity
SELECT set_config('app.account_id', account_id::text, true), set_config('app.session_id', id::text, true),
       set_config('app.tenant_id', active_tenant_id::text, true), set_config('app.user_id', $2, true)
FROM sessions
WHERE id = $1;
