-- What identity does by mail. Role identity: the tokens' owners act by having them (redeem_token() in sql/migrations/0005).

------------------------------------------------------------------------------------------------------------
-- To whom a mail goes and what it says. No row: to nobody. Each column fills the template's {{name}} of the same name, but for account:
-- whose the token will be.

-- $1 email, $2 tenant's slug, $3 tenant's id.
-- name: identity_letter_by_email :opt  role: identity
SELECT a.id AS account, a.email AS "to", coalesce(a.first_name, split_part(a.email, '@', 1)) AS name
FROM accounts a
WHERE a.realm_id = realm_of($2, $3) AND a.email = $1 AND a.deleted_at IS NULL;

-- The same, for whom has yet to show that the email is theirs.
-- name: identity_letter_unverified :opt  role: identity
SELECT a.id AS account, a.email AS "to", coalesce(a.first_name, split_part(a.email, '@', 1)) AS name
FROM accounts a
WHERE a.realm_id = realm_of($2, $3) AND a.email = $1 AND a.deleted_at IS NULL AND a.email_verified_at IS NULL;

-- Whose email is verified: others would be told of what is not theirs.  $1 account.
-- name: identity_letter_to_account :opt  role: identity
SELECT a.id AS account, a.email AS "to", coalesce(a.first_name, split_part(a.email, '@', 1)) AS name
FROM accounts a
WHERE a.id = $1 AND a.deleted_at IS NULL AND a.email_verified_at IS NOT NULL;

-- $1 account.
-- name: identity_letter_change_old :opt  role: identity
SELECT a.id AS account, a.email AS "to", coalesce(a.first_name, split_part(a.email, '@', 1)) AS name, e.email AS "newEmail"
FROM email_changes e
JOIN accounts a ON a.id = e.account_id AND a.deleted_at IS NULL
WHERE e.account_id = $1 AND e.old_confirmed_at IS NULL;

-- An address that has an account gets none: the change could not be made.  $1 account.
-- name: identity_letter_change_new :opt  role: identity
SELECT a.id AS account, e.email AS "to", coalesce(a.first_name, split_part(a.email, '@', 1)) AS name, a.email AS "oldEmail"
FROM email_changes e
JOIN accounts a ON a.id = e.account_id AND a.deleted_at IS NULL
WHERE e.account_id = $1 AND e.new_confirmed_at IS NULL
  AND NOT EXISTS (SELECT FROM accounts o WHERE o.realm_id = a.realm_id AND o.email = e.email AND o.deleted_at IS NULL);

-- $1 invitation, of the tenant whose the job is.
-- name: identity_letter_invitation :opt  role: identity
SELECT u.email AS "to", coalesce(u.first_name, split_part(u.email, '@', 1)) AS name, t.name AS tenant,
       coalesce(nullif(concat_ws(' ', host.first_name, host.last_name), ''), host.email, t.name) AS "invitedBy"
FROM invitations i
JOIN tenants t ON t.id = i.tenant_id AND t.deleted_at IS NULL
JOIN users u ON u.tenant_id = i.tenant_id AND u.id = i.user_id
LEFT JOIN users host ON host.tenant_id = i.tenant_id AND host.id = i.invited_by
WHERE i.tenant_id = current_tenant() AND i.id = $1 AND invitation_status(i, u.status, u.deleted_at) = 'pending';

-- To a user whose tenant is about to be deleted.  $1 email, $2 not used, $3 tenant.
-- name: identity_letter_tenant_deletion :opt  role: identity
SELECT u.email AS "to", coalesce(u.first_name, split_part(u.email, '@', 1)) AS name, t.name AS tenant,
       to_char(d.deletes_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') AS date
FROM tenant_deletions d
JOIN tenants t ON t.id = d.tenant_id
JOIN users u ON u.tenant_id = d.tenant_id AND u.email = $1 AND u.deleted_at IS NULL
WHERE d.tenant_id = $3 AND d.state = 'pending' AND $2::text IS NULL;

-- To who deletes their account.  $1 account.
-- name: identity_letter_account_deletion :opt  role: identity
SELECT email AS "to", coalesce(first_name, split_part(email, '@', 1)) AS name,
       to_char(deletion_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') AS date
FROM accounts
WHERE id = $1 AND deletion_at IS NOT NULL;

------------------------------------------------------------------------------------------------------------
-- Tokens

-- Whose people a mail is asked for, whatever the tenant was called: NULL is the platform's.  $1 tenant's slug, $2 its id.
-- name: identity_realm_asked :one  role: identity
SELECT nullif(realm_of($1, $2), realm_of(NULL, NULL)) AS realm;

-- $1 hash, $2 kind, $3 account, $4 where it is sent, $5 lifetime in microseconds.
-- name: identity_token_create :exec  role: identity
INSERT INTO one_time_tokens (token_hash, kind, account_id, email, expires_at)
VALUES ($1, $2, $3, $4, now() + $5::bigint * interval '1 microsecond')
ON CONFLICT ON CONSTRAINT one_time_tokens_pkey DO UPDATE SET expires_at = excluded.expires_at, used_at = NULL;

-- A code is short, so there is never more than one to guess.  $1 account.
-- name: identity_codes_forget :exec  role: identity
DELETE FROM one_time_tokens WHERE account_id = $1 AND kind = 'emailCode';

-- What is over, a few at a time: each new one leaves one row at most, so these do not pile up.
-- name: identity_tokens_sweep :exec  role: identity
DELETE FROM one_time_tokens
WHERE token_hash IN (SELECT token_hash FROM one_time_tokens WHERE expires_at < now() - interval '1 day'
		     ORDER BY expires_at LIMIT 8 FOR UPDATE SKIP LOCKED);

-- To whom it was sent, while it may still be used.  $1 kind, $2 hash.
-- name: identity_token_find :opt  role: identity
SELECT t.account_id, t.email
FROM one_time_tokens t
JOIN accounts a ON a.id = t.account_id AND a.deleted_at IS NULL
WHERE t.kind = $1 AND t.token_hash = $2 AND t.used_at IS NULL AND t.expires_at > now() AND t.email = a.email;

-- Of a change of email, which of the two it is.  $1 hash.
-- name: identity_token_kind :opt  role: identity
SELECT kind FROM one_time_tokens WHERE token_hash = $1 AND kind IN ('emailChangeOld', 'emailChangeNew');

-- $1 kind, $2 hash.
-- name: identity_token_redeem :exec  role: identity
SELECT redeem_token($1, $2);

-- All others of its kind are worth nothing any more.  $1 kind.
-- name: identity_tokens_void :exec  role: identity
DELETE FROM one_time_tokens WHERE account_id = current_account() AND kind = $1 AND used_at IS NULL;

------------------------------------------------------------------------------------------------------------
-- The email

-- By whoever acts, who has just shown it.
-- name: identity_email_verified :exec  role: identity
WITH shown AS (
	UPDATE accounts SET email_verified_at = now(), updated_at = now(), version = version + 1
	WHERE id = current_account() AND email_verified_at IS NULL
	RETURNING id, email
)
UPDATE users u SET email_verified = true FROM shown s WHERE u.account_id = s.id AND u.email = s.email;

-- Ahead of identity_email_verified, where it is shown by a mail that logs in. Until then the account was whoever's had typed this
-- email: all by which somebody else may have kept a way in goes, and its living sessions end. Nothing where the email was shown before.
-- name: identity_strangers_out :many  role: identity
WITH mine AS (
	SELECT id FROM accounts WHERE id = current_account() AND email_verified_at IS NULL FOR NO KEY UPDATE
), password AS (
	UPDATE accounts a SET password_hash = NULL FROM mine m WHERE a.id = m.id AND a.password_hash IS NOT NULL
), codes AS (
	DELETE FROM totp_factors f USING mine m WHERE f.account_id = m.id
), keys AS (
	DELETE FROM passkeys p USING mine m WHERE p.account_id = m.id
), providers AS (
	DELETE FROM oauth_identities i USING mine m WHERE i.account_id = m.id
), change AS (
	DELETE FROM email_changes e USING mine m WHERE e.account_id = m.id
), programs AS (
	UPDATE api_keys k SET revoked_at = now(), updated_at = now(), version = k.version + 1
	FROM mine m JOIN users u ON u.account_id = m.id
	WHERE k.tenant_id = u.tenant_id AND k.user_id = u.id AND k.revoked_at IS NULL
)
UPDATE sessions s SET revoked_at = now(), revoked_reason = 'email shown by its owner'
FROM mine m
WHERE s.account_id = m.id AND s.revoked_at IS NULL
RETURNING s.id, s.token_hash;

-- Refused where an email has to be verified first, and is not.
-- name: identity_email_must_be_verified :exec  role: identity
SELECT refuse('ZY453', 'Verify your email first: the mail says how')
FROM accounts
WHERE id = current_account() AND email_verified_at IS NULL;

-- $1 the new one.
-- name: identity_email_change_begin :exec  role: identity
INSERT INTO email_changes (account_id, email)
VALUES (current_account(), $1)
ON CONFLICT ON CONSTRAINT email_changes_pkey DO UPDATE
SET email = excluded.email, old_confirmed_at = NULL, new_confirmed_at = NULL, created_at = now();

-- Only of the change that the token was sent for.  $1 hash of the token.
-- name: identity_email_change_confirm :one  noun: Change  role: identity
UPDATE email_changes e
SET old_confirmed_at = CASE WHEN t.kind = 'emailChangeOld' THEN now() ELSE e.old_confirmed_at END,
    new_confirmed_at = CASE WHEN t.kind = 'emailChangeNew' THEN now() ELSE e.new_confirmed_at END
FROM one_time_tokens t
WHERE e.account_id = current_account() AND t.token_hash = $1 AND t.created_at >= e.created_at
  AND (t.kind = 'emailChangeOld' OR t.email = e.email)
RETURNING e.account_id;

-- The change itself, once both have confirmed. A row when it was made.  An email that is taken violates accounts_realm_id_email_key.
-- name: identity_email_change_make :opt  role: identity
WITH ready AS (
	DELETE FROM email_changes
	WHERE account_id = current_account() AND old_confirmed_at IS NOT NULL AND new_confirmed_at IS NOT NULL
	RETURNING account_id, email
), old AS (
	SELECT a.id, a.email FROM accounts a JOIN ready r ON r.account_id = a.id
), changed AS (
	UPDATE accounts a
	SET email = r.email, email_verified_at = now(), updated_at = now(), version = a.version + 1
	FROM ready r
	WHERE a.id = r.account_id
	RETURNING a.id, a.email
), seats AS (
	UPDATE users u
	SET email = c.email, email_verified = true, updated_at = now(), version = u.version + 1
	FROM changed c
	JOIN old o ON o.id = c.id
	WHERE u.account_id = c.id AND u.email = o.email AND u.deleted_at IS NULL
	  AND NOT EXISTS (SELECT FROM users x WHERE x.tenant_id = u.tenant_id AND x.email = c.email AND x.deleted_at IS NULL)
)
SELECT email FROM changed;

------------------------------------------------------------------------------------------------------------
-- The password

-- $1 hash of the new one.
-- name: identity_password_reset :exec  role: identity
UPDATE accounts
SET password_hash = $1, reset_required_at = NULL, updated_at = now(), version = version + 1
WHERE id = current_account();

-- Failures to log in count no more.  $1 hash of the email.
-- name: identity_attempts_forget :exec  role: identity
DELETE FROM login_attempts l USING accounts a
WHERE a.id = current_account() AND l.realm_id = a.realm_id AND l.email_hash = $1;

------------------------------------------------------------------------------------------------------------
-- Devices

-- The session that has just begun, by what and from where. New: the account has been used, but never from there.
-- name: identity_device_note :opt  role: identity
WITH here AS (
	SELECT account_id, coalesce(user_agent, '') AS user_agent, network_of(ip) AS network, ip
	FROM sessions
	WHERE id = current_session()
), noted AS (
	INSERT INTO known_devices (account_id, user_agent, network)
	SELECT account_id, user_agent, network FROM here
	ON CONFLICT ON CONSTRAINT known_devices_pkey DO UPDATE SET last_seen_at = now()
)
SELECT h.account_id, nullif(h.user_agent, '') AS device, host(h.ip) AS ip,
       EXISTS (SELECT FROM known_devices d WHERE d.account_id = h.account_id)
       AND NOT EXISTS (SELECT FROM known_devices d WHERE d.account_id = h.account_id AND d.user_agent = h.user_agent
		       AND d.network = h.network) AS is_new
FROM here h;

------------------------------------------------------------------------------------------------------------
-- Invitations, for whom they were sent to

-- name: identity_invitation_token_create :exec  role: identity
INSERT INTO invitation_tokens (tenant_id, invitation_id, token_hash) VALUES (current_tenant(), $1, $2);

-- $1 hash of the token.
-- name: identity_invitation_find :one  reply: InvitationShown  noun: Invitation  role: identity
SELECT u.email, t.name AS "tenantName", t.slug AS "tenantSlug", u.role_keys AS "roles",
       coalesce(nullif(concat_ws(' ', host.first_name, host.last_name), ''), host.email) AS "invitedBy",
       a.id IS NOT NULL AS "hasAccount", i.expires_at AS "expiresAt", t.id AS tenant_id, u.id AS user_id,
       CASE WHEN NOT u.is_guest THEN t.id END AS login_tenant_id, realm_of_seat(t.id, u.is_guest) AS realm_id,
       a.id AS account_id
FROM invitation_tokens k
JOIN invitations i ON i.tenant_id = k.tenant_id AND i.id = k.invitation_id
JOIN tenants t ON t.id = i.tenant_id AND t.deleted_at IS NULL
JOIN users u ON u.tenant_id = i.tenant_id AND u.id = i.user_id
LEFT JOIN users host ON host.tenant_id = i.tenant_id AND host.id = i.invited_by
LEFT JOIN accounts a ON a.realm_id = realm_of_seat(t.id, u.is_guest) AND a.email = u.email AND a.deleted_at IS NULL
WHERE k.token_hash = $1 AND invitation_status(i, u.status, u.deleted_at) = 'pending';

-- The tenant and the seat are the transaction's from here on.  $1 hash of the token.
-- name: identity_invitation_take :exec  role: identity
SELECT take_invitation($1);

-- An account that has a seat in the tenant violates users_tenant_id_account_id_key.
-- name: identity_invitation_seat :exec  role: identity
UPDATE users u
SET account_id = a.id, status = 'active', email_verified = true, mfa_enabled = a.mfa_enabled,
    first_name = coalesce(u.first_name, a.first_name), last_name = coalesce(u.last_name, a.last_name),
    last_login_at = now(), updated_at = now(), version = u.version + 1
FROM accounts a
WHERE u.tenant_id = current_tenant() AND u.id = current_seat() AND a.id = current_account();

-- An account whose email the invitation has shown.  $1 id, $2 realm, $3 email, $4 hash of the password, $5 first name, $6 last name.
-- name: identity_account_create_invited :exec  role: identity
INSERT INTO accounts (id, realm_id, email, email_verified_at, password_hash, first_name, last_name, last_login_at)
VALUES ($1, $2, $3, now(), $4, $5, $6, now());
