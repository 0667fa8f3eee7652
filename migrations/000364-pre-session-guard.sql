-- Begins a half-done sign-in (password given, code owed) of an account whose password, factors and state are as they were when the
-- password was compared, or fails: hashing takes a while, and what a reset ends in the meantime must not begin after it. Whoever
-- changes an account holds its row, so this waits for them.
CREATE FUNCTION identity.begin_pre_session(
  hash bytea, person uuid, ends timestamptz, bound bytea, account bytea, credentials bytea
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM identity.users u WHERE u.id = person
    AND u.binding IS NOT DISTINCT FROM account AND u.credentials_binding IS NOT DISTINCT FROM credentials
    FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'CS003', MESSAGE = 'account changed meanwhile';
  END IF;
  INSERT INTO identity.pre_sessions (token_hash, user_id, expires_at, binding) VALUES (hash, person, ends, bound);
END $$;
