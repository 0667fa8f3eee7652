-- What says when two people must agree, and who was the first of them, carries a seal under a key outside the database, as rows of
-- people and rights do (000350). Null: written before; a rule is bound when this version first starts, a proposal is made anew.
ALTER TABLE registry.setting ADD COLUMN binding bytea;
ALTER TABLE registry.review ADD COLUMN proposed_binding bytea;
ALTER TABLE registry.bulk ADD COLUMN creator_binding bytea;
