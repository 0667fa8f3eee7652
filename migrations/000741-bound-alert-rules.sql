-- Rules for alerts are bound to a key outside the database: one that somebody else has changed or taken away goes on alerting.
-- Rules of earlier versions are bound once, at the next start.
ALTER TABLE alerts.rule ADD COLUMN binding bytea;
