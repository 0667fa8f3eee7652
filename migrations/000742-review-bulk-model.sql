-- Which model's scores a sample of alike reviews was drawn by: what another model finds alike, that sample says nothing about.
-- Groups of earlier versions have none, and are begun anew.
ALTER TABLE registry.bulk ADD COLUMN model_version text;
