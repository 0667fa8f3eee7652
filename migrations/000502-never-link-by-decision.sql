-- Two decisions may keep the same pair apart. Each stands until it is taken back itself.
ALTER TABLE registry.never_link DROP CONSTRAINT never_link_pkey, ADD PRIMARY KEY (a, b, entry_id);
