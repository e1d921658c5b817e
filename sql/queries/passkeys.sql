-- Passkeys: challenges, and the public halves that their answers are verified with. Role identity; what is whose is
-- current_account(), which is nobody while a passkey alone is to say who it is.

------------------------------------------------------------------------------------------------------------
-- Challenges

-- For the account that acts, or for whoever can answer it.  $1 hash, $2 purpose.
-- name: passkeys_challenge :exec  role: identity
WITH swept AS (
	DELETE FROM passkey_challenges
	WHERE hash IN (SELECT hash FROM passkey_challenges WHERE expires_at < now() ORDER BY expires_at LIMIT 8 FOR UPDATE SKIP LOCKED)
)
INSERT INTO passkey_challenges (hash, purpose, account_id)
VALUES ($1, $2, current_account());

-- Each is answered once, right or wrong. No row: there is none, or it is over, or it was made for somebody or something else.
-- $1 hash, $2 purpose.
-- name: passkeys_challenge_take :opt  role: identity
DELETE FROM passkey_challenges
WHERE hash = $1 AND purpose = $2 AND account_id IS NOT DISTINCT FROM current_account() AND expires_at > now()
RETURNING true AS taken;

------------------------------------------------------------------------------------------------------------
-- Passkeys

-- What a device is told about whom it makes a passkey for.
-- name: passkeys_owner :one  role: identity
SELECT id, email, coalesce(nullif(concat_ws(' ', first_name, last_name), ''), email) AS name, mfa_enabled
FROM accounts
WHERE id = current_account();

-- Those that the account has, for devices to recognise.
-- name: passkeys_known :many  role: identity
SELECT credential_id, transports FROM passkeys WHERE account_id = current_account() ORDER BY created_at LIMIT 25;

-- Of the account that acts, or of whomever it says. The seat is the one used last.  $1 credential id.
-- name: passkeys_find :opt  role: identity
SELECT p.id, p.account_id, p.public_key, p.algorithm, p.sign_count, seat.tenant_id, seat.id AS user_id
FROM passkeys p
JOIN accounts a ON a.id = p.account_id AND a.deleted_at IS NULL
LEFT JOIN LATERAL (
	SELECT u.tenant_id, u.id
	FROM users u
	JOIN tenants t ON t.id = u.tenant_id
	WHERE u.account_id = a.id AND u.status = 'active' AND u.deleted_at IS NULL AND t.deleted_at IS NULL
	ORDER BY t.status, u.last_login_at DESC NULLS LAST, u.created_at
	LIMIT 1
) AS seat ON true
WHERE p.credential_id = $1 AND p.account_id = coalesce(current_account(), p.account_id);

-- Of two answers with one count, one is a copy's: the later is refused, as is the answer of a passkey that was removed meanwhile.
-- $1 passkey, $2 the device's count.
-- name: passkeys_use :exec  role: identity
WITH used AS (
	UPDATE passkeys
	SET sign_count = $2, last_used_at = now()
	WHERE id = $1 AND account_id = current_account() AND (sign_count < $2 OR sign_count = 0 AND $2 = 0)
	RETURNING 1
)
SELECT refuse('ZY463', 'This passkey was not accepted')
WHERE NOT EXISTS (SELECT FROM used);

-- name: passkeys_list :many  reply: Passkey  role: identity
SELECT id, name, transports, last_used_at AS "lastUsedAt", created_at AS "createdAt", version
FROM passkeys
WHERE account_id = current_account()
ORDER BY created_at, id
LIMIT 25;

-- $1 id, $2 credential id, $3 public key, $4 algorithm, $5 count, $6 transports, $7 name.
-- name: passkeys_create :one  reply: Passkey  role: identity
INSERT INTO passkeys (id, account_id, credential_id, public_key, algorithm, sign_count, transports, name)
SELECT $1, id, $2, $3, $4, $5, $6, $7
FROM accounts
WHERE id = current_account()
  AND ((SELECT count(*) FROM passkeys p WHERE p.account_id = current_account()) < 25
       OR refuse('ZY422', 'An account has 25 passkeys at most: remove one first'))
RETURNING id, name, transports, last_used_at AS "lastUsedAt", created_at AS "createdAt", version;

-- $1 id, $2 version from If-Match, $3 name.
-- name: passkeys_rename :one  reply: Passkey  noun: Passkey  role: identity
UPDATE passkeys
SET name = $3, version = version + 1
WHERE id = $1 AND account_id = current_account() AND version_is_wanted(version, $2)
RETURNING id, name, transports, last_used_at AS "lastUsedAt", created_at AS "createdAt", version;

-- $1 id, $2 version from If-Match.
-- name: passkeys_delete :one  noun: Passkey  role: identity
DELETE FROM passkeys
WHERE id = $1 AND account_id = current_account() AND version_is_wanted(version, $2)
RETURNING id;
