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
WHERE id = current_tenant() AND version_is_wanted(version, $1)
RETURNING id, slug, name, plan, settings, status, created_at AS "createdAt", updated_at AS "updatedAt", version;

-- The acting seat leaves; its API keys end with it (seat_removed() in sql/migrations/0004).
-- name: tenant_leave :one  noun: User
UPDATE users
SET deleted_at = now(), updated_at = now(), version = version + 1
WHERE id = current_seat() AND deleted_at IS NULL
RETURNING id;

-- Who takes over: an active user other than the one that acts.  $1 user.
-- name: tenant_heir :one  noun: User
SELECT id FROM users
WHERE id = $1 AND deleted_at IS NULL
  AND (id IS DISTINCT FROM current_seat() OR refuse('ZY422', 'You own the tenant already'))
  AND (status = 'active' OR refuse('ZY422', format('The user is %s', status)))
FOR UPDATE;

-- Gives a role beside those there are.  $1 user, $2 key; NULL user: the acting seat.
-- name: tenant_give_role :exec
INSERT INTO user_roles (tenant_id, user_id, role_id)
SELECT tenant_id, coalesce($1, current_seat()), id FROM roles WHERE key = $2 AND coalesce($1, current_seat()) IS NOT NULL
ON CONFLICT DO NOTHING;

-- Takes a role from the acting seat.  $1 key.
-- name: tenant_give_up_role :exec
DELETE FROM user_roles
WHERE user_id = current_seat() AND role_id = (SELECT id FROM roles WHERE key = $1);

-- What anybody may know of a tenant whose name they have: for the page where one logs in to it.  $1 slug, host, or a slug that it had.
-- name: tenant_public :one  reply: TenantPublic  noun: Tenant  role: system
SELECT slug, name, realm_id <> '00000000-0000-7000-8000-000000000000' AS "hasOwnRealm", settings ->> 'logoUrl' AS "logoUrl"
FROM tenants
WHERE id = tenant_named($1, NULL);
