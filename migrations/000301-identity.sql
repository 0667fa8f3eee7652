-- Who may sign in. A thief of these rows learns nothing: names, addresses, e-mail, password hashes and TOTP secrets are
-- sealed by the application; e-mail is found by a blind token; tokens and recovery codes are kept as hashes.
-- Small tables (tens of thousands of rows): on Citus all of them are reference tables.
CREATE SCHEMA identity;
GRANT USAGE ON SCHEMA identity TO careseal_app;

CREATE TABLE identity.organisations (
  id uuid PRIMARY KEY,
  sealed_name bytea NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE identity.users (
  id uuid PRIMARY KEY,
  state text NOT NULL CHECK (state IN ('invited', 'active', 'disabled')),
  email_token bigint NOT NULL UNIQUE,
  sealed_profile bytea NOT NULL, -- {"name", "email"}
  sealed_password bytea, -- Argon2id, PHC string; null until enrolled and after a reset
  created_at timestamptz NOT NULL,
  last_sign_in_at timestamptz,
  CHECK (state <> 'active' OR sealed_password IS NOT NULL)
);

CREATE TABLE identity.memberships (
  user_id uuid NOT NULL REFERENCES identity.users (id),
  organisation_id uuid NOT NULL REFERENCES identity.organisations (id),
  roles text[] NOT NULL CHECK (roles <@ ARRAY['administrator', 'registrar', 'steward', 'auditor']),
  PRIMARY KEY (user_id, organisation_id)
);

CREATE TABLE identity.factors (
  user_id uuid NOT NULL REFERENCES identity.users (id),
  id uuid NOT NULL,
  kind text NOT NULL CHECK (kind = 'totp'),
  sealed_secret bytea NOT NULL,
  -- The last accepted TOTP step; a code is accepted by raising it, so each works once whatever runs at the same time.
  last_step bigint NOT NULL,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz,
  PRIMARY KEY (user_id, id)
);

CREATE TABLE identity.recovery_codes (
  user_id uuid NOT NULL REFERENCES identity.users (id),
  code_hash bytea NOT NULL,
  used_at timestamptz,
  PRIMARY KEY (user_id, code_hash)
);

CREATE TABLE identity.sessions (
  token_hash bytea PRIMARY KEY,
  id uuid NOT NULL UNIQUE,
  user_id uuid NOT NULL REFERENCES identity.users (id),
  sealed_origin bytea NOT NULL, -- {"address", "userAgent"}
  started_at timestamptz NOT NULL,
  authenticated_at timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  absolute_ends_at timestamptz NOT NULL
);
CREATE INDEX ON identity.sessions (user_id);
CREATE INDEX ON identity.sessions (absolute_ends_at);

-- The password was right, the code is still to come. Never becomes a session: a session gets a token of its own.
CREATE TABLE identity.pre_sessions (
  token_hash bytea PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES identity.users (id),
  codes_tried int NOT NULL DEFAULT 0,
  expires_at timestamptz NOT NULL
);
CREATE INDEX ON identity.pre_sessions (user_id);
CREATE INDEX ON identity.pre_sessions (expires_at);

-- Browsers a person has signed in with (OWASP device cookie): they have a guess counter of their own.
CREATE TABLE identity.devices (
  token_hash bytea NOT NULL,
  user_id uuid NOT NULL REFERENCES identity.users (id),
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (token_hash, user_id)
);
CREATE INDEX ON identity.devices (user_id);

-- One-time links: the first administrator's set-up and everybody's enrolment.
CREATE TABLE identity.links (
  token_hash bytea PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('setup', 'enrol')),
  user_id uuid REFERENCES identity.users (id),
  sealed_draft bytea, -- what was typed at the account step, until a right code confirms it
  expires_at timestamptz NOT NULL,
  CHECK ((kind = 'enrol') = (user_id IS NOT NULL))
);
CREATE INDEX ON identity.links (user_id);

-- Consecutive failures. `subject` is the blind token of an e-mail address (whether it has an account or not) or of a network.
CREATE TABLE identity.attempts (
  subject bigint NOT NULL,
  stage text NOT NULL CHECK (stage IN ('password', 'factor', 'any')),
  kind text NOT NULL CHECK (kind IN ('account', 'unknown-devices', 'device', 'network')),
  device_hash bytea NOT NULL, -- empty but for 'device'
  failures int NOT NULL,
  waits_until timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  PRIMARY KEY (subject, stage, kind, device_hash)
);
CREATE INDEX ON identity.attempts (last_at);

GRANT SELECT, INSERT, UPDATE ON identity.organisations, identity.users, identity.memberships TO careseal_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.factors, identity.recovery_codes, identity.sessions, identity.pre_sessions,
  identity.devices, identity.links, identity.attempts TO careseal_app;
