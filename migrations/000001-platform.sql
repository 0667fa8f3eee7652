-- Basics every feature builds on. The role careseal_owner runs migrations, careseal_app uses what they grant.
-- Nobody gets anything in "public".
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA careseal TO careseal_app;
GRANT SELECT ON careseal.migration TO careseal_app;
