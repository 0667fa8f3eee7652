-- Mappings belong to the organisation that saved them: another one can neither see who saved it nor change what its files become.
-- Those of before stay for everybody to use, and for central people to change: they have no organisation (all zeros).
ALTER TABLE load.mapping ADD COLUMN organisation_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
ALTER TABLE load.mapping DROP CONSTRAINT mapping_pkey;
ALTER TABLE load.mapping ADD PRIMARY KEY (organisation_id, name);
