-- An identity that was linked through an administrator's link opens nothing until the person confirms it with a proof of their own.
-- Its binding covers whether it waits; those linked before were the person's to undo, and stay.
ALTER TABLE identity.external_identities ADD COLUMN pending boolean NOT NULL DEFAULT false;
