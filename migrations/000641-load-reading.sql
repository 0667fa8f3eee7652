-- A large load first reads the registry into memory: how far that is, so that whoever waits sees it move. Empty at all other times.
ALTER TABLE load.load ADD COLUMN registry_read bigint, ADD COLUMN registry_total bigint;
