-- Logging in through other providers. Role identity: who comes back from one acts as nobody until it is known who that is.

------------------------------------------------------------------------------------------------------------
-- On the way

-- And what is over, a few at a time: each new one leaves one row at most, so these do not pile up.
-- $1 hash of the state, $2 hash of the browser's cookie, $3 provider, $4 what is sealed, $5 where to go then,
-- $6 to link for the session that acts; $7 and $8 slug or id of the tenant that is named.
-- name: oauth_state_create :exec  role: identity
WITH swept AS (
	DELETE FROM oauth_states
	WHERE state_hash IN (SELECT state_hash FROM oauth_states WHERE expires_at < now() ORDER BY expires_at LIMIT 8
			     FOR UPDATE SKIP LOCKED)
)
INSERT INTO oauth_states (state_hash, browser_hash, provider, sealed, redirect, session_id)
SELECT $1, $2, $3, $4, $5, CASE WHEN $6 THEN current_session() END
WHERE ($7::text IS NULL AND $8::uuid IS NULL) OR tenant_named($7, $8) IS NOT NULL OR refuse('ZY404', 'Tenant not found');

-- Uses it up, whatever comes of it. No row: it is used, over, another provider's, or another browser's. account_id: whom it links for,
-- NULL when that session has ended.  $1 hash of the state, $2 hash of the browser's cookie, $3 provider.
-- name: oauth_state_take :opt  role: identity
DELETE FROM oauth_states o
WHERE o.state_hash = $1 AND o.browser_hash = $2 AND o.provider = $3 AND o.expires_at > now()
RETURNING o.sealed, o.redirect, o.session_id, o.session_id IS NOT NULL AS is_link,
	(SELECT s.account_id FROM sessions s
	 WHERE s.id = o.session_id AND s.revoked_at IS NULL AND s.expires_at > now() AND s.idle_expires_at > now()) AS account_id;

------------------------------------------------------------------------------------------------------------
-- Who it is

-- Always a row: the account that the identity is linked to in the realm, or else that with the email; and its seat in the tenant that was
-- named, or else the one used last. The realm is that of the account that links, or of the tenant, or the platform's.
-- $1 issuer, $2 subject, $3 email that the provider has verified, or NULL; $4 tenant's slug, $5 tenant's id; $6 account that links.
-- name: oauth_find :one  role: identity
SELECT i.id AS identity_id, a.id AS account_id, seat.tenant_id, seat.id AS user_id
FROM (SELECT coalesce((SELECT realm_id FROM accounts WHERE id = $6), realm_of($4, $5))) AS realm (id)
LEFT JOIN oauth_identities i ON i.realm_id = realm.id AND i.issuer = $1 AND i.subject = $2
LEFT JOIN accounts a ON a.deleted_at IS NULL AND a.id = coalesce(i.account_id, (
	SELECT id FROM accounts WHERE realm_id = realm.id AND email = $3 AND deleted_at IS NULL))
LEFT JOIN LATERAL (
	SELECT u.tenant_id, u.id
	FROM users u
	JOIN tenants t ON t.id = u.tenant_id
	WHERE u.account_id = a.id AND u.status = 'active' AND u.deleted_at IS NULL AND t.deleted_at IS NULL
	  AND (t.id = tenant_named($4, $5) OR ($4 IS NULL AND $5::uuid IS NULL))
	ORDER BY t.status, u.last_login_at DESC NULLS LAST, u.created_at
	LIMIT 1
) AS seat ON true;

-- Of the account that acts; refused when it was unlinked that very moment.  $1 issuer, $2 subject, $3 email.
-- name: oauth_identity_use :one  noun: Identity  role: identity
UPDATE oauth_identities
SET last_used_at = now(), email = coalesce($3, email)
WHERE issuer = $1 AND subject = $2 AND account_id = current_account()
RETURNING id;

-- To the account that acts.  $1 id, $2 provider, $3 issuer, $4 subject, $5 email.
-- name: oauth_identity_create :exec  role: identity
INSERT INTO oauth_identities (id, account_id, realm_id, provider, issuer, subject, email)
SELECT $1, id, realm_id, $2, $3, $4, $5 FROM accounts WHERE id = current_account();

-- Nobody's password opens the account that acts, and its email is its own: only so does an identity with that email come to it by
-- itself. Locked, so that it holds to the end.
-- name: oauth_may_join :exec  role: identity
WITH open AS (
	SELECT id FROM accounts
	WHERE id = current_account() AND password_hash IS NULL AND email_verified_at IS NOT NULL AND deleted_at IS NULL
	FOR NO KEY UPDATE
)
SELECT refuse('ZY409', 'An account with this email exists: log in to it, and link the provider there')
WHERE NOT EXISTS (SELECT FROM open);

-- Without a password, and with an email that the provider has verified.  $1 id, $2 email, $3 first name, $4 last name.
-- name: oauth_account_create :exec  role: identity
INSERT INTO accounts (id, email, email_verified_at, first_name, last_name, last_login_at)
VALUES ($1, $2, now(), $3, $4, now());

-- name: oauth_login_note :exec  role: identity
UPDATE accounts SET last_login_at = now() WHERE id = current_account();

------------------------------------------------------------------------------------------------------------
-- What is linked

-- name: oauth_identities :many  reply: OAuthIdentity  role: identity
SELECT id, provider, email, created_at AS "createdAt", last_used_at AS "lastUsedAt"
FROM oauth_identities
WHERE account_id = current_account()
ORDER BY created_at, id
LIMIT 100;

-- Behind identity_account_lock, and before identity_keep_a_way_in.  $1 identity.
-- name: oauth_identity_delete :one  noun: Identity  role: identity
DELETE FROM oauth_identities
WHERE id = $1 AND account_id = current_account()
RETURNING id;
