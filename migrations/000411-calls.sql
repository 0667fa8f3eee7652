-- What nodes asked and how it went: for whoever runs the systems, not for proof (that is the audit log). Method, declared
-- route, status, time and sizes; never a query, an identifier or a body.
CREATE TABLE nodes.call (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  node_id uuid, -- null: nobody we know
  method text NOT NULL,
  route text NOT NULL,
  status smallint NOT NULL,
  code text, -- of the refusal
  duration_ms real NOT NULL,
  bytes_in integer,
  bytes_out integer,
  request_id text NOT NULL
);
CREATE INDEX call_at ON nodes.call (at);
CREATE INDEX call_node ON nodes.call (node_id, id);
CREATE INDEX call_request ON nodes.call (request_id);
GRANT SELECT, INSERT, DELETE ON nodes.call TO careseal_app;

-- All calls, counted by minute: also those that were too many to keep singly.
CREATE TABLE nodes.call_minute (
  minute timestamptz NOT NULL,
  node_id uuid NOT NULL, -- zero: nobody we know
  route text NOT NULL,
  status_class smallint NOT NULL, -- 2, 3, 4, 5
  calls integer NOT NULL,
  total_ms double precision NOT NULL,
  max_ms real NOT NULL,
  -- How many took at most 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000 ms, and longer; each counted once.
  buckets integer[] NOT NULL,
  PRIMARY KEY (minute, node_id, route, status_class)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON nodes.call_minute TO careseal_app;
