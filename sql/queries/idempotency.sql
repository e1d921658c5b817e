-- Replies kept for Idempotency-Key: src/http/idempotency.c. A key is its caller's own, for 24 hours: in one tenant,
-- or, where a request is in none (`_of_account`), alone.

-- One at a time: whoever comes while the first still runs is told so, and does not wait.
-- $1 key.
-- name: idempotency_lock :exec
SELECT pg_try_advisory_xact_lock(hashtextextended(
		concat_ws(':', 'idempotency', current_setting('app.tenant_id'), current_setting('app.account_id'), $1::text), 0))
       OR refuse('ZY423', 'A request with this Idempotency-Key is in progress');

-- A statement of its own behind the lock, so that it sees what the one before committed.
-- $1 key, $2 route, $3 digest of the request.
-- name: idempotency_find :opt
SELECT status, reply
FROM idempotency_keys
WHERE account_id = current_setting('app.account_id')::uuid AND key = $1
  AND created_at > now() - interval '24 hours'
  AND ((route = $2 AND digest = $3)
       OR refuse('ZY424', 'This Idempotency-Key was used with another request'));

-- $1 key, $2 route, $3 digest, $4 status, $5 the reply, sealed.
-- name: idempotency_keep :exec
INSERT INTO idempotency_keys (tenant_id, account_id, key, route, digest, status, reply)
VALUES (current_tenant(), current_setting('app.account_id')::uuid, $1, $2, $3, $4, $5)
ON CONFLICT ON CONSTRAINT idempotency_keys_pkey DO UPDATE
SET route = excluded.route, digest = excluded.digest, status = excluded.status, reply = excluded.reply,
    created_at = now();

------------------------------------------------------------------------------------------------------------
-- The same for requests that are in no tenant.

-- $1 key.
-- name: idempotency_lock_of_account :exec  role: identity
SELECT pg_try_advisory_xact_lock(hashtextextended(concat_ws(':', 'idempotency', current_account(), $1::text), 0))
       OR refuse('ZY423', 'A request with this Idempotency-Key is in progress');

-- $1 key, $2 route, $3 digest of the request.
-- name: idempotency_find_of_account :opt  role: identity
SELECT status, reply
FROM account_idempotency_keys
WHERE account_id = current_account() AND key = $1
  AND created_at > now() - interval '24 hours'
  AND ((route = $2 AND digest = $3)
       OR refuse('ZY424', 'This Idempotency-Key was used with another request'));

-- $1 key, $2 route, $3 digest, $4 status, $5 the reply, sealed.
-- name: idempotency_keep_of_account :exec  role: identity
INSERT INTO account_idempotency_keys (account_id, key, route, digest, status, reply)
VALUES (current_account(), $1, $2, $3, $4, $5)
ON CONFLICT ON CONSTRAINT account_idempotency_keys_pkey DO UPDATE
SET route = excluded.route, digest = excluded.digest, status = excluded.status, reply = excluded.reply,
    created_at = now();
