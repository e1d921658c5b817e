-- Projects: the model domain. docs/adding-a-resource.md explains the form.

-- $1 id, $2 slug, $3 name, $4 description.  A taken slug violates projects_tenant_id_slug_key.
-- name: projects_create :one  reply: Project  noun: Project
INSERT INTO projects (tenant_id, id, slug, name, description)
VALUES (current_tenant(), $1, $2, $3, $4)
RETURNING id, slug, name, description, status, created_at AS "createdAt", updated_at AS "updatedAt", version;

-- name: projects_get :one  reply: Project  noun: Project
SELECT id, slug, name, description, status, created_at AS "createdAt", updated_at AS "updatedAt", version
FROM projects
WHERE id = $1 AND deleted_at IS NULL;

-- $1 text to find in name or slug, as LIKE wants it; $2 status.
-- name: projects_list :page  reply: Project
-- sort: createdAt created_at timestamptz, name name text
SELECT id, slug, name, description, status, created_at AS "createdAt", updated_at AS "updatedAt", version
FROM projects
WHERE deleted_at IS NULL
  AND ($1::text IS NULL OR name ILIKE $1 OR slug ILIKE $1)
  AND ($2::text IS NULL OR status = $2);

-- $1 id, $2 If-Match; then for each field whether it is given, and its value: slug, name, description.
-- name: projects_update :one  reply: Project  noun: Project
UPDATE projects
SET slug = CASE WHEN $3 THEN $4 ELSE slug END,
    name = CASE WHEN $5 THEN $6 ELSE name END,
    description = CASE WHEN $7 THEN $8 ELSE description END,
    updated_at = now(), version = version + 1
WHERE id = $1 AND deleted_at IS NULL AND version_is_wanted(version, $2)
RETURNING id, slug, name, description, status, created_at AS "createdAt", updated_at AS "updatedAt", version;

-- $1 id, $2 If-Match, $3 status.
-- name: projects_set_status :one  reply: Project  noun: Project
UPDATE projects
SET status = $3, updated_at = now(), version = version + 1
WHERE id = $1 AND deleted_at IS NULL AND version_is_wanted(version, $2)
  AND (status <> $3 OR refuse('ZY409', format('The project is %s already', $3), '', 'status'))
RETURNING id, slug, name, description, status, created_at AS "createdAt", updated_at AS "updatedAt", version;

-- $1 id, $2 If-Match.
-- name: projects_delete :one  noun: Project
UPDATE projects
SET deleted_at = now(), updated_at = now(), version = version + 1
WHERE id = $1 AND deleted_at IS NULL AND version_is_wanted(version, $2)
RETURNING id;
