-- The current tenant.

-- name: tenant_get :one  reply: Tenant  noun: Tenant
SELECT id, slug, name, plan, settings, status, created_at AS "createdAt", updated_at AS "updatedAt", version
FROM tenants
WHERE id = current_tenant();

-- $1 If-Match; then whether given, and value, of slug, name, settings.
-- name: tenant_update :one  reply: Tenant  noun: Tenant
UPDATE tenants
SET slug = CASE WHEN $2 THEN $3 ELSE slug END,
    name = CASE WHEN $4 THEN $5 ELSE name END,
    settings = CASE WHEN $6 THEN $7 ELSE settings END,
    updated_at = now(), version = version + 1
WHERE id = current_tenant() AND version_matches(version, $1)
RETURNING id, slug, name, plan, settings, status, created_at AS "createdAt", updated_at AS "updatedAt", version;
