-- Which days the head of the log has gone out by mail, so that it does once a day, whichever process is at work.
CREATE TABLE audit.mailed_head (
  day date PRIMARY KEY,
  size bigint NOT NULL,
  mailed_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT ON audit.mailed_head TO careseal_app;
