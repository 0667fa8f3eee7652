-- Messages that wait to be handed to the mail server. The message (address, subject, text, one-time links) is sealed by the
-- application and gone once it was delivered or given up; what stays for a while is only that there was one.
CREATE SCHEMA mail;
GRANT USAGE ON SCHEMA mail TO careseal_app;

CREATE TABLE mail.spool (
  id uuid PRIMARY KEY,
  kind text NOT NULL, -- what it is about, a short code: 'user.reset', 'alert.new-device'; never whom
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'given-up')),
  sealed_message bytea,
  attempts int NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  next_at timestamptz NOT NULL,
  -- After this nobody needs it any more: a link in it has died.
  expires_at timestamptz NOT NULL,
  last_failure text,
  CHECK ((state = 'waiting') = (sealed_message IS NOT NULL))
);
CREATE INDEX ON mail.spool (next_at) WHERE state = 'waiting';
GRANT SELECT, INSERT, UPDATE, DELETE ON mail.spool TO careseal_app;
