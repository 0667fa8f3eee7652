-- What witnesses have signed: the line that belongs under the checkpoint of that size (C2SP tlog-cosignature).
CREATE TABLE audit.cosignature (
  size bigint NOT NULL CHECK (size > 0),
  witness text NOT NULL CHECK (length(witness) BETWEEN 1 AND 255),
  line text NOT NULL CHECK (length(line) BETWEEN 1 AND 1000),
  signed_at timestamptz NOT NULL, -- by the witness's clock
  received_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (witness, size)
);
CREATE INDEX cosignature_size ON audit.cosignature (size);
GRANT SELECT, INSERT ON audit.cosignature TO careseal_app;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.cosignature
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
