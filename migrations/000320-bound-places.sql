-- How far alerts and targets of forwarding have come in the log is bound to a key outside the database: whoever moves such a place on in
-- the database alone has nothing passed over. Places of earlier versions are bound once, at the next start.
ALTER TABLE alerts.state ADD COLUMN sealed_place bytea;
-- The one row is written anew where somebody has taken it away.
GRANT INSERT, UPDATE (sealed_place) ON alerts.state TO careseal_app;
ALTER TABLE atna.target ADD COLUMN sealed_place bytea;
