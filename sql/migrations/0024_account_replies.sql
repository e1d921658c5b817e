-- Replies kept for Idempotency-Key whose requests are in no tenant: as idempotency_keys (0001), but an account's.
CREATE TABLE account_idempotency_keys (
	account_id uuid NOT NULL CONSTRAINT account_idempotency_keys_account_id_fkey REFERENCES accounts ON DELETE CASCADE,
	key varchar(255) NOT NULL,
	route text NOT NULL,            -- "POST /organisations"
	digest bytea NOT NULL,          -- of the request
	status integer NOT NULL,
	reply text NOT NULL,            -- sealed
	created_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT account_idempotency_keys_pkey PRIMARY KEY (account_id, key)
);
CREATE INDEX account_idempotency_keys_created_at_idx ON account_idempotency_keys (created_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON account_idempotency_keys TO zygo_identity;
