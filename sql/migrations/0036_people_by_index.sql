-- Who points to accounts that go: an index of some of the rows is none for a foreign key, which then reads the whole table for each account.
-- Those that these replace go in 0041 and 0042, each in a moment of its own.

CREATE INDEX users_of_account_idx ON users (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX sessions_of_account_idx ON sessions (account_id, created_at);
CREATE INDEX mfa_demands_account_id_idx ON mfa_demands (account_id);
CREATE INDEX passkey_challenges_account_id_idx ON passkey_challenges (account_id) WHERE account_id IS NOT NULL;

-- Sessions that work in a tenant; the seats that somebody had before.
CREATE INDEX sessions_active_tenant_id_idx ON sessions (active_tenant_id) WHERE revoked_at IS NULL AND active_tenant_id IS NOT NULL;
CREATE INDEX users_deleted_email_idx ON users (tenant_id, email) WHERE deleted_at IS NOT NULL;
