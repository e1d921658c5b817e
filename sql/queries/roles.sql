-- Roles of a tenant. The permissions of a built-in one are those of builtin_roles.

-- Refuses permissions that do not exist or that the acting seat lacks.  $1 permissions.
-- name: roles_may_give :exec
SELECT may_give($1, 'permissions');

-- Refuses a built-in role, and one that holds more than the acting seat.  $1 id.
-- name: roles_may_change :exec
SELECT may_change_role($1);

-- $1 id, $2 key, $3 name, $4 description, $5 permissions.  A taken key violates roles_tenant_id_key_key.
-- name: roles_create :exec
INSERT INTO roles (tenant_id, id, key, name, description, permissions)
VALUES (current_tenant(), $1, $2, $3, $4, ARRAY(SELECT DISTINCT p FROM unnest($5::text[]) AS p ORDER BY p));

-- name: roles_get :one  reply: Role  noun: Role
SELECT r.id, r.key, r.name, r.description, r.builtin_key IS NOT NULL AS "isBuiltIn",
       coalesce(b.permissions, r.permissions) AS "permissions", r.created_at AS "createdAt", r.updated_at AS "updatedAt", r.version
FROM roles r
LEFT JOIN builtin_roles b ON b.key = r.builtin_key
WHERE r.id = $1;

-- $1 text to find in name or key, as LIKE wants it; $2 a permission.
-- name: roles_list :page  reply: Role
-- sort: createdAt r.created_at timestamptz, name r.name text
-- id: r.id
SELECT r.id, r.key, r.name, r.description, r.builtin_key IS NOT NULL AS "isBuiltIn",
       coalesce(b.permissions, r.permissions) AS "permissions", r.created_at AS "createdAt", r.updated_at AS "updatedAt", r.version
FROM roles r
LEFT JOIN builtin_roles b ON b.key = r.builtin_key
WHERE ($1::text IS NULL OR r.name ILIKE $1 OR r.key ILIKE $1)
  AND ($2::text IS NULL OR $2 = ANY (coalesce(b.permissions, r.permissions)));

-- Its key stays: others name the role by it.
-- $1 id, $2 If-Match; then whether given, and value, of name, description, permissions.
-- name: roles_update :one  noun: Role
UPDATE roles
SET name = CASE WHEN $3 THEN $4 ELSE name END,
    description = CASE WHEN $5 THEN $6 ELSE description END,
    permissions = CASE WHEN $7 THEN ARRAY(SELECT DISTINCT p FROM unnest($8::text[]) AS p ORDER BY p) ELSE permissions END,
    updated_at = now(), version = version + 1
WHERE id = $1 AND version_is_wanted(version, $2)
RETURNING id;

-- A seat that was removed keeps its roles, and nobody shows them.  $1 id.
-- name: roles_forget_removed :exec
DELETE FROM user_roles ur
USING users u
WHERE ur.role_id = $1 AND u.tenant_id = ur.tenant_id AND u.id = ur.user_id AND u.deleted_at IS NOT NULL;

-- Nobody loses what they may do because a role went: it is taken from its users first.  $1 id.
-- name: roles_must_be_unused :exec
SELECT n = 0 OR refuse('ZY409', format('The role is given to %s user%s: take it from them first', n, CASE WHEN n > 1 THEN 's' ELSE '' END))
FROM (SELECT count(*) FROM user_roles WHERE role_id = $1) AS given (n);

-- $1 id, $2 If-Match.  Given to somebody meanwhile, it violates user_roles_role_id_fkey.
-- name: roles_delete :one  noun: Role
DELETE FROM roles
WHERE id = $1 AND version_is_wanted(version, $2)
RETURNING id;
