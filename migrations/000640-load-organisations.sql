-- Whose upload and load it is: people of other organisations do not see it. Null: the central organisation's, or the command line's.
ALTER TABLE load.upload ADD COLUMN organisation_id uuid;
ALTER TABLE load.load ADD COLUMN organisation_id uuid;
CREATE INDEX load_organisation ON load.load (organisation_id, started_at);
