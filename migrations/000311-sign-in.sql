-- What signs people in besides a password and one authenticator app, and the policy over it.
ALTER TABLE identity.users DROP CONSTRAINT users_state_check;
ALTER TABLE identity.users ADD CONSTRAINT users_state_check
  CHECK (state IN ('invited', 'active', 'disabled', 'retired'));

ALTER TABLE identity.factors ADD COLUMN sealed_factor_name bytea; -- what the person calls it; null: enrolled before names

-- Passkeys (WebAuthn credentials). Found by the hash of their credential id, which is theirs alone in all the world.
CREATE TABLE identity.passkeys (
  user_id uuid NOT NULL REFERENCES identity.users (id),
  id uuid NOT NULL,
  credential_hash bytea NOT NULL UNIQUE,
  sealed_passkey bytea NOT NULL, -- {"credentialId", "publicKey", "transports", "label"}
  counter bigint NOT NULL,
  backup_eligible boolean NOT NULL,
  backed_up boolean NOT NULL,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz,
  PRIMARY KEY (user_id, id)
);

-- What the server waits for: a passkey's signature over random bytes, or the first code of an authenticator app. Used once.
CREATE TABLE identity.challenges (
  token_hash bytea PRIMARY KEY,
  purpose text NOT NULL,
  -- The session, half-done sign-in or link it was made for; empty for a sign-in by passkey alone.
  owner text NOT NULL,
  sealed_challenge bytea NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX ON identity.challenges (expires_at);

-- Browsers that need no second factor for a while. The token changes at every use; the time counts from the last real factor.
CREATE TABLE identity.trusted_devices (
  user_id uuid NOT NULL REFERENCES identity.users (id),
  id uuid NOT NULL,
  token_hash bytea NOT NULL UNIQUE,
  sealed_browser bytea NOT NULL, -- {"address", "userAgent"}
  factor_at timestamptz NOT NULL,
  last_used_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, id)
);
CREATE INDEX ON identity.trusted_devices (expires_at);

-- How the session was opened: password, code, passkey, recovery-code, trusted-device.
ALTER TABLE identity.sessions ADD COLUMN method text NOT NULL DEFAULT 'code',
  ADD COLUMN step_up_failures int NOT NULL DEFAULT 0;

ALTER TABLE identity.links DROP CONSTRAINT links_kind_check, DROP CONSTRAINT links_check;
ALTER TABLE identity.links
  ADD CONSTRAINT links_kind_check CHECK (kind IN ('setup', 'enrol', 'factor', 'password')),
  ADD CONSTRAINT links_check CHECK ((kind = 'setup') = (user_id IS NULL));

-- The policy in force: one row, what differs from the defaults.
CREATE TABLE identity.policy (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  settings jsonb NOT NULL,
  version int NOT NULL,
  changed_at timestamptz NOT NULL
);

-- Second factor of an organisation, a role or a person; the strictest that applies wins.
CREATE TABLE identity.requirements (
  scope text NOT NULL CHECK (scope IN ('organisation', 'role', 'user')),
  scope_id text NOT NULL,
  second_factor text NOT NULL CHECK (second_factor IN ('off', 'optional', 'required')),
  PRIMARY KEY (scope, scope_id)
);

-- Somebody who may do without a required second factor for a while.
CREATE TABLE identity.exceptions (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES identity.users (id),
  sealed_why bytea NOT NULL,
  approved_by uuid, -- null: the operator at the command line
  granted_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  ended_at timestamptz,
  CHECK (approved_by <> user_id)
);
CREATE INDEX ON identity.exceptions (user_id);

-- Networks that may use a door, or hold a role. No row: any.
CREATE TABLE identity.allowed_networks (
  scope text NOT NULL CHECK (scope IN ('door', 'role')),
  scope_id text NOT NULL,
  networks text[] NOT NULL CHECK (cardinality(networks) > 0),
  PRIMARY KEY (scope, scope_id)
);

-- Networks that have guessed too often, so that an administrator can see and lift it.
CREATE TABLE identity.bans (
  id uuid PRIMARY KEY,
  subject bigint NOT NULL, -- as in identity.attempts
  sealed_network bytea NOT NULL,
  failures int NOT NULL,
  since timestamptz NOT NULL,
  until timestamptz NOT NULL,
  lifted_at timestamptz,
  lifted_by uuid
);
CREATE INDEX ON identity.bans (subject);
CREATE INDEX ON identity.bans (until);

-- What everybody, or some roles, must have read before they go on.
CREATE TABLE identity.notices (
  id uuid PRIMARY KEY,
  sealed_notice bytea NOT NULL, -- {"title", "text"}
  roles text[] NOT NULL, -- empty: everybody
  created_by uuid,
  created_at timestamptz NOT NULL,
  ends_at timestamptz,
  withdrawn_at timestamptz
);
CREATE TABLE identity.acknowledgements (
  notice_id uuid NOT NULL REFERENCES identity.notices (id),
  user_id uuid NOT NULL REFERENCES identity.users (id),
  at timestamptz NOT NULL,
  PRIMARY KEY (notice_id, user_id)
);
CREATE INDEX ON identity.acknowledgements (user_id);

GRANT SELECT, INSERT, UPDATE ON identity.policy, identity.exceptions, identity.bans, identity.notices TO careseal_app;
GRANT SELECT, INSERT ON identity.acknowledgements TO careseal_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.passkeys, identity.challenges, identity.trusted_devices,
  identity.requirements, identity.allowed_networks TO careseal_app;
