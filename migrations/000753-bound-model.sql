-- Which model decides is bound to a key outside the database; what an earlier version wrote is bound once, at the next start.
ALTER TABLE models.in_force ADD COLUMN binding bytea;
