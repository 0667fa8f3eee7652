-- Lists of revoked certificates of foreign authorities that are fetched from where these publish them.
ALTER TABLE nodes.foreign_authority
  ADD COLUMN crl_url text,
  ADD COLUMN crl_tried_at timestamptz,
  -- Why the last try failed, as a code; null after one that succeeded.
  ADD COLUMN crl_failure text,
  -- When it was first told that the list has run out.
  ADD COLUMN crl_stale_told_at timestamptz;
GRANT UPDATE (crl_url, crl_tried_at, crl_failure, crl_stale_told_at) ON nodes.foreign_authority TO careseal_app;
