-- Second factors: one-time codes, recovery codes, passkeys. An account's, so reached by zygo_identity alone.

-- A secret that makes one-time codes (RFC 6238), sealed with the aad "totp_factors:<account>".
CREATE TABLE totp_factors (
	account_id uuid CONSTRAINT totp_factors_pkey PRIMARY KEY
		CONSTRAINT totp_factors_account_id_fkey REFERENCES accounts ON DELETE CASCADE,
	secret_sealed bytea NOT NULL,
	enabled_at timestamptz,              -- NULL: shown to the person, who has not given a code of it yet
	last_step bigint NOT NULL DEFAULT 0, -- the newest one whose code was taken: a code is good once
	created_at timestamptz NOT NULL DEFAULT now()
);

-- Codes on paper, each good once; kept as a keyed hash (crypto/token.h).
CREATE TABLE recovery_codes (
	account_id uuid NOT NULL CONSTRAINT recovery_codes_account_id_fkey REFERENCES accounts ON DELETE CASCADE,
	code_hash bytea NOT NULL,
	used_at timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT recovery_codes_pkey PRIMARY KEY (account_id, code_hash)
);

-- Public halves of WebAuthn credentials; the private ones never leave their devices.
CREATE TABLE passkeys (
	id uuid CONSTRAINT passkeys_pkey PRIMARY KEY,
	account_id uuid NOT NULL CONSTRAINT passkeys_account_id_fkey REFERENCES accounts ON DELETE CASCADE,
	credential_id bytea NOT NULL CONSTRAINT passkeys_credential_id_key UNIQUE,
	public_key bytea NOT NULL,           -- DER of a SubjectPublicKeyInfo
	algorithm integer NOT NULL,          -- COSE's number: -7, -8, -257
	sign_count bigint NOT NULL,          -- what the device said last; 0 for good: it does not count
	transports text[] NOT NULL DEFAULT '{}',
	name varchar(100) NOT NULL,
	last_used_at timestamptz,
	version bigint NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX passkeys_account_id_idx ON passkeys (account_id, created_at);

-- Challenges that wait for a device's signature: each is answered once, by whom and for what it was made.
CREATE TABLE passkey_challenges (
	hash bytea CONSTRAINT passkey_challenges_pkey PRIMARY KEY,
	purpose text NOT NULL CONSTRAINT passkey_challenges_purpose_check CHECK (purpose IN ('register', 'login', 'stepUp')),
	account_id uuid CONSTRAINT passkey_challenges_account_id_fkey REFERENCES accounts ON DELETE CASCADE, -- NULL: not known yet
	expires_at timestamptz NOT NULL DEFAULT now() + interval '5 minutes'
);
CREATE INDEX passkey_challenges_expires_at_idx ON passkey_challenges (expires_at);

-- Log-ins whose first factor was right and whose second is waited for: what their mfaToken stands for.
CREATE TABLE mfa_demands (
	token_hash bytea CONSTRAINT mfa_demands_pkey PRIMARY KEY,
	account_id uuid NOT NULL CONSTRAINT mfa_demands_account_id_fkey REFERENCES accounts ON DELETE CASCADE,
	active_tenant_id uuid,               -- as in sessions
	seat_id uuid,
	user_agent text,
	expires_at timestamptz NOT NULL DEFAULT now() + interval '5 minutes'
);
CREATE INDEX mfa_demands_expires_at_idx ON mfa_demands (expires_at);

-- Attempts at a second factor that have not succeeded; as login_attempts, which wait alike (login_delay).
CREATE TABLE mfa_attempts (
	account_id uuid CONSTRAINT mfa_attempts_pkey PRIMARY KEY
		CONSTRAINT mfa_attempts_account_id_fkey REFERENCES accounts ON DELETE CASCADE,
	failures integer NOT NULL,
	locked_until timestamptz,
	last_at timestamptz NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON totp_factors, recovery_codes, passkeys, passkey_challenges, mfa_demands, mfa_attempts
	TO zygo_identity;
GRANT SELECT ON totp_factors, passkeys TO zygo_system;

-- accounts.mfa_enabled, and what the account's seats show of it, say whether there is a factor. Recovery codes are none: they
-- stand in for one, and go with the last.
CREATE FUNCTION factors_changed() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
	of_account uuid := coalesce(NEW.account_id, OLD.account_id);
	has_factor boolean;
BEGIN
	PERFORM FROM accounts WHERE id = of_account FOR NO KEY UPDATE;
	has_factor := EXISTS (SELECT FROM totp_factors WHERE account_id = of_account AND enabled_at IS NOT NULL)
		   OR EXISTS (SELECT FROM passkeys WHERE account_id = of_account);
	UPDATE accounts SET mfa_enabled = has_factor, updated_at = now(), version = version + 1
	WHERE id = of_account AND mfa_enabled <> has_factor;
	IF FOUND THEN
		UPDATE users SET mfa_enabled = has_factor WHERE account_id = of_account AND deleted_at IS NULL;
	END IF;
	IF NOT has_factor THEN
		DELETE FROM recovery_codes WHERE account_id = of_account;
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER factors_changed AFTER INSERT OR DELETE OR UPDATE OF enabled_at ON totp_factors
	FOR EACH ROW EXECUTE FUNCTION factors_changed();
CREATE TRIGGER factors_changed AFTER INSERT OR DELETE ON passkeys
	FOR EACH ROW EXECUTE FUNCTION factors_changed();
