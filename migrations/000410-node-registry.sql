-- What is on record about a node beyond its name: what it may do, from where, how often, and in which state it is. Every row
-- that lets somebody in carries a binding: a seal under a key outside the database over the row's facts. A row that
-- somebody else wrote or changed has none that fits, and lets nobody in.
ALTER TABLE nodes.node
  ADD COLUMN activated_at timestamptz,
  ADD COLUMN suspended_at timestamptz,
  ADD COLUMN scopes text[] NOT NULL DEFAULT '{read,search,pix,match,feed}',
  ADD COLUMN networks text[] NOT NULL DEFAULT '{}', -- CIDR; empty: from everywhere
  ADD COLUMN per_minute integer NOT NULL DEFAULT 60000 CHECK (per_minute > 0),
  ADD COLUMN token_required boolean NOT NULL DEFAULT false,
  ADD COLUMN jwks text, -- public keys, JSON
  ADD COLUMN jwks_url text,
  ADD COLUMN sealed_contact bytea, -- names a person
  ADD COLUMN binding bytea;
UPDATE nodes.node SET activated_at = created_at;
GRANT UPDATE (name, activated_at, suspended_at, scopes, networks, per_minute, token_required, jwks, jwks_url, sealed_contact,
  binding) ON nodes.node TO careseal_app;

ALTER TABLE nodes.certificate
  ADD COLUMN origin text NOT NULL DEFAULT 'issued' CHECK (origin IN ('issued', 'trusted', 'foreign')),
  ADD COLUMN serial text NOT NULL DEFAULT '',
  -- Our issuing authority, or the foreign one; null for a certificate that is trusted by itself.
  ADD COLUMN authority_id uuid,
  -- Before not_after: replaced by a newer one, or longer-lived than we trust anything.
  ADD COLUMN ends_at timestamptz,
  ADD COLUMN revocation_reason text,
  -- The last of the 30, 14 and 7 days that people were warned of.
  ADD COLUMN warned_days smallint,
  ADD COLUMN last_seen_at timestamptz,
  ADD COLUMN binding bytea;
GRANT UPDATE (ends_at, revocation_reason, warned_days, last_seen_at, binding) ON nodes.certificate TO careseal_app;

-- One-time tokens by which a node that holds a key asks for its first certificate.
CREATE TABLE nodes.enrolment (
  token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
  node_id uuid NOT NULL REFERENCES nodes.node (id),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  ended_at timestamptz, -- used, or replaced by a newer one
  binding bytea NOT NULL
);
CREATE INDEX enrolment_node ON nodes.enrolment (node_id) WHERE ended_at IS NULL;
GRANT SELECT, INSERT, UPDATE (ended_at, binding) ON nodes.enrolment TO careseal_app;

-- Authorities of others whose certificates may speak for nodes, by name rule.
CREATE TABLE nodes.foreign_authority (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL,
  name text NOT NULL,
  certificate text NOT NULL, -- PEM
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  not_after timestamptz NOT NULL,
  accept_long boolean NOT NULL,
  crl bytea, -- DER, verified when it came
  crl_next_update timestamptz,
  crl_required boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL,
  removed_at timestamptz,
  binding bytea NOT NULL
);
CREATE UNIQUE INDEX foreign_authority_once ON nodes.foreign_authority (sha256) WHERE removed_at IS NULL;
GRANT SELECT, INSERT, UPDATE (crl, crl_next_update, crl_required, removed_at, binding) ON nodes.foreign_authority TO careseal_app;

-- "A certificate of this authority with this name is this node."
CREATE TABLE nodes.name_rule (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES nodes.foreign_authority (id),
  node_id uuid NOT NULL REFERENCES nodes.node (id),
  attribute text NOT NULL CHECK (attribute IN ('cn', 'dns', 'uri', 'email')),
  value text NOT NULL,
  created_at timestamptz NOT NULL,
  removed_at timestamptz,
  binding bytea NOT NULL
);
CREATE UNIQUE INDEX name_rule_once ON nodes.name_rule (authority_id, attribute, value) WHERE removed_at IS NULL;
GRANT SELECT, INSERT, UPDATE (removed_at, binding) ON nodes.name_rule TO careseal_app;

-- The root's key may lie elsewhere. The newest list of revoked certificates of each authority.
ALTER TABLE nodes.authority
  ALTER COLUMN sealed_key DROP NOT NULL,
  ADD COLUMN crl bytea,
  ADD COLUMN crl_number integer NOT NULL DEFAULT 0,
  ADD COLUMN crl_next_update timestamptz,
  ADD CONSTRAINT authority_key CHECK (sealed_key IS NOT NULL OR kind = 'root');
GRANT UPDATE (crl, crl_number, crl_next_update) ON nodes.authority TO careseal_app;

-- Assertions that were used once (RFC 7523 §3: jti), until they would have expired anyway.
CREATE TABLE nodes.used_assertion (
  hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
  expires_at timestamptz NOT NULL
);
CREATE INDEX used_assertion_expiry ON nodes.used_assertion (expires_at);
GRANT SELECT, INSERT, DELETE ON nodes.used_assertion TO careseal_app;
