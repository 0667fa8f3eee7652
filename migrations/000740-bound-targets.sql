-- Where the log is forwarded to is bound to a key outside the database: a target that somebody else has written gets nothing.
-- Targets of earlier versions are bound once, at the next start.
ALTER TABLE atna.target ADD COLUMN binding bytea;
