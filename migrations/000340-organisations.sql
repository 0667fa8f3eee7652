-- Several organisations under one central administration: what each may at most (its ceiling), who belongs to it, roles of its
-- own making, and what ends rights. The first organisation is the central one; its roles reach everything.
ALTER TABLE identity.organisations
  ADD COLUMN central boolean NOT NULL DEFAULT false,
  -- Null: no ceiling. Never set for the central organisation, or nobody could raise it again.
  ADD COLUMN ceiling text[],
  ADD COLUMN retired_at timestamptz,
  ADD CHECK (NOT central OR (ceiling IS NULL AND retired_at IS NULL));
UPDATE identity.organisations SET central = true
  WHERE id = (SELECT id FROM identity.organisations ORDER BY created_at, id LIMIT 1);
CREATE UNIQUE INDEX organisation_central ON identity.organisations (central) WHERE central;

-- A role is the name of a built-in one or the id of a row of identity.roles.
ALTER TABLE identity.memberships DROP CONSTRAINT memberships_roles_check;
ALTER TABLE identity.memberships
  ADD COLUMN joined_at timestamptz NOT NULL DEFAULT now(),
  -- When somebody last looked at these rights and confirmed them.
  ADD COLUMN reviewed_at timestamptz,
  ADD COLUMN reviewed_by uuid;
CREATE INDEX ON identity.memberships (organisation_id, user_id);
GRANT DELETE ON identity.memberships TO careseal_app;

CREATE TABLE identity.roles (
  id uuid PRIMARY KEY,
  sealed_role bytea NOT NULL, -- {"name", "about"}
  permissions text[] NOT NULL,
  created_at timestamptz NOT NULL,
  retired_at timestamptz
);
GRANT SELECT, INSERT, UPDATE ON identity.roles TO careseal_app;

-- Words of names and addresses, each prefix a blind token: lists of ten thousand are searched by them.
ALTER TABLE identity.users ADD COLUMN name_tokens bigint[] NOT NULL DEFAULT '{}';
CREATE INDEX users_name_tokens ON identity.users USING gin (name_tokens);

-- In which of their organisations a person is at work in this session; null: the first they joined.
ALTER TABLE identity.sessions ADD COLUMN organisation_id uuid;

-- Glass broken in an emergency: every client in reach, for a time, with a reason, reviewed by somebody else afterwards.
CREATE TABLE identity.emergencies (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES identity.users (id),
  session_id uuid NOT NULL,
  organisation_id uuid NOT NULL,
  sealed_reason bytea NOT NULL,
  started_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  reviewed_at timestamptz,
  reviewed_by uuid,
  verdict text CHECK (verdict IN ('justified', 'not-justified')),
  sealed_note bytea,
  CHECK ((reviewed_at IS NULL) = (verdict IS NULL) AND (reviewed_at IS NULL) = (reviewed_by IS NULL)),
  CHECK (reviewed_by <> user_id)
);
CREATE INDEX emergencies_session ON identity.emergencies (session_id, ends_at);
CREATE INDEX emergencies_user ON identity.emergencies (user_id, started_at);
CREATE INDEX emergencies_unreviewed ON identity.emergencies (started_at) WHERE reviewed_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON identity.emergencies TO careseal_app;

-- Personal access tokens: a script acts as the person, with fewer rights, for a time. Only hashes are kept.
CREATE TABLE identity.personal_tokens (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES identity.users (id),
  token_hash bytea NOT NULL UNIQUE,
  organisation_id uuid NOT NULL,
  sealed_label bytea NOT NULL,
  permissions text[] NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  last_used_at timestamptz,
  revoked_at timestamptz
);
CREATE INDEX personal_tokens_user ON identity.personal_tokens (user_id, created_at);
GRANT SELECT, INSERT, UPDATE ON identity.personal_tokens TO careseal_app;
