-- Whose an invitation is, is asked behind the statement that finds it: as a condition of that statement, refuse() was run for rows that
-- were not joined to it yet, wherever PostgreSQL chose to join accounts and users first.
CREATE OR REPLACE FUNCTION take_invitation(p_hash bytea) RETURNS void LANGUAGE plpgsql
AS $$
DECLARE
	taken record;
BEGIN
	UPDATE invitations i
	SET accepted_at = now(), version = i.version + 1
	FROM invitation_tokens k, users u, tenants t
	WHERE k.token_hash = p_hash AND i.tenant_id = k.tenant_id AND i.id = k.invitation_id
	  AND u.tenant_id = i.tenant_id AND u.id = i.user_id AND t.id = i.tenant_id AND t.deleted_at IS NULL
	  AND i.accepted_at IS NULL AND invitation_status(i, u.status, u.deleted_at) = 'pending'
	RETURNING i.tenant_id, i.user_id, u.email, realm_of_seat(t.id, u.is_guest) AS realm_id INTO taken;
	IF NOT FOUND THEN
		PERFORM refuse('ZY404', 'Invitation not found');
	END IF;
	PERFORM FROM accounts WHERE id = current_account() AND realm_id = taken.realm_id AND email = taken.email;
	IF NOT FOUND THEN
		PERFORM refuse('ZY403', 'This invitation is for another email than yours');
	END IF;
	PERFORM set_config('app.tenant_id', taken.tenant_id::text, true), set_config('app.user_id', taken.user_id::text, true);
END
$$;
