-- The platform, over all tenants: for its own people, in the role that says so.

-- $1 text to find in slug or name, as LIKE wants it; $2 status.
-- name: platform_tenants_list :page  reply: Tenant  role: system
-- sort: createdAt created_at timestamptz, name name text
SELECT id, slug, name, plan, settings, status, created_at AS "createdAt", updated_at AS "updatedAt", version
FROM tenants
WHERE deleted_at IS NULL
  AND ($1::text IS NULL OR slug ILIKE $1 OR name ILIKE $1)
  AND ($2::text IS NULL OR status = $2);

-- name: platform_tenants_get :one  reply: Tenant  noun: Tenant  role: system
SELECT id, slug, name, plan, settings, status, created_at AS "createdAt", updated_at AS "updatedAt", version
FROM tenants
WHERE id = $1 AND deleted_at IS NULL;
