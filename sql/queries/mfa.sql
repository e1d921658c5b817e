-- Second factors: what is demanded at log-in, one-time codes, recovery codes, and whether a tenant wants them.
--
-- All but the last section runs as zygo_identity, on what belongs to current_account() alone.

------------------------------------------------------------------------------------------------------------
-- At log-in

-- Behind identity_session_create, which has begun no session because the account has a second factor: what to prove it with. A row
-- is the demand; none, a session.  $1 hash of the mfaToken, $2 user agent.
-- name: mfa_demand :opt  role: identity
WITH swept AS (
	DELETE FROM mfa_demands
	WHERE token_hash IN (SELECT token_hash FROM mfa_demands WHERE expires_at < now() ORDER BY expires_at LIMIT 8
			     FOR UPDATE SKIP LOCKED)
)
INSERT INTO mfa_demands (token_hash, account_id, active_tenant_id, seat_id, user_agent)
SELECT $1, id, current_tenant(), current_seat(), $2
FROM accounts
WHERE id = current_account() AND mfa_enabled AND deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM sessions WHERE id = current_session())
RETURNING true AS "mfaRequired", array_remove(ARRAY[
	(SELECT 'totp' FROM totp_factors t WHERE t.account_id = mfa_demands.account_id AND t.enabled_at IS NOT NULL),
	(SELECT 'recovery' FROM recovery_codes r WHERE r.account_id = mfa_demands.account_id AND r.used_at IS NULL LIMIT 1),
	(SELECT 'passkey' FROM passkeys p WHERE p.account_id = mfa_demands.account_id LIMIT 1)], NULL) AS "methods";

-- Whose log-in an mfaToken continues; from here on in this transaction that account acts, without a session. No row: the token is
-- none, or over.  $1 its hash.
-- name: mfa_demand_enter :opt  role: identity
SELECT account_id, active_tenant_id, seat_id, user_agent, set_config('app.account_id', account_id::text, true) AS entered
FROM mfa_demands
WHERE token_hash = $1 AND expires_at > now();

-- $1 hash of the mfaToken.
-- name: mfa_demand_spend :exec  role: identity
WITH spent AS (
	DELETE FROM mfa_demands WHERE token_hash = $1 AND account_id = current_account() RETURNING 1
)
SELECT refuse('ZY463', 'This mfaToken was used already: log in again')
WHERE NOT EXISTS (SELECT FROM spent);

------------------------------------------------------------------------------------------------------------
-- Attempts

-- Counts one as failed until mfa_forget says that it was not, so that those made at once count too. No row: locked out, or nobody
-- acts.
-- name: mfa_attempt :opt  role: identity
INSERT INTO mfa_attempts AS m (account_id, failures, last_at)
SELECT id, 1, now() FROM accounts WHERE id = current_account()
ON CONFLICT ON CONSTRAINT mfa_attempts_pkey DO UPDATE
SET (failures, locked_until, last_at) = (
	SELECT n, now() + login_delay(n), now()
	FROM (SELECT CASE WHEN m.last_at < now() - interval '1 day' THEN 1 ELSE m.failures + 1 END) AS counted (n))
WHERE m.locked_until IS NULL OR m.locked_until <= now()
RETURNING failures;

-- The wait begins when the answer is known.
-- name: mfa_refused :exec  role: identity
UPDATE mfa_attempts
SET last_at = now(), locked_until = now() + login_delay(failures)
WHERE account_id = current_account();

-- name: mfa_forget :exec  role: identity
DELETE FROM mfa_attempts WHERE account_id = current_account();

------------------------------------------------------------------------------------------------------------
-- Factors

-- What an attempt is compared with.  $1 hash of the code as if it were a recovery code, $2 the one under the JWT_SECRET of before or NULL.
-- name: mfa_factors :opt  role: identity
SELECT a.id AS account_id, a.email, a.password_hash, a.mfa_enabled, t.secret_sealed, t.enabled_at IS NOT NULL AS is_totp_enabled,
       coalesce(t.last_step, 0) AS last_step, r.used_at IS NULL AND r.code_hash IS NOT NULL AS is_recovery_code,
       coalesce(ceil(extract(epoch FROM m.locked_until - now())), 0)::bigint AS locked_s
FROM accounts a
LEFT JOIN totp_factors t ON t.account_id = a.id
LEFT JOIN recovery_codes r ON r.account_id = a.id AND r.code_hash IN ($1, $2)
LEFT JOIN mfa_attempts m ON m.account_id = a.id
WHERE a.id = current_account();

-- name: mfa_state :one  reply: Mfa  role: identity
SELECT a.mfa_enabled AS "enabled", t.enabled_at AS "totpEnabledAt",
       (SELECT count(*) FROM passkeys p WHERE p.account_id = a.id) AS "passkeys",
       (SELECT count(*) FROM recovery_codes r WHERE r.account_id = a.id AND r.used_at IS NULL) AS "recoveryCodesLeft",
       s.mfa_at AS "provenAt"
FROM sessions s
JOIN accounts a ON a.id = s.account_id
LEFT JOIN totp_factors t ON t.account_id = a.id
WHERE s.id = current_session();

-- A second factor was proven in the present session, here and now.
-- name: mfa_note :exec  role: identity
UPDATE sessions SET mfa_at = now() WHERE id = current_session();

------------------------------------------------------------------------------------------------------------
-- One-time codes

-- $1 the secret, sealed.
-- name: mfa_totp_setup :exec  role: identity
INSERT INTO totp_factors AS t (account_id, secret_sealed)
VALUES (current_account(), $1)
ON CONFLICT ON CONSTRAINT totp_factors_pkey DO UPDATE SET secret_sealed = excluded.secret_sealed, last_step = 0, created_at = now()
WHERE t.enabled_at IS NULL OR refuse('ZY409', 'One-time codes are enabled already: disable them first');

-- Unless another secret has taken its place since the code was compared.  $1 the secret, sealed, as it was compared.
-- name: mfa_totp_enable :exec  role: identity
UPDATE totp_factors
SET enabled_at = now()
WHERE account_id = current_account()
  AND (enabled_at IS NULL AND secret_sealed = $1 OR refuse('ZY409', 'One-time codes were set up anew meanwhile'));

-- $1 the step whose code it was.
-- name: mfa_totp_spend :exec  role: identity
UPDATE totp_factors
SET last_step = $1
WHERE account_id = current_account() AND (last_step < $1 OR refuse('ZY463', 'This code was used already'));

-- name: mfa_totp_remove :exec  role: identity
DELETE FROM totp_factors WHERE account_id = current_account();

------------------------------------------------------------------------------------------------------------
-- Recovery codes

-- $1 hash, $2 as above.
-- name: mfa_recovery_spend :exec  role: identity
UPDATE recovery_codes
SET used_at = now()
WHERE account_id = current_account() AND code_hash IN ($1, $2) AND (used_at IS NULL OR refuse('ZY463', 'This code was used already'));

-- The old set ends where a new one begins.
-- name: mfa_recovery_remove :exec  role: identity
DELETE FROM recovery_codes WHERE account_id = current_account();

-- They stand in for a second factor, so there must be one.  $1 hash, $2 mark of the secret that it is under.
-- name: mfa_recovery_create :exec  role: identity
INSERT INTO recovery_codes (account_id, code_hash, keyed_by)
SELECT id, $1, $2
FROM accounts
WHERE id = current_account() AND (mfa_enabled OR refuse('ZY422', 'Set up a second factor first'));

------------------------------------------------------------------------------------------------------------
-- What a tenant wants of its members

-- name: mfa_policy :one  reply: MfaPolicy
SELECT t.mfa_required_at IS NOT NULL AS "required", t.mfa_required_at AS "requiredFrom",
       (SELECT count(*) FROM users u WHERE u.status = 'active' AND NOT u.mfa_enabled AND u.deleted_at IS NULL) AS "usersWithout"
FROM tenants t
WHERE t.id = current_tenant();

-- Said again, the date that was set stands, unless the new one is sooner.  $1 required, $2 days of grace.
-- name: mfa_policy_set :exec
UPDATE tenants
SET mfa_required_at = CASE WHEN $1 THEN least(mfa_required_at, now() + $2::bigint * interval '1 day') END,
    updated_at = now(), version = version + 1
WHERE id = current_tenant();
