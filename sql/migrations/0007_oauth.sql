-- Logging in through other providers: whose account an identity there is, and log-ins that are under way.

-- The issuer, and not what the settings call it, says who vouches: another issuer under the same name is another one's people.
CREATE TABLE oauth_identities (
	id uuid CONSTRAINT oauth_identities_pkey PRIMARY KEY,
	account_id uuid NOT NULL CONSTRAINT oauth_identities_account_id_fkey REFERENCES accounts ON DELETE CASCADE,
	provider varchar(63) NOT NULL,          -- what the settings called it then
	issuer text NOT NULL,
	subject varchar(255) NOT NULL,          -- who it is there, for good (OpenID Connect Core section 2)
	email varchar(255),                     -- as the provider said it last; nothing depends on it
	created_at timestamptz NOT NULL DEFAULT now(),
	last_used_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT oauth_identities_issuer_subject_key UNIQUE (issuer, subject)
);
CREATE INDEX oauth_identities_account_id_idx ON oauth_identities (account_id, created_at);

-- A browser that was sent to a provider and has not come back. Used once, by the browser that holds the cookie.
CREATE TABLE oauth_states (
	state_hash bytea CONSTRAINT oauth_states_pkey PRIMARY KEY,
	browser_hash bytea NOT NULL,            -- of its cookie
	provider varchar(63) NOT NULL,
	sealed bytea NOT NULL,                  -- PKCE verifier and nonce, with the aad "oauth_states:<state_hash in hex>"
	redirect text NOT NULL,                 -- where in the dashboard it goes then: a path
	session_id uuid CONSTRAINT oauth_states_session_id_fkey REFERENCES sessions ON DELETE CASCADE, -- to link for; NULL: to log in
	expires_at timestamptz NOT NULL DEFAULT now() + interval '10 minutes'
);
CREATE INDEX oauth_states_expires_at_idx ON oauth_states (expires_at);
CREATE INDEX oauth_states_session_id_idx ON oauth_states (session_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON oauth_identities, oauth_states TO zygo_identity;
GRANT SELECT ON oauth_identities TO zygo_system;
