-- Logging in through providers into realms: somebody who has accounts in two of them may link the same identity to both.
ALTER TABLE accounts ADD CONSTRAINT accounts_id_realm_id_key UNIQUE (id, realm_id);

ALTER TABLE oauth_identities ADD COLUMN realm_id uuid NOT NULL DEFAULT '00000000-0000-7000-8000-000000000000';
UPDATE oauth_identities i SET realm_id = a.realm_id FROM accounts a WHERE a.id = i.account_id AND a.realm_id <> i.realm_id;
ALTER TABLE oauth_identities
	DROP CONSTRAINT oauth_identities_account_id_fkey,
	ADD CONSTRAINT oauth_identities_account_id_fkey FOREIGN KEY (account_id, realm_id) REFERENCES accounts (id, realm_id) ON DELETE CASCADE,
	DROP CONSTRAINT oauth_identities_issuer_subject_key,
	ADD CONSTRAINT oauth_identities_realm_id_issuer_subject_key UNIQUE (realm_id, issuer, subject);
