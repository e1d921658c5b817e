-- Projects: they group a tenant's resources.

CREATE TABLE projects (
	tenant_id uuid NOT NULL CONSTRAINT projects_tenant_id_fkey REFERENCES tenants ON DELETE CASCADE,
	id uuid NOT NULL,
	slug varchar(63) NOT NULL,
	name varchar(200) NOT NULL,
	description varchar(2000),
	status varchar(20) NOT NULL DEFAULT 'active'
		CONSTRAINT projects_status_check CHECK (status IN ('active', 'archived')),
	version bigint NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	deleted_at timestamptz,
	CONSTRAINT projects_pkey PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX projects_tenant_id_slug_key ON projects (tenant_id, slug) WHERE deleted_at IS NULL;
CREATE INDEX projects_created_at_idx ON projects (tenant_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX projects_name_idx ON projects (tenant_id, name, id) WHERE deleted_at IS NULL;
CALL isolate('projects');
