-- Sign-in from an identity provider (OpenID Connect): the providers, whose identity there is which account here, and sign-ins
-- under way. An account is found by issuer and subject and by nothing else.
CREATE TABLE identity.providers (
  id uuid PRIMARY KEY,
  issuer text NOT NULL UNIQUE,
  sealed_provider bytea NOT NULL, -- {"name", "clientId", "clientSecret", "provesSecondFactor": {"amr", "acr"}}
  created_at timestamptz NOT NULL,
  retired_at timestamptz
);
GRANT SELECT, INSERT, UPDATE ON identity.providers TO careseal_app;

CREATE TABLE identity.external_identities (
  provider_id uuid NOT NULL REFERENCES identity.providers (id),
  subject_token bigint NOT NULL, -- blind token of issuer and subject
  user_id uuid NOT NULL REFERENCES identity.users (id),
  id uuid NOT NULL UNIQUE,
  sealed_subject bytea NOT NULL,
  linked_at timestamptz NOT NULL,
  last_used_at timestamptz,
  PRIMARY KEY (provider_id, subject_token)
);
CREATE INDEX external_identities_user ON identity.external_identities (user_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.external_identities TO careseal_app;

-- One row per journey to a provider and back; used by deleting it.
CREATE TABLE identity.provider_visits (
  state_hash bytea PRIMARY KEY,
  browser_hash bytea NOT NULL, -- cookie of the browser that set out
  provider_id uuid NOT NULL REFERENCES identity.providers (id),
  id uuid NOT NULL UNIQUE,
  sealed_visit bytea NOT NULL, -- {"nonce", "codeVerifier", "redirectUri"}
  purpose text NOT NULL CHECK (purpose IN ('sign-in', 'link')),
  user_id uuid REFERENCES identity.users (id), -- whose account is to be linked
  link_hash bytea, -- the one-time link that allows it, where it is not a session
  expires_at timestamptz NOT NULL,
  CHECK ((purpose = 'link') = (user_id IS NOT NULL))
);
CREATE INDEX provider_visits_expires ON identity.provider_visits (expires_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.provider_visits TO careseal_app;
