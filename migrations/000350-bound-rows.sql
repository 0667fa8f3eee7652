-- Rows that let somebody in, or say what they may: each carries a seal over its facts under a key outside the database. Who
-- writes to the database alone can change such a row, but makes no binding that fits it. Null: written before, or by nobody
-- of ours; what was there before is bound once, when this version first starts (row-upgrade.ts).
ALTER TABLE identity.users
  ADD COLUMN binding bytea, -- state
  ADD COLUMN credentials_binding bytea; -- password, second factors and unused recovery codes together
ALTER TABLE identity.memberships ADD COLUMN binding bytea;
ALTER TABLE identity.organisations ADD COLUMN binding bytea;
ALTER TABLE identity.roles ADD COLUMN binding bytea;
ALTER TABLE identity.links ADD COLUMN binding bytea;
ALTER TABLE identity.exceptions ADD COLUMN binding bytea;
ALTER TABLE identity.emergencies ADD COLUMN binding bytea;
ALTER TABLE identity.personal_tokens ADD COLUMN binding bytea;
ALTER TABLE identity.providers ADD COLUMN binding bytea;
ALTER TABLE identity.external_identities ADD COLUMN binding bytea;
-- Settings, rules of second factor and networks together: one of them alone can be neither changed nor removed.
ALTER TABLE identity.policy ADD COLUMN binding bytea;

-- What lives for hours only is not bound afterwards: whoever is signed in signs in once more.
DELETE FROM identity.sessions;
DELETE FROM identity.pre_sessions;
DELETE FROM identity.provider_visits;
DELETE FROM identity.challenges;
DELETE FROM identity.trusted_devices;
ALTER TABLE identity.sessions ADD COLUMN binding bytea NOT NULL;
ALTER TABLE identity.pre_sessions ADD COLUMN binding bytea NOT NULL;
ALTER TABLE identity.provider_visits ADD COLUMN binding bytea NOT NULL;
ALTER TABLE identity.trusted_devices ADD COLUMN binding bytea NOT NULL;
