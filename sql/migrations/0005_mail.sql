-- What mails carry and what comes of them: one-time tokens, changes of an email, devices, invitations.

-- A token in a mail, or a code. Made when the mail is sent, so that no queue holds one; kept as a keyed hash (crypto/token.h).
CREATE TABLE one_time_tokens (
	token_hash bytea CONSTRAINT one_time_tokens_pkey PRIMARY KEY,
	kind text NOT NULL CONSTRAINT one_time_tokens_kind_check CHECK (kind IN
		('emailVerification', 'passwordReset', 'emailChangeOld', 'emailChangeNew', 'magicLink', 'emailCode')),
	account_id uuid NOT NULL CONSTRAINT one_time_tokens_account_id_fkey REFERENCES accounts ON DELETE CASCADE,
	email varchar(255) NOT NULL,            -- where it was sent
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	used_at timestamptz
);
CREATE INDEX one_time_tokens_account_id_idx ON one_time_tokens (account_id, kind);
CREATE INDEX one_time_tokens_expires_at_idx ON one_time_tokens (expires_at);

-- A change of an account's email that waits for one or both of its confirmations.
CREATE TABLE email_changes (
	account_id uuid CONSTRAINT email_changes_pkey PRIMARY KEY
		CONSTRAINT email_changes_account_id_fkey REFERENCES accounts ON DELETE CASCADE,
	email varchar(255) NOT NULL CONSTRAINT email_changes_email_check CHECK (email = lower(email)),
	old_confirmed_at timestamptz,
	new_confirmed_at timestamptz,
	created_at timestamptz NOT NULL DEFAULT now()
);

-- What an account has been used from: a log-in from elsewhere is told by mail.
CREATE TABLE known_devices (
	account_id uuid NOT NULL CONSTRAINT known_devices_account_id_fkey REFERENCES accounts ON DELETE CASCADE,
	user_agent text NOT NULL,
	network inet NOT NULL,                  -- of the address: /24, /48
	last_seen_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT known_devices_pkey PRIMARY KEY (account_id, user_agent, network)
);

-- Where somebody is, as exactly as it matters: an address changes within its network without anybody moving.
CREATE FUNCTION network_of(p_ip inet) RETURNS inet LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT coalesce(network(set_masklen(p_ip, CASE family(p_ip) WHEN 4 THEN 24 ELSE 48 END))::inet, '0.0.0.0'::inet) $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON one_time_tokens, email_changes, known_devices TO zygo_identity;

-- Uses a token once, and from here on in this transaction its account acts. Of two at once one comes first, by the row's lock; the
-- other is refused like any token that is used, over, of another kind, or sent to an address that is not the account's any more.
CREATE FUNCTION redeem_token(p_kind text, p_hash bytea) RETURNS void LANGUAGE plpgsql
AS $$
DECLARE
	who uuid;
BEGIN
	UPDATE one_time_tokens t SET used_at = now()
	FROM accounts a
	WHERE t.token_hash = p_hash AND t.kind = p_kind AND t.used_at IS NULL AND t.expires_at > now()
	  AND a.id = t.account_id AND a.deleted_at IS NULL AND (t.email = a.email OR t.kind = 'emailChangeNew')
	RETURNING t.account_id INTO who;
	IF NOT FOUND THEN
		PERFORM refuse('ZY461', 'Invalid or expired token');
	END IF;
	PERFORM set_config('app.account_id', who::text, true);
END
$$;

------------------------------------------------------------------------------------------------------------
-- Invitations: how a pending seat finds its person.

CREATE TABLE invitations (
	tenant_id uuid NOT NULL CONSTRAINT invitations_tenant_id_fkey REFERENCES tenants ON DELETE CASCADE,
	id uuid NOT NULL,
	user_id uuid NOT NULL,                  -- the seat
	invited_by uuid,                        -- whose seat sent it; NULL: the platform itself
	sends integer NOT NULL DEFAULT 1,
	sent_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	accepted_at timestamptz,
	revoked_at timestamptz,
	version bigint NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT invitations_pkey PRIMARY KEY (tenant_id, id),
	CONSTRAINT invitations_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE,
	CONSTRAINT invitations_tenant_id_user_id_key UNIQUE (tenant_id, user_id)
);
CREATE INDEX invitations_created_at_idx ON invitations (tenant_id, created_at, id);
CREATE INDEX invitations_sent_at_idx ON invitations (tenant_id, sent_at);
CALL isolate('invitations');

-- One for each mail that was sent: the link of an earlier one is good as long as the invitation is.
CREATE TABLE invitation_tokens (
	tenant_id uuid NOT NULL CONSTRAINT invitation_tokens_tenant_id_fkey REFERENCES tenants ON DELETE CASCADE,
	invitation_id uuid NOT NULL,
	token_hash bytea NOT NULL CONSTRAINT invitation_tokens_token_hash_key UNIQUE,
	created_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT invitation_tokens_pkey PRIMARY KEY (tenant_id, invitation_id, token_hash),
	CONSTRAINT invitation_tokens_invitation_id_fkey FOREIGN KEY (tenant_id, invitation_id)
		REFERENCES invitations ON DELETE CASCADE
);
CALL isolate('invitation_tokens');
REVOKE ALL ON invitation_tokens FROM zygo_app;

CREATE FUNCTION invitation_status(i invitations, p_user_status text, p_user_deleted_at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN i.accepted_at IS NOT NULL THEN 'accepted'
		    WHEN i.revoked_at IS NOT NULL OR p_user_deleted_at IS NOT NULL OR p_user_status <> 'pending' THEN 'revoked'
		    WHEN i.expires_at <= now() THEN 'expired'
		    ELSE 'pending' END
$$;

-- Accepts an invitation, once, for the account that acts, whose email it must be, in the tenant's realm. Of two at once the second finds
-- it taken. From here on in this transaction the account acts in that tenant, by that seat.
CREATE FUNCTION take_invitation(p_hash bytea) RETURNS void LANGUAGE plpgsql
AS $$
DECLARE
	taken record;
BEGIN
	UPDATE invitations i
	SET accepted_at = now(), version = i.version + 1
	FROM invitation_tokens k, users u, tenants t, accounts a
	WHERE k.token_hash = p_hash AND i.tenant_id = k.tenant_id AND i.id = k.invitation_id
	  AND u.tenant_id = i.tenant_id AND u.id = i.user_id AND t.id = i.tenant_id AND t.deleted_at IS NULL
	  AND i.accepted_at IS NULL AND invitation_status(i, u.status, u.deleted_at) = 'pending' AND a.id = current_account()
	  AND ((a.realm_id = realm_of_seat(t.id, u.is_guest) AND a.email = u.email)
	       OR refuse('ZY403', 'This invitation is for another email than yours'))
	RETURNING i.tenant_id, i.user_id INTO taken;
	IF NOT FOUND THEN
		PERFORM refuse('ZY404', 'Invitation not found');
	END IF;
	PERFORM set_config('app.tenant_id', taken.tenant_id::text, true), set_config('app.user_id', taken.user_id::text, true);
END
$$;

-- Refuses one invitation more than a tenant may send in an hour. The tenant's row makes those who ask take turns.
CREATE FUNCTION invitations_keep_pace(p_max bigint) RETURNS void LANGUAGE plpgsql
AS $$
DECLARE
	sent bigint;
BEGIN
	PERFORM FROM tenants WHERE id = current_tenant() FOR NO KEY UPDATE;
	SELECT count(*) INTO sent FROM invitations
	WHERE tenant_id = current_tenant() AND sent_at > now() - interval '1 hour';
	IF sent >= p_max THEN
		PERFORM refuse('ZY429', 'The tenant has sent as many invitations as it may in an hour', '600');
	END IF;
END
$$;
