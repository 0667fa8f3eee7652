-- A filter for something rare must not be answered by walking the whole log backwards by time: so the key that holds the time does
-- not begin with it. Without a filter the log is walked by id, which begins with the time as well.
ALTER TABLE audit.event DROP CONSTRAINT event_pkey1; -- so named because its predecessor's key was still there
ALTER TABLE audit.event ADD CONSTRAINT event_pkey PRIMARY KEY (id, recorded);
