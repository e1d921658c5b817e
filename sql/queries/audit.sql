-- Audit: the events of a tenant as its people read them, and those of all tenants for the platform's. Bounds of time are bounds of ids too
-- (event_id() in sql/migrations/0010), so that months outside them are not looked at.

-- $1 type, or what it begins with up to a dot ("user"); $2 acting user; $3 subject; $4 from, $5 to (not included); $6 text to find, as LIKE
-- wants it.
-- name: audit_list :page  reply: AuditEvent
-- sort: -createdAt e.created_at timestamptz
-- id: e.id
SELECT e.id, e.type, e.subject_id AS "subjectId", e.actor_kind AS "actorKind", e.account_id AS "accountId", e.user_id AS "userId",
       u.email AS "userEmail", e.session_id AS "sessionId", e.api_key_id AS "apiKeyId", e.impersonated_by AS "impersonatedBy",
       host(e.ip) AS "ip", e.request_id AS "requestId", e.data -> 'before' AS "before", e.data -> 'after' AS "after",
       e.data - ARRAY['before', 'after'] AS "data", e.created_at AS "createdAt"
FROM events e
LEFT JOIN users u ON u.tenant_id = e.tenant_id AND u.id = e.user_id
WHERE ($1::text IS NULL OR e.type = $1 OR starts_with(e.type, $1 || '.'))
  AND ($2::uuid IS NULL OR e.user_id = $2)
  AND ($3::uuid IS NULL OR e.subject_id = $3)
  AND ($4::timestamptz IS NULL OR e.created_at >= $4)
  AND ($5::timestamptz IS NULL OR e.created_at < $5)
  AND e.id >= coalesce(uuid_at($4, -7200), '00000000-0000-0000-0000-000000000000')
  AND e.id <= coalesce(uuid_at($5, 7200), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
  AND ($6::text IS NULL OR e.type ILIKE $6 OR e.data::text ILIKE $6 OR u.email ILIKE $6);

-- name: audit_get :one  reply: AuditEvent  noun: Event
SELECT e.id, e.type, e.subject_id AS "subjectId", e.actor_kind AS "actorKind", e.account_id AS "accountId", e.user_id AS "userId",
       u.email AS "userEmail", e.session_id AS "sessionId", e.api_key_id AS "apiKeyId", e.impersonated_by AS "impersonatedBy",
       host(e.ip) AS "ip", e.request_id AS "requestId", e.data -> 'before' AS "before", e.data -> 'after' AS "after",
       e.data - ARRAY['before', 'after'] AS "data", e.created_at AS "createdAt"
FROM events e
LEFT JOIN users u ON u.tenant_id = e.tenant_id AND u.id = e.user_id
WHERE e.id = $1;

-- As audit_list, with $7 tenant, $8 acting account.
-- name: audit_list_all_tenants :page  reply: AuditEventOfAny  role: system
-- sort: -createdAt e.created_at timestamptz
-- id: e.id
SELECT e.tenant_id AS "tenantId", e.id, e.type, e.subject_id AS "subjectId", e.actor_kind AS "actorKind", e.account_id AS "accountId",
       e.user_id AS "userId", a.email AS "userEmail", e.session_id AS "sessionId", e.api_key_id AS "apiKeyId",
       e.impersonated_by AS "impersonatedBy", host(e.ip) AS "ip", e.request_id AS "requestId", e.data -> 'before' AS "before",
       e.data -> 'after' AS "after", e.data - ARRAY['before', 'after'] AS "data", e.created_at AS "createdAt"
FROM events e
LEFT JOIN accounts a ON a.id = e.account_id
WHERE ($1::text IS NULL OR e.type = $1 OR starts_with(e.type, $1 || '.'))
  AND ($2::uuid IS NULL OR e.user_id = $2)
  AND ($3::uuid IS NULL OR e.subject_id = $3)
  AND ($4::timestamptz IS NULL OR e.created_at >= $4)
  AND ($5::timestamptz IS NULL OR e.created_at < $5)
  AND e.id >= coalesce(uuid_at($4, -7200), '00000000-0000-0000-0000-000000000000')
  AND e.id <= coalesce(uuid_at($5, 7200), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
  AND ($6::text IS NULL OR e.type ILIKE $6 OR e.data::text ILIKE $6 OR a.email ILIKE $6)
  AND ($7::uuid IS NULL OR e.tenant_id = $7)
  AND ($8::uuid IS NULL OR e.account_id = $8 OR e.impersonated_by = $8);
