-- Which way of making blocking keys the records' keys were made with (KEY_SCHEME in features/matching). A registry that
-- predates the number has keys of the first.
ALTER TABLE models.in_force ADD COLUMN key_scheme integer NOT NULL DEFAULT 1;
ALTER TABLE models.activation DROP CONSTRAINT activation_kind_check;
ALTER TABLE models.activation ADD CONSTRAINT activation_kind_check
  CHECK (kind IN ('promote', 'roll-back', 're-link', 're-key'));
