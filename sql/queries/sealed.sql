-- What is sealed under ENCRYPTION_KEY, for src/identity/reseal.c: each place's rows behind a key ($1), with the aad that ties them to it,
-- and one of them put anew ($1 its key, $2 as it was, $3 as it is to be) unless it has changed since.

-- name: sealed_signing_keys :many  role: identity
SELECT kid AS key, 'signing_keys:' || kid AS aad, private_sealed AS sealed
FROM signing_keys
WHERE kid > $1
ORDER BY kid
LIMIT 200;

-- name: sealed_signing_keys_put :exec  role: identity
UPDATE signing_keys SET private_sealed = $3 WHERE kid = $1 AND private_sealed = $2;

-- name: sealed_totp :many  role: identity
SELECT account_id::text AS key, 'totp_factors:' || account_id AS aad, secret_sealed AS sealed
FROM totp_factors
WHERE account_id > $1
ORDER BY account_id
LIMIT 200;

-- name: sealed_totp_put :exec  role: identity
UPDATE totp_factors SET secret_sealed = $3 WHERE account_id = $1 AND secret_sealed = $2;

-- Sign-ups that wait for their email (src/identity/signup.c), as base64url in the payload.
-- name: sealed_jobs :many  role: system
SELECT id::text AS key, 'jobs:' || id AS aad,
       decode(rpad(text, (length(text) + 3) / 4 * 4, '='), 'base64') AS sealed
FROM jobs, translate(payload ->> 'sealed', '-_', '+/') AS text
WHERE kind = 'account.signUp' AND id > $1
ORDER BY id
LIMIT 200;

-- name: sealed_jobs_put :exec  role: system
UPDATE jobs SET payload = jsonb_build_object('sealed', translate(encode($3::bytea, 'base64'), E'+/=\n', '-_'))
WHERE id = $1 AND kind = 'account.signUp' AND payload ->> 'sealed' = translate(encode($2::bytea, 'base64'), E'+/=\n', '-_');

-- Webhooks (src/domains/webhooks/webhooks_secret.c).
-- name: sealed_webhook_secrets :many  role: system
SELECT id::text AS key, 'webhook_endpoints.secret:' || id AS aad, secret_sealed AS sealed
FROM webhook_endpoints
WHERE id > $1 AND secret_sealed IS NOT NULL
ORDER BY id
LIMIT 200;

-- name: sealed_webhook_secrets_put :exec  role: system
UPDATE webhook_endpoints SET secret_sealed = $3 WHERE id = $1 AND secret_sealed = $2;

-- name: sealed_webhook_old_secrets :many  role: system
SELECT id::text AS key, 'webhook_endpoints.secret:' || id AS aad, old_secret_sealed AS sealed
FROM webhook_endpoints
WHERE id > $1 AND old_secret_sealed IS NOT NULL
ORDER BY id
LIMIT 200;

-- name: sealed_webhook_old_secrets_put :exec  role: system
UPDATE webhook_endpoints SET old_secret_sealed = $3 WHERE id = $1 AND old_secret_sealed = $2;

-- name: sealed_webhook_headers :many  role: system
SELECT id::text AS key, 'webhook_endpoints.headers:' || id AS aad, headers_sealed AS sealed
FROM webhook_endpoints
WHERE id > $1 AND headers_sealed IS NOT NULL
ORDER BY id
LIMIT 200;

-- name: sealed_webhook_headers_put :exec  role: system
UPDATE webhook_endpoints SET headers_sealed = $3 WHERE id = $1 AND headers_sealed = $2;
