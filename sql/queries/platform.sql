-- The platform, over all tenants: for its own people, in the role that says so.

-- From here on in this transaction it is that tenant's: what is written is its event.  $1 tenant.
-- name: platform_act_in :exec  role: system
SELECT set_config('app.tenant_id', $1, true), set_config('app.user_id', '', true);

-- $1 text to find in slug, name or host, as LIKE wants it; $2 status; $3 plan.
-- name: platform_tenants_list :page  reply: PlatformTenant  role: system
-- sort: createdAt t.created_at timestamptz, name t.name text
-- id: t.id
SELECT t.id, t.slug, t.name, t.host, r.slug AS "realm", t.plan, t.limits, t.status, t.suspended_reason AS "suspendedReason",
       t.created_at AS "createdAt", t.updated_at AS "updatedAt", t.version
FROM tenants t
JOIN realms r ON r.id = t.realm_id
WHERE t.deleted_at IS NULL
  AND ($1::text IS NULL OR t.slug ILIKE $1 OR t.name ILIKE $1 OR t.host ILIKE $1)
  AND ($2::text IS NULL OR t.status = $2)
  AND ($3::text IS NULL OR t.plan = $3);

-- name: platform_tenants_get :one  reply: PlatformTenant  noun: Tenant  role: system
SELECT t.id, t.slug, t.name, t.host, r.slug AS "realm", t.plan, t.limits, t.status, t.suspended_reason AS "suspendedReason",
       t.created_at AS "createdAt", t.updated_at AS "updatedAt", t.version
FROM tenants t
JOIN realms r ON r.id = t.realm_id
WHERE t.id = $1 AND t.deleted_at IS NULL;

-- A realm of its own for a tenant that is made with it.  $1 id, $2 slug, $3 name.  A taken slug violates realms_slug_key.
-- name: platform_realm_create :exec  role: system
INSERT INTO realms (id, slug, name)
VALUES ($1, $2, $3);

-- $1 id, $2 slug, $3 name, $4 host, $5 plan, $6 realm or NULL for the platform's.
-- A taken slug violates tenants_slug_key, a taken host tenants_host_key.
-- name: platform_tenants_create :exec  role: system
INSERT INTO tenants (id, slug, name, host, plan, realm_id)
VALUES ($1, $2, $3, lower($4), coalesce($5, 'free'), coalesce($6, '00000000-0000-7000-8000-000000000000'::uuid));

-- $1 id, $2 If-Match; then whether given, and value, of plan, limits, host.
-- name: platform_tenants_update :one  noun: Tenant  role: system
UPDATE tenants
SET plan = CASE WHEN $3 THEN $4 ELSE plan END,
    limits = CASE WHEN $5 THEN $6 ELSE limits END,
    host = CASE WHEN $7 THEN lower($8) ELSE host END,
    updated_at = now(), version = version + 1
WHERE id = $1 AND deleted_at IS NULL AND version_is_wanted(version, $2)
RETURNING id;

-- $1 id, $2 If-Match, $3 reason.
-- name: platform_tenants_suspend :one  noun: Tenant  role: system
UPDATE tenants
SET status = 'suspended', suspended_reason = $3, updated_at = now(), version = version + 1
WHERE id = $1 AND deleted_at IS NULL AND version_is_wanted(version, $2)
  AND (status = 'active' OR refuse('ZY409', 'The tenant is suspended already', '', 'status'))
RETURNING id;

-- $1 id, $2 If-Match.
-- name: platform_tenants_reactivate :one  noun: Tenant  role: system
UPDATE tenants
SET status = 'active', suspended_reason = NULL, updated_at = now(), version = version + 1
WHERE id = $1 AND deleted_at IS NULL AND version_is_wanted(version, $2)
  AND (status = 'suspended' OR refuse('ZY409', 'The tenant is not suspended', '', 'status'))
RETURNING id;

-- A seat that waits for its person.  $1 tenant, $2 id, $3 email, $4 a guest of the platform's realm.
-- An email that has a seat there violates users_tenant_id_email_key.
-- name: platform_seat_create :one  noun: Tenant  role: system
INSERT INTO users (tenant_id, id, email, is_guest)
SELECT id, $2, $3, $4 AND realm_id <> '00000000-0000-7000-8000-000000000000'
FROM tenants
WHERE id = $1 AND deleted_at IS NULL
RETURNING id;
