-- Invitations, as the tenant that sends them sees them. What becomes of their tokens is in sql/queries/identity_mail.sql.

-- $1 how many the tenant may send in an hour.
-- name: invitations_keep_pace :exec
SELECT invitations_keep_pace($1);

-- $1 id, $2 seat, $3 lifetime in microseconds.
-- name: invitations_create :exec
INSERT INTO invitations (tenant_id, id, user_id, invited_by, expires_at)
VALUES (current_tenant(), $1, $2, current_seat(), now() + $3::bigint * interval '1 microsecond');

-- name: invitations_get :one  reply: Invitation  noun: Invitation
SELECT i.id, i.user_id AS "userId", u.email, u.role_keys AS "roles", invitation_status(i, u.status, u.deleted_at) AS "status",
       i.invited_by AS "invitedBy", i.sends, i.sent_at AS "sentAt", i.expires_at AS "expiresAt", i.accepted_at AS "acceptedAt",
       i.created_at AS "createdAt", i.version
FROM invitations i
JOIN users u ON u.tenant_id = i.tenant_id AND u.id = i.user_id
WHERE i.id = $1;

-- $1 status.
-- name: invitations_list :page  reply: Invitation
-- sort: createdAt i.created_at timestamptz
-- id: i.id
SELECT i.id, i.user_id AS "userId", u.email, u.role_keys AS "roles", invitation_status(i, u.status, u.deleted_at) AS "status",
       i.invited_by AS "invitedBy", i.sends, i.sent_at AS "sentAt", i.expires_at AS "expiresAt", i.accepted_at AS "acceptedAt",
       i.created_at AS "createdAt", i.version
FROM invitations i
JOIN users u ON u.tenant_id = i.tenant_id AND u.id = i.user_id
WHERE ($1::text IS NULL OR invitation_status(i, u.status, u.deleted_at) = $1);

-- Only one that waits, though it may have run out.  $1 id, $2 If-Match, $3 lifetime in microseconds.
-- name: invitations_renew :one  noun: Invitation
UPDATE invitations i
SET sends = i.sends + 1, sent_at = now(), expires_at = now() + $3::bigint * interval '1 microsecond', version = i.version + 1
FROM users u
WHERE i.id = $1 AND u.tenant_id = i.tenant_id AND u.id = i.user_id AND version_is_wanted(i.version, $2)
  AND (invitation_status(i, u.status, u.deleted_at) IN ('pending', 'expired')
       OR refuse('ZY409', format('The invitation is %s', invitation_status(i, u.status, u.deleted_at)), '', 'status'))
RETURNING i.id;

-- $1 id, $2 If-Match.
-- name: invitations_revoke :one  noun: Invitation
UPDATE invitations i
SET revoked_at = now(), version = i.version + 1
FROM users u
WHERE i.id = $1 AND u.tenant_id = i.tenant_id AND u.id = i.user_id AND version_is_wanted(i.version, $2)
  AND (invitation_status(i, u.status, u.deleted_at) IN ('pending', 'expired')
       OR refuse('ZY409', format('The invitation is %s', invitation_status(i, u.status, u.deleted_at)), '', 'status'))
RETURNING i.id;

-- The seat of a revoked one goes with it: its email may be invited again. Refused, as any change of somebody who may more than the acting
-- seat.  $1 id of the invitation.
-- name: invitations_remove_seat :exec
UPDATE users u
SET deleted_at = now(), updated_at = now(), version = u.version + 1
FROM invitations i
WHERE i.id = $1 AND u.tenant_id = i.tenant_id AND u.id = i.user_id AND u.deleted_at IS NULL;

-- $1 id of the invitation.
-- name: invitations_may_act_on :exec
SELECT may_act_on(user_id) FROM invitations WHERE id = $1;
