-- Users: seats of one tenant. An account (a person's log-in) may have seats in many.

-- Refuses role keys that do not exist or carry a permission which the acting seat lacks.  $1 keys.
-- name: users_may_grant :exec
SELECT may_grant($1);

-- Refuses when the user holds a permission which the acting seat lacks.  $1 id.
-- name: users_may_act_on :exec
SELECT may_act_on($1);

-- Refuses when, after the statements before it, nobody active owns the tenant.
-- name: users_keep_an_owner :exec
SELECT keep_an_owner();

-- $1 id, $2 email in lower case, $3 first name, $4 last name, $5 display name, $6 phone.
-- An email that has a seat here violates users_tenant_id_email_key.
-- name: users_create :exec
INSERT INTO users (tenant_id, id, email, first_name, last_name, display_name, phone)
VALUES (current_tenant(), $1, $2, $3, $4, $5, $6);

-- Gives a seat these roles and no others.  $1 user, $2 keys.
-- name: users_set_roles :exec
WITH wanted AS (
	SELECT id FROM roles WHERE key = ANY ($2)
), gone AS (
	DELETE FROM user_roles WHERE user_id = $1 AND role_id NOT IN (SELECT id FROM wanted)
)
INSERT INTO user_roles (tenant_id, user_id, role_id)
SELECT current_tenant(), $1, id FROM wanted
ON CONFLICT DO NOTHING;

-- name: users_get :one  reply: User  noun: User
SELECT id, email, first_name AS "firstName", last_name AS "lastName", display_name AS "displayName", avatar, phone, status,
       role_keys AS "roles", email_verified AS "emailVerified", phone_verified AS "phoneVerified",
       mfa_enabled AS "mfaEnabled", last_login_at AS "lastLoginAt", created_at AS "createdAt",
       updated_at AS "updatedAt", version
FROM users
WHERE id = $1 AND deleted_at IS NULL;

-- $1 status, $2 role key.
-- name: users_list :page  reply: User
-- sort: createdAt created_at timestamptz, email email text
SELECT id, email, first_name AS "firstName", last_name AS "lastName", display_name AS "displayName", avatar, phone, status,
       role_keys AS "roles", email_verified AS "emailVerified", phone_verified AS "phoneVerified",
       mfa_enabled AS "mfaEnabled", last_login_at AS "lastLoginAt", created_at AS "createdAt",
       updated_at AS "updatedAt", version
FROM users
WHERE deleted_at IS NULL
  AND ($1::text IS NULL OR status = $1)
  AND ($2::text IS NULL OR $2 = ANY (role_keys));

-- The same for who looks for somebody. Every seat of the tenant is compared, once: no index serves a LIKE behind row-level
-- security, whose operator is not leakproof.  $1 text to find in search_text, as LIKE wants it; $2 status; $3 role key.
-- name: users_search :page  reply: User  counted: inside
-- sort: createdAt created_at timestamptz, email email text
SELECT id, email, first_name AS "firstName", last_name AS "lastName", display_name AS "displayName", avatar, phone, status,
       role_keys AS "roles", email_verified AS "emailVerified", phone_verified AS "phoneVerified",
       mfa_enabled AS "mfaEnabled", last_login_at AS "lastLoginAt", created_at AS "createdAt",
       updated_at AS "updatedAt", version
FROM users
WHERE deleted_at IS NULL
  AND search_text LIKE (SELECT lower($1))
  AND ($2::text IS NULL OR status = $2)
  AND ($3::text IS NULL OR $3 = ANY (role_keys));

-- $1 id, $2 If-Match; then whether given, and value, of first name, last name, display name, avatar, phone.
-- name: users_update :one  noun: User
UPDATE users
SET first_name = CASE WHEN $3 THEN $4 ELSE first_name END,
    last_name = CASE WHEN $5 THEN $6 ELSE last_name END,
    display_name = CASE WHEN $7 THEN $8 ELSE display_name END,
    avatar = CASE WHEN $9 THEN $10 ELSE avatar END,
    phone = CASE WHEN $11 THEN $12 ELSE phone END,
    updated_at = now(), version = version + 1
WHERE id = $1 AND deleted_at IS NULL AND version_is_wanted(version, $2)
RETURNING id;

-- Says that the row changed where only its roles did.  $1 id, $2 If-Match.
-- name: users_touch :one  noun: User
UPDATE users
SET updated_at = now(), version = version + 1
WHERE id = $1 AND deleted_at IS NULL AND version_is_wanted(version, $2)
RETURNING id;

-- Nobody suspends themselves; an invited person has nothing to suspend.  $1 id, $2 If-Match.
-- name: users_suspend :one  noun: User
UPDATE users
SET status = 'suspended', updated_at = now(), version = version + 1
WHERE id = $1 AND deleted_at IS NULL AND version_is_wanted(version, $2)
  AND (id IS DISTINCT FROM current_seat() OR refuse('ZY422', 'You cannot suspend yourself'))
  AND (status = 'active' OR refuse('ZY409', format('The user is %s', status), '', 'status'))
RETURNING id;

-- $1 id, $2 If-Match.
-- name: users_reactivate :one  noun: User
UPDATE users
SET status = 'active', updated_at = now(), version = version + 1
WHERE id = $1 AND deleted_at IS NULL AND version_is_wanted(version, $2)
  AND (status = 'suspended' OR refuse('ZY409', format('The user is %s', status), '', 'status'))
RETURNING id;

-- The seat is left out of everything from now on; its email may be invited again.  $1 id, $2 If-Match.
-- name: users_delete :one  noun: User
UPDATE users
SET deleted_at = now(), updated_at = now(), version = version + 1
WHERE id = $1 AND deleted_at IS NULL AND version_is_wanted(version, $2)
  AND (id IS DISTINCT FROM current_seat() OR refuse('ZY422', 'You cannot delete yourself'))
RETURNING id;
