-- API keys of a tenant, and the secrets that open them. sql/migrations/0004 says what a key may do.

-- Refuses scopes that do not exist, that the acting seat lacks, and that no key may have.  $1 scopes.
-- name: apikeys_may_scope :exec
SELECT may_scope($1);

-- Refuses a key that is revoked, and somebody else's.  $1 id.
-- name: apikeys_may_change :exec
SELECT may_change_key($1);

-- $1 id, $2 name, $3 how its secret begins, $4 scopes, $5 addresses, $6 requests a minute, $7 when it expires.
-- name: apikeys_create :exec
INSERT INTO api_keys (tenant_id, id, user_id, name, hint, scopes, allowed_ips, rate_limit, expires_at)
VALUES (current_tenant(), $1, current_seat(), $2, $3, ARRAY(SELECT DISTINCT s FROM unnest($4::text[]) AS s ORDER BY s),
        ARRAY(SELECT DISTINCT a::inet FROM unnest($5::text[]) AS a), $6, $7);

-- $1 key, $2 hash, $3 mark of the secret that it is under.
-- name: apikeys_add_secret :exec
INSERT INTO api_key_secrets (tenant_id, api_key_id, hash, keyed_by)
VALUES (current_tenant(), $1, $2, $3);

-- name: apikeys_get :one  reply: ApiKey  noun: API key
SELECT id, name, hint, user_id AS "userId", scopes, ARRAY(SELECT a::cidr::text FROM unnest(allowed_ips) AS a) AS "allowedIps",
       rate_limit AS "rateLimit", api_key_status(revoked_at, expires_at) AS "status", expires_at AS "expiresAt",
       revoked_at AS "revokedAt", last_used_at AS "lastUsedAt", host(last_used_ip) AS "lastUsedIp", created_at AS "createdAt",
       updated_at AS "updatedAt", version
FROM api_keys
WHERE id = $1;

-- $1 text to find in the name or the secret's beginning, as LIKE wants it; $2 status; $3 maker.
-- name: apikeys_list :page  reply: ApiKey
-- sort: createdAt created_at timestamptz, name name text
SELECT id, name, hint, user_id AS "userId", scopes, ARRAY(SELECT a::cidr::text FROM unnest(allowed_ips) AS a) AS "allowedIps",
       rate_limit AS "rateLimit", api_key_status(revoked_at, expires_at) AS "status", expires_at AS "expiresAt",
       revoked_at AS "revokedAt", last_used_at AS "lastUsedAt", host(last_used_ip) AS "lastUsedIp", created_at AS "createdAt",
       updated_at AS "updatedAt", version
FROM api_keys
WHERE ($1::text IS NULL OR name ILIKE $1 OR hint ILIKE $1)
  AND ($2::text IS NULL OR api_key_status(revoked_at, expires_at) = $2)
  AND ($3::uuid IS NULL OR user_id = $3);

-- $1 id, $2 If-Match; then whether given, and value, of name, scopes, addresses, requests a minute, expiry.
-- name: apikeys_update :one  noun: API key
UPDATE api_keys
SET name = CASE WHEN $3 THEN $4 ELSE name END,
    scopes = CASE WHEN $5 THEN ARRAY(SELECT DISTINCT s FROM unnest($6::text[]) AS s ORDER BY s) ELSE scopes END,
    allowed_ips = CASE WHEN $7 THEN ARRAY(SELECT DISTINCT a::inet FROM unnest($8::text[]) AS a) ELSE allowed_ips END,
    rate_limit = CASE WHEN $9 THEN $10 ELSE rate_limit END,
    expires_at = CASE WHEN $11 THEN $12 ELSE expires_at END,
    updated_at = now(), version = version + 1
WHERE id = $1 AND version_is_wanted(version, $2)
RETURNING id;

-- $1 id, $2 If-Match, $3 how its new secret begins.
-- name: apikeys_rotate :one  noun: API key
UPDATE api_keys
SET hint = $3, updated_at = now(), version = version + 1
WHERE id = $1 AND version_is_wanted(version, $2)
RETURNING id;

-- Before a new secret comes: one that was to go has had its time, so that two secrets are good at most.  $1 key.
-- name: apikeys_drop_old_secret :exec
DELETE FROM api_key_secrets
WHERE api_key_id = $1 AND expires_at IS NOT NULL;

-- $1 key, $2 seconds that it is still good for.
-- name: apikeys_retire_secret :exec
UPDATE api_key_secrets
SET expires_at = now() + $2::bigint * interval '1 second'
WHERE api_key_id = $1;

-- $1 id, $2 If-Match.
-- name: apikeys_revoke :one  noun: API key
UPDATE api_keys
SET revoked_at = now(), updated_at = now(), version = version + 1
WHERE id = $1 AND version_is_wanted(version, $2)
  AND (revoked_at IS NULL OR refuse('ZY409', 'The API key is revoked already', '', 'status'))
RETURNING id;

-- $1 id, $2 If-Match.
-- name: apikeys_delete :one  noun: API key
DELETE FROM api_keys
WHERE id = $1 AND version_is_wanted(version, $2)
RETURNING id;
