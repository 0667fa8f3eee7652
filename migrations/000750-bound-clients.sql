-- Whose a client is is bound to a key outside the database: its organisations, whom it is shared with, and which records stand for it.
-- Rows of earlier versions are bound once, in the background, after the next start.
ALTER TABLE registry.golden ADD COLUMN binding bigint;

-- Which organisation a domain is of, likewise; at the next start.
ALTER TABLE nodes.domain ADD COLUMN binding bytea;
GRANT UPDATE (binding) ON nodes.domain TO careseal_app;
