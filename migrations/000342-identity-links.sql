-- A one-time link that lets a person link their identity at a provider with their account.
ALTER TABLE identity.links DROP CONSTRAINT links_kind_check;
ALTER TABLE identity.links
  ADD CONSTRAINT links_kind_check CHECK (kind IN ('setup', 'enrol', 'factor', 'password', 'identity'));
