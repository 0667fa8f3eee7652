-- Golden dump of the schema: `npm run schema` writes it, a test compares it. Do not edit.

-- alerts
CREATE SCHEMA alerts;
GRANT USAGE ON SCHEMA alerts TO careseal_app;

CREATE TABLE alerts.alert (
  id uuid NOT NULL,
  rule text NOT NULL,
  subject bigint NOT NULL,
  raised_at timestamp with time zone NOT NULL,
  last_at timestamp with time zone NOT NULL,
  count bigint DEFAULT 1 NOT NULL,
  sealed bytea NOT NULL,
  mailed_at timestamp with time zone,
  acknowledged_at timestamp with time zone,
  closed_at timestamp with time zone,
  sealed_acknowledgement bytea,
  sealed_closing bytea,
  CONSTRAINT alert_pkey PRIMARY KEY (id),
  CONSTRAINT alert_check CHECK (((acknowledged_at IS NULL) = (sealed_acknowledgement IS NULL))),
  CONSTRAINT alert_check1 CHECK (((closed_at IS NULL) = (sealed_closing IS NULL)))
);
CREATE INDEX alert_open ON alerts.alert USING btree (id) WHERE (closed_at IS NULL);
CREATE UNIQUE INDEX alert_subject ON alerts.alert USING btree (rule, subject) WHERE (closed_at IS NULL);
CREATE INDEX alert_unmailed ON alerts.alert USING btree (id) WHERE (mailed_at IS NULL);
GRANT INSERT, SELECT, UPDATE ON alerts.alert TO careseal_app;

CREATE TABLE alerts.network (
  actor bigint NOT NULL,
  network bigint NOT NULL,
  last_at timestamp with time zone NOT NULL,
  CONSTRAINT network_pkey PRIMARY KEY (actor, network)
);
GRANT DELETE, INSERT, SELECT, UPDATE ON alerts.network TO careseal_app;

CREATE TABLE alerts.rule (
  name text NOT NULL,
  settings jsonb NOT NULL,
  binding bytea,
  CONSTRAINT rule_pkey PRIMARY KEY (name)
);
GRANT INSERT, SELECT, UPDATE ON alerts.rule TO careseal_app;

CREATE TABLE alerts.state (
  id smallint NOT NULL,
  next_leaf bigint,
  sealed_recipients bytea,
  last_mail_at timestamp with time zone,
  sealed_place bytea,
  CONSTRAINT state_pkey PRIMARY KEY (id),
  CONSTRAINT state_id_check CHECK ((id = 1))
);
GRANT INSERT, SELECT ON alerts.state TO careseal_app;
GRANT UPDATE (next_leaf, sealed_recipients, last_mail_at, sealed_place) ON alerts.state TO careseal_app;

-- atna
CREATE SCHEMA atna;
GRANT USAGE ON SCHEMA atna TO careseal_app;

CREATE OR REPLACE FUNCTION atna.refuse_unless_erasure()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF OLD.erased_because IS NULL AND NEW.erased_because IS NOT NULL AND NEW.tokens = '{}'
    AND to_jsonb(NEW) - 'sealed' - 'tokens' - 'erased_because' = to_jsonb(OLD) - 'sealed' - 'tokens' - 'erased_because'
    AND EXISTS (SELECT FROM audit.event WHERE id = NEW.erased_because AND event = 'audit.erase' AND outcome = 0)
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'Received audit events are append-only: UPDATE on atna.received is refused'
    USING ERRCODE = 'insufficient_privilege';
END $function$
;

CREATE TABLE atna.received (
  id uuid NOT NULL,
  received_at timestamp with time zone NOT NULL,
  recorded timestamp with time zone NOT NULL,
  transport text NOT NULL,
  node_id uuid,
  understood boolean NOT NULL,
  tokens bigint[] NOT NULL,
  sealed bytea STORAGE EXTERNAL NOT NULL,
  erased_because uuid,
  CONSTRAINT received_pkey PRIMARY KEY (id),
  CONSTRAINT received_transport_check CHECK ((transport = ANY (ARRAY['tls'::text, 'udp'::text, 'fhir'::text])))
);
CREATE INDEX received_erased ON atna.received USING btree (id) WHERE (erased_because IS NOT NULL);
CREATE INDEX received_recorded ON atna.received USING btree (recorded, id);
CREATE INDEX received_tokens ON atna.received USING gin (tokens);
CREATE TRIGGER append_only BEFORE UPDATE ON atna.received FOR EACH ROW EXECUTE FUNCTION atna.refuse_unless_erasure();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON atna.received FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
GRANT INSERT, SELECT ON atna.received TO careseal_app;

CREATE TABLE atna.target (
  id uuid NOT NULL,
  name text NOT NULL,
  protocol text NOT NULL,
  host text NOT NULL,
  port integer NOT NULL,
  path text DEFAULT ''::text NOT NULL,
  authorities text,
  filter jsonb NOT NULL,
  paused boolean DEFAULT false NOT NULL,
  created_at timestamp with time zone NOT NULL,
  removed_at timestamp with time zone,
  next_leaf bigint NOT NULL,
  held_by text,
  held_until timestamp with time zone,
  delivered bigint DEFAULT 0 NOT NULL,
  skipped bigint DEFAULT 0 NOT NULL,
  delivered_at timestamp with time zone,
  failing_since timestamp with time zone,
  failure text,
  sealed_place bytea,
  binding bytea,
  CONSTRAINT target_pkey PRIMARY KEY (id),
  CONSTRAINT target_name_check CHECK (((length(name) >= 1) AND (length(name) <= 80))),
  CONSTRAINT target_next_leaf_check CHECK ((next_leaf >= 0)),
  CONSTRAINT target_port_check CHECK (((port >= 1) AND (port <= 65535))),
  CONSTRAINT target_protocol_check CHECK ((protocol = ANY (ARRAY['tls'::text, 'tcp'::text, 'udp'::text, 'fhir'::text])))
);
CREATE UNIQUE INDEX target_name ON atna.target USING btree (lower(name)) WHERE (removed_at IS NULL);
GRANT INSERT, SELECT, UPDATE ON atna.target TO careseal_app;

-- audit
CREATE SCHEMA audit;
GRANT USAGE ON SCHEMA audit TO careseal_app;

CREATE SEQUENCE audit.batch_seq_seq AS bigint;

CREATE OR REPLACE FUNCTION audit.ensure_month(moment timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
DECLARE
  first date := date_trunc('month', moment AT TIME ZONE 'UTC')::date;
  name text := 'event_' || to_char(first, 'YYYY_MM');
BEGIN
  IF to_regclass('audit.' || name) IS NOT NULL THEN
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('careseal audit.' || name));
  IF to_regclass('audit.' || name) IS NOT NULL THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE TABLE audit.%I (LIKE audit.event INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', name);
  EXECUTE format('ALTER TABLE audit.event ATTACH PARTITION audit.%I FOR VALUES FROM (%L) TO (%L)', name,
    first::text || ' 00:00:00+00', (first + interval '1 month')::date::text || ' 00:00:00+00');
  EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON audit.%I FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse()', name);
END $function$
;
CREATE OR REPLACE FUNCTION audit.refuse()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE EXCEPTION 'The audit log is append-only: % on audit.% is refused', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END $function$
;
CREATE OR REPLACE FUNCTION audit.refuse_unless_erasure()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF to_jsonb(NEW) - 'sealed' - 'because' = to_jsonb(OLD) - 'sealed' - 'because'
    AND (NEW.sealed IS NOT NULL OR NEW.because IS NOT NULL)
    AND EXISTS (SELECT FROM audit.erasure WHERE erasure.batch = OLD.id AND erasure.erased_at = now())
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'The audit log is append-only: UPDATE on audit.batch is refused'
    USING ERRCODE = 'insufficient_privilege';
END $function$
;

CREATE TABLE audit.batch (
  id uuid NOT NULL,
  xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
  seq bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  events integer NOT NULL,
  sealed bytea STORAGE EXTERNAL,
  because uuid,
  former jsonb,
  CONSTRAINT batch_pkey PRIMARY KEY (id),
  CONSTRAINT batch_events_check CHECK (((events >= 1) AND (events <= 256)))
) WITH (toast_tuple_target=8160, fillfactor=100);
CREATE INDEX batch_order ON audit.batch USING btree (xid, seq);
CREATE TRIGGER append_only BEFORE UPDATE ON audit.batch FOR EACH ROW EXECUTE FUNCTION audit.refuse_unless_erasure();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON audit.batch FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
GRANT INSERT (id, events, sealed) ON audit.batch TO careseal_app;
GRANT SELECT ON audit.batch TO careseal_app;

CREATE TABLE audit.checkpoint (
  size bigint NOT NULL,
  root bytea NOT NULL,
  note text NOT NULL,
  signed_at timestamp with time zone NOT NULL,
  through_xid xid8 NOT NULL,
  through_seq bigint NOT NULL,
  era_seq bigint NOT NULL,
  previous bigint NOT NULL,
  CONSTRAINT checkpoint_pkey PRIMARY KEY (size),
  CONSTRAINT checkpoint_check CHECK (((previous >= 0) AND (previous < size))),
  CONSTRAINT checkpoint_previous_key UNIQUE (previous),
  CONSTRAINT checkpoint_root_check CHECK ((length(root) = 32)),
  CONSTRAINT checkpoint_size_check CHECK ((size > 0))
);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit.checkpoint FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
GRANT INSERT, SELECT ON audit.checkpoint TO careseal_app;

CREATE TABLE audit.cosignature (
  size bigint NOT NULL,
  witness text NOT NULL,
  line text NOT NULL,
  signed_at timestamp with time zone NOT NULL,
  received_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT cosignature_pkey PRIMARY KEY (witness, size),
  CONSTRAINT cosignature_line_check CHECK (((length(line) >= 1) AND (length(line) <= 1000))),
  CONSTRAINT cosignature_size_check CHECK ((size > 0)),
  CONSTRAINT cosignature_witness_check CHECK (((length(witness) >= 1) AND (length(witness) <= 255)))
);
CREATE INDEX cosignature_size ON audit.cosignature USING btree (size);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit.cosignature FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
GRANT INSERT, SELECT ON audit.cosignature TO careseal_app;

CREATE TABLE audit.erasure (
  event uuid NOT NULL,
  because uuid NOT NULL,
  erased_at timestamp with time zone DEFAULT now() NOT NULL,
  batch uuid NOT NULL,
  CONSTRAINT erasure_pkey PRIMARY KEY (event)
);
CREATE INDEX erasure_batch ON audit.erasure USING btree (batch);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit.erasure FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
GRANT SELECT ON audit.erasure TO careseal_app;

CREATE TABLE audit.event (
  index bigint NOT NULL,
  id uuid NOT NULL,
  recorded timestamp with time zone NOT NULL,
  actor bigint NOT NULL,
  client bigint,
  address bigint,
  outcome smallint NOT NULL,
  event text NOT NULL,
  actor_kind text NOT NULL,
  commitment bytea STORAGE PLAIN NOT NULL,
  batch uuid NOT NULL,
  place smallint NOT NULL,
  CONSTRAINT event_pkey PRIMARY KEY (id, recorded),
  CONSTRAINT event_index_check CHECK ((index >= 0))
) PARTITION BY RANGE (recorded);
CREATE INDEX event_actor ON ONLY audit.event USING btree (actor, recorded);
CREATE INDEX event_address ON ONLY audit.event USING btree (address, recorded) WHERE (address IS NOT NULL);
CREATE INDEX event_client ON ONLY audit.event USING btree (client, recorded) WHERE (client IS NOT NULL);
CREATE INDEX event_failure ON ONLY audit.event USING btree (outcome, recorded) WHERE (outcome <> 0);
CREATE INDEX event_index ON ONLY audit.event USING btree (index);
CREATE INDEX event_kind ON ONLY audit.event USING btree (actor_kind, recorded) WHERE (actor_kind <> 'node'::text);
CREATE INDEX event_rare ON ONLY audit.event USING btree (event, recorded) WHERE (event <> ALL (ARRAY['client.read'::text, 'client.search'::text]));
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON audit.event FOR EACH ROW EXECUTE FUNCTION audit.refuse();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON audit.event FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
GRANT INSERT, SELECT ON audit.event TO careseal_app;

CREATE TABLE audit.hold (
  id uuid NOT NULL,
  client bigint,
  placed_because uuid NOT NULL,
  placed_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT hold_pkey PRIMARY KEY (id)
);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit.hold FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
GRANT SELECT ON audit.hold TO careseal_app;

CREATE TABLE audit.hold_release (
  hold uuid NOT NULL,
  because uuid NOT NULL,
  released_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT hold_release_pkey PRIMARY KEY (hold)
);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit.hold_release FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
GRANT SELECT ON audit.hold_release TO careseal_app;

CREATE TABLE audit.mailed_head (
  day date NOT NULL,
  size bigint NOT NULL,
  mailed_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT mailed_head_pkey PRIMARY KEY (day)
);
GRANT INSERT, SELECT ON audit.mailed_head TO careseal_app;

CREATE TABLE audit.set_aside (
  batch uuid NOT NULL,
  because uuid NOT NULL,
  set_aside_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT set_aside_pkey PRIMARY KEY (batch)
);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit.set_aside FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
GRANT SELECT ON audit.set_aside TO careseal_app;

CREATE TABLE audit.signer (
  id smallint NOT NULL,
  origin text NOT NULL,
  public_key bytea NOT NULL,
  sealed_seed bytea NOT NULL,
  created_at timestamp with time zone NOT NULL,
  CONSTRAINT signer_pkey PRIMARY KEY (id),
  CONSTRAINT signer_id_check CHECK ((id = 1)),
  CONSTRAINT signer_public_key_check CHECK ((length(public_key) = 32))
);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit.signer FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
GRANT INSERT, SELECT ON audit.signer TO careseal_app;

CREATE TABLE audit.tile (
  level smallint NOT NULL,
  number bigint NOT NULL,
  hashes bytea STORAGE EXTERNAL NOT NULL,
  CONSTRAINT tile_pkey PRIMARY KEY (level, number),
  CONSTRAINT tile_hashes_check CHECK ((length(hashes) = 8192))
);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit.tile FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
GRANT INSERT, SELECT ON audit.tile TO careseal_app;

-- careseal
CREATE SCHEMA careseal;
GRANT USAGE ON SCHEMA careseal TO careseal_app;

CREATE TABLE careseal.migration (
  number integer NOT NULL,
  name text NOT NULL,
  sha256 bytea NOT NULL,
  applied_at timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT migration_pkey PRIMARY KEY (number)
);
GRANT SELECT ON careseal.migration TO careseal_app;

-- identity
CREATE SCHEMA identity;
GRANT USAGE ON SCHEMA identity TO careseal_app;

CREATE OR REPLACE FUNCTION identity.begin_pre_session(hash bytea, person uuid, ends timestamp with time zone, bound bytea, account bytea, credentials bytea)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
BEGIN
  PERFORM FROM identity.users u WHERE u.id = person
    AND u.binding IS NOT DISTINCT FROM account AND u.credentials_binding IS NOT DISTINCT FROM credentials
    FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'CS003', MESSAGE = 'account changed meanwhile';
  END IF;
  INSERT INTO identity.pre_sessions (token_hash, user_id, expires_at, binding) VALUES (hash, person, ends, bound);
END $function$
;
CREATE OR REPLACE FUNCTION identity.charge_attempts(subjects bigint[], stages text[], kinds text[], devices text[], failed integer[], waits timestamp with time zone[], lasts timestamp with time zone[], were_failed integer[], were_waiting timestamp with time zone[])
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
DECLARE touched bigint;
BEGIN
  INSERT INTO identity.attempts AS a (subject, stage, kind, device_hash, failures, waits_until, last_at)
  SELECT n.subject, n.stage, n.kind, decode(n.device, 'hex'), n.failures, n.waits_until, n.last_at
  FROM unnest(subjects, stages, kinds, devices, failed, waits, lasts)
    AS n(subject, stage, kind, device, failures, waits_until, last_at)
  ORDER BY n.kind = 'network', n.subject, n.stage, n.kind, n.device
  ON CONFLICT (subject, stage, kind, device_hash) DO UPDATE
    SET failures = EXCLUDED.failures, waits_until = EXCLUDED.waits_until, last_at = EXCLUDED.last_at
    WHERE (a.failures, a.waits_until) = (
      SELECT w.failures, w.waits_until FROM unnest(subjects, stages, kinds, devices, were_failed, were_waiting)
        AS w(subject, stage, kind, device, failures, waits_until)
      WHERE w.subject = a.subject AND w.stage = a.stage AND w.kind = a.kind AND decode(w.device, 'hex') = a.device_hash);
  GET DIAGNOSTICS touched = ROW_COUNT;
  IF touched < cardinality(subjects) THEN
    RAISE EXCEPTION USING ERRCODE = 'CS001', MESSAGE = 'changed meanwhile';
  END IF;
  RETURN true;
EXCEPTION WHEN SQLSTATE 'CS001' THEN
  RETURN false;
END $function$
;
CREATE OR REPLACE FUNCTION identity.charge_quietly(subjects bigint[], stages text[], kinds text[], devices text[], frees integer[], remembered timestamp with time zone[], looked boolean[], at timestamp with time zone)
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
DECLARE touched bigint;
BEGIN
  IF EXISTS (
    SELECT FROM unnest(subjects, stages, kinds, devices, frees, remembered)
      AS n(subject, stage, kind, device, free, remembered)
    JOIN identity.attempts a ON a.subject = n.subject AND a.stage = n.stage AND a.kind = n.kind
      AND a.device_hash = decode(n.device, 'hex')
    WHERE a.failures + 1 >= n.free OR a.waits_until > at OR a.last_at <= n.remembered
  ) THEN
    RETURN false;
  END IF;
  INSERT INTO identity.attempts AS a (subject, stage, kind, device_hash, failures, waits_until, last_at)
  SELECT n.subject, n.stage, n.kind, decode(n.device, 'hex'), 1, at, at
  FROM unnest(subjects, stages, kinds, devices, looked) AS n(subject, stage, kind, device, looked)
  WHERE NOT n.looked
  ORDER BY n.kind = 'network', n.subject, n.stage, n.kind, n.device
  ON CONFLICT (subject, stage, kind, device_hash) DO UPDATE
    SET failures = a.failures + 1, waits_until = EXCLUDED.waits_until, last_at = EXCLUDED.last_at
    WHERE a.waits_until <= at
      AND a.failures + 1 < (SELECT n.free FROM unnest(kinds, frees) AS n(kind, free) WHERE n.kind = a.kind);
  GET DIAGNOSTICS touched = ROW_COUNT;
  IF touched < cardinality(array_positions(looked, false)) THEN
    RAISE EXCEPTION USING ERRCODE = 'CS001', MESSAGE = 'changed meanwhile';
  END IF;
  RETURN true;
END $function$
;
CREATE OR REPLACE FUNCTION identity.take_step(person uuid, factor uuid, taken bigint, at timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
BEGIN
  UPDATE identity.factors SET last_step = taken, last_used_at = at WHERE user_id = person AND id = factor AND last_step < taken;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'CS002', MESSAGE = 'used up before';
  END IF;
END $function$
;

CREATE TABLE identity.acknowledgements (
  notice_id uuid NOT NULL,
  user_id uuid NOT NULL,
  at timestamp with time zone NOT NULL,
  CONSTRAINT acknowledgements_pkey PRIMARY KEY (notice_id, user_id),
  CONSTRAINT acknowledgements_notice_id_fkey FOREIGN KEY (notice_id) REFERENCES identity.notices(id),
  CONSTRAINT acknowledgements_user_id_fkey FOREIGN KEY (user_id) REFERENCES identity.users(id)
);
CREATE INDEX acknowledgements_user_id_idx ON identity.acknowledgements USING btree (user_id);
GRANT INSERT, SELECT ON identity.acknowledgements TO careseal_app;

CREATE TABLE identity.allowed_networks (
  scope text NOT NULL,
  scope_id text NOT NULL,
  networks text[] NOT NULL,
  CONSTRAINT allowed_networks_pkey PRIMARY KEY (scope, scope_id),
  CONSTRAINT allowed_networks_networks_check CHECK ((cardinality(networks) > 0)),
  CONSTRAINT allowed_networks_scope_check CHECK ((scope = ANY (ARRAY['door'::text, 'role'::text])))
);
GRANT DELETE, INSERT, SELECT, UPDATE ON identity.allowed_networks TO careseal_app;

CREATE TABLE identity.attempts (
  subject bigint NOT NULL,
  stage text NOT NULL,
  kind text NOT NULL,
  device_hash bytea NOT NULL,
  failures integer NOT NULL,
  waits_until timestamp with time zone NOT NULL,
  last_at timestamp with time zone NOT NULL,
  CONSTRAINT attempts_pkey PRIMARY KEY (subject, stage, kind, device_hash),
  CONSTRAINT attempts_kind_check CHECK ((kind = ANY (ARRAY['account'::text, 'unknown-devices'::text, 'device'::text, 'network'::text]))),
  CONSTRAINT attempts_stage_check CHECK ((stage = ANY (ARRAY['password'::text, 'factor'::text, 'any'::text])))
);
GRANT DELETE, INSERT, SELECT, UPDATE ON identity.attempts TO careseal_app;

CREATE TABLE identity.bans (
  id uuid NOT NULL,
  subject bigint NOT NULL,
  sealed_network bytea NOT NULL,
  failures integer NOT NULL,
  since timestamp with time zone NOT NULL,
  until timestamp with time zone NOT NULL,
  lifted_at timestamp with time zone,
  lifted_by uuid,
  CONSTRAINT bans_pkey PRIMARY KEY (id)
);
CREATE INDEX bans_subject_idx ON identity.bans USING btree (subject);
CREATE INDEX bans_until_idx ON identity.bans USING btree (until);
GRANT INSERT, SELECT, UPDATE ON identity.bans TO careseal_app;

CREATE TABLE identity.challenges (
  token_hash bytea NOT NULL,
  purpose text NOT NULL,
  owner text NOT NULL,
  sealed_challenge bytea NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  CONSTRAINT challenges_pkey PRIMARY KEY (token_hash)
);
CREATE INDEX challenges_expires_at_idx ON identity.challenges USING btree (expires_at);
GRANT DELETE, INSERT, SELECT, UPDATE ON identity.challenges TO careseal_app;

CREATE TABLE identity.devices (
  token_hash bytea NOT NULL,
  user_id uuid NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  CONSTRAINT devices_pkey PRIMARY KEY (token_hash, user_id),
  CONSTRAINT devices_user_id_fkey FOREIGN KEY (user_id) REFERENCES identity.users(id)
);
CREATE INDEX devices_user_id_idx ON identity.devices USING btree (user_id);
GRANT DELETE, INSERT, SELECT, UPDATE ON identity.devices TO careseal_app;

CREATE TABLE identity.emergencies (
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  session_id uuid NOT NULL,
  organisation_id uuid NOT NULL,
  sealed_reason bytea NOT NULL,
  started_at timestamp with time zone NOT NULL,
  ends_at timestamp with time zone NOT NULL,
  reviewed_at timestamp with time zone,
  reviewed_by uuid,
  verdict text,
  sealed_note bytea,
  binding bytea,
  CONSTRAINT emergencies_pkey PRIMARY KEY (id),
  CONSTRAINT emergencies_check CHECK ((((reviewed_at IS NULL) = (verdict IS NULL)) AND ((reviewed_at IS NULL) = (reviewed_by IS NULL)))),
  CONSTRAINT emergencies_check1 CHECK ((reviewed_by <> user_id)),
  CONSTRAINT emergencies_user_id_fkey FOREIGN KEY (user_id) REFERENCES identity.users(id),
  CONSTRAINT emergencies_verdict_check CHECK ((verdict = ANY (ARRAY['justified'::text, 'not-justified'::text])))
);
CREATE INDEX emergencies_session ON identity.emergencies USING btree (session_id, ends_at);
CREATE INDEX emergencies_unreviewed ON identity.emergencies USING btree (started_at) WHERE (reviewed_at IS NULL);
CREATE INDEX emergencies_user ON identity.emergencies USING btree (user_id, started_at);
GRANT INSERT, SELECT, UPDATE ON identity.emergencies TO careseal_app;

CREATE TABLE identity.exceptions (
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  sealed_why bytea NOT NULL,
  approved_by uuid,
  granted_at timestamp with time zone NOT NULL,
  ends_at timestamp with time zone NOT NULL,
  ended_at timestamp with time zone,
  binding bytea,
  CONSTRAINT exceptions_pkey PRIMARY KEY (id),
  CONSTRAINT exceptions_check CHECK ((approved_by <> user_id)),
  CONSTRAINT exceptions_user_id_fkey FOREIGN KEY (user_id) REFERENCES identity.users(id)
);
CREATE INDEX exceptions_user_id_idx ON identity.exceptions USING btree (user_id);
GRANT INSERT, SELECT, UPDATE ON identity.exceptions TO careseal_app;

CREATE TABLE identity.external_identities (
  provider_id uuid NOT NULL,
  subject_token bigint NOT NULL,
  user_id uuid NOT NULL,
  id uuid NOT NULL,
  sealed_subject bytea NOT NULL,
  linked_at timestamp with time zone NOT NULL,
  last_used_at timestamp with time zone,
  binding bytea,
  pending boolean DEFAULT false NOT NULL,
  CONSTRAINT external_identities_pkey PRIMARY KEY (provider_id, subject_token),
  CONSTRAINT external_identities_id_key UNIQUE (id),
  CONSTRAINT external_identities_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES identity.providers(id),
  CONSTRAINT external_identities_user_id_fkey FOREIGN KEY (user_id) REFERENCES identity.users(id)
);
CREATE INDEX external_identities_user ON identity.external_identities USING btree (user_id);
GRANT DELETE, INSERT, SELECT, UPDATE ON identity.external_identities TO careseal_app;

CREATE TABLE identity.factors (
  user_id uuid NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL,
  sealed_secret bytea NOT NULL,
  last_step bigint NOT NULL,
  created_at timestamp with time zone NOT NULL,
  last_used_at timestamp with time zone,
  sealed_factor_name bytea,
  CONSTRAINT factors_pkey PRIMARY KEY (user_id, id),
  CONSTRAINT factors_kind_check CHECK ((kind = 'totp'::text)),
  CONSTRAINT factors_user_id_fkey FOREIGN KEY (user_id) REFERENCES identity.users(id)
);
GRANT DELETE, INSERT, SELECT, UPDATE ON identity.factors TO careseal_app;

CREATE TABLE identity.links (
  token_hash bytea NOT NULL,
  kind text NOT NULL,
  user_id uuid,
  sealed_draft bytea,
  expires_at timestamp with time zone NOT NULL,
  binding bytea,
  CONSTRAINT links_pkey PRIMARY KEY (token_hash),
  CONSTRAINT links_check CHECK (((kind = 'setup'::text) = (user_id IS NULL))),
  CONSTRAINT links_kind_check CHECK ((kind = ANY (ARRAY['setup'::text, 'enrol'::text, 'factor'::text, 'password'::text, 'identity'::text]))),
  CONSTRAINT links_user_id_fkey FOREIGN KEY (user_id) REFERENCES identity.users(id)
);
CREATE INDEX links_user_id_idx ON identity.links USING btree (user_id);
GRANT DELETE, INSERT, SELECT, UPDATE ON identity.links TO careseal_app;

CREATE TABLE identity.memberships (
  user_id uuid NOT NULL,
  organisation_id uuid NOT NULL,
  roles text[] NOT NULL,
  joined_at timestamp with time zone DEFAULT now() NOT NULL,
  reviewed_at timestamp with time zone,
  reviewed_by uuid,
  binding bytea,
  CONSTRAINT memberships_pkey PRIMARY KEY (user_id, organisation_id),
  CONSTRAINT memberships_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES identity.organisations(id),
  CONSTRAINT memberships_user_id_fkey FOREIGN KEY (user_id) REFERENCES identity.users(id)
);
CREATE INDEX memberships_organisation_id_user_id_idx ON identity.memberships USING btree (organisation_id, user_id);
GRANT DELETE, INSERT, SELECT, UPDATE ON identity.memberships TO careseal_app;

CREATE TABLE identity.notices (
  id uuid NOT NULL,
  sealed_notice bytea NOT NULL,
  roles text[] NOT NULL,
  created_by uuid,
  created_at timestamp with time zone NOT NULL,
  ends_at timestamp with time zone,
  withdrawn_at timestamp with time zone,
  CONSTRAINT notices_pkey PRIMARY KEY (id)
);
GRANT INSERT, SELECT, UPDATE ON identity.notices TO careseal_app;

CREATE TABLE identity.organisations (
  id uuid NOT NULL,
  sealed_name bytea NOT NULL,
  created_at timestamp with time zone NOT NULL,
  central boolean DEFAULT false NOT NULL,
  ceiling text[],
  retired_at timestamp with time zone,
  binding bytea,
  CONSTRAINT organisations_pkey PRIMARY KEY (id),
  CONSTRAINT organisations_check CHECK (((NOT central) OR ((ceiling IS NULL) AND (retired_at IS NULL))))
);
CREATE UNIQUE INDEX organisation_central ON identity.organisations USING btree (central) WHERE central;
GRANT INSERT, SELECT, UPDATE ON identity.organisations TO careseal_app;

CREATE TABLE identity.passkeys (
  user_id uuid NOT NULL,
  id uuid NOT NULL,
  credential_hash bytea NOT NULL,
  sealed_passkey bytea NOT NULL,
  counter bigint NOT NULL,
  backup_eligible boolean NOT NULL,
  backed_up boolean NOT NULL,
  created_at timestamp with time zone NOT NULL,
  last_used_at timestamp with time zone,
  CONSTRAINT passkeys_pkey PRIMARY KEY (user_id, id),
  CONSTRAINT passkeys_credential_hash_key UNIQUE (credential_hash),
  CONSTRAINT passkeys_user_id_fkey FOREIGN KEY (user_id) REFERENCES identity.users(id)
);
GRANT DELETE, INSERT, SELECT, UPDATE ON identity.passkeys TO careseal_app;

CREATE TABLE identity.personal_tokens (
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  token_hash bytea NOT NULL,
  organisation_id uuid NOT NULL,
  sealed_label bytea NOT NULL,
  permissions text[] NOT NULL,
  created_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  last_used_at timestamp with time zone,
  revoked_at timestamp with time zone,
  binding bytea,
  CONSTRAINT personal_tokens_pkey PRIMARY KEY (id),
  CONSTRAINT personal_tokens_token_hash_key UNIQUE (token_hash),
  CONSTRAINT personal_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES identity.users(id)
);
CREATE INDEX personal_tokens_user ON identity.personal_tokens USING btree (user_id, created_at);
GRANT INSERT, SELECT, UPDATE ON identity.personal_tokens TO careseal_app;

CREATE TABLE identity.policy (
  one boolean DEFAULT true NOT NULL,
  settings jsonb NOT NULL,
  version integer NOT NULL,
  changed_at timestamp with time zone NOT NULL,
  binding bytea,
  CONSTRAINT policy_pkey PRIMARY KEY (one),
  CONSTRAINT policy_one_check CHECK (one)
);
GRANT INSERT, SELECT, UPDATE ON identity.policy TO careseal_app;

CREATE TABLE identity.pre_sessions (
  token_hash bytea NOT NULL,
  user_id uuid NOT NULL,
  codes_tried integer DEFAULT 0 NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  binding bytea NOT NULL,
  CONSTRAINT pre_sessions_pkey PRIMARY KEY (token_hash),
  CONSTRAINT pre_sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES identity.users(id)
);
CREATE INDEX pre_sessions_expires_at_idx ON identity.pre_sessions USING btree (expires_at);
CREATE INDEX pre_sessions_user_id_idx ON identity.pre_sessions USING btree (user_id);
GRANT DELETE, INSERT, SELECT, UPDATE ON identity.pre_sessions TO careseal_app;

CREATE TABLE identity.provider_visits (
  state_hash bytea NOT NULL,
  browser_hash bytea NOT NULL,
  provider_id uuid NOT NULL,
  id uuid NOT NULL,
  sealed_visit bytea NOT NULL,
  purpose text NOT NULL,
  user_id uuid,
  link_hash bytea,
  expires_at timestamp with time zone NOT NULL,
  binding bytea NOT NULL,
  CONSTRAINT provider_visits_pkey PRIMARY KEY (state_hash),
  CONSTRAINT provider_visits_check CHECK (((purpose = 'link'::text) = (user_id IS NOT NULL))),
  CONSTRAINT provider_visits_id_key UNIQUE (id),
  CONSTRAINT provider_visits_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES identity.providers(id),
  CONSTRAINT provider_visits_purpose_check CHECK ((purpose = ANY (ARRAY['sign-in'::text, 'link'::text]))),
  CONSTRAINT provider_visits_user_id_fkey FOREIGN KEY (user_id) REFERENCES identity.users(id)
);
CREATE INDEX provider_visits_expires ON identity.provider_visits USING btree (expires_at);
GRANT DELETE, INSERT, SELECT, UPDATE ON identity.provider_visits TO careseal_app;

CREATE TABLE identity.providers (
  id uuid NOT NULL,
  issuer text NOT NULL,
  sealed_provider bytea NOT NULL,
  created_at timestamp with time zone NOT NULL,
  retired_at timestamp with time zone,
  binding bytea,
  CONSTRAINT providers_pkey PRIMARY KEY (id),
  CONSTRAINT providers_issuer_key UNIQUE (issuer)
);
GRANT INSERT, SELECT, UPDATE ON identity.providers TO careseal_app;

CREATE TABLE identity.recovery_codes (
  user_id uuid NOT NULL,
  code_hash bytea NOT NULL,
  used_at timestamp with time zone,
  CONSTRAINT recovery_codes_pkey PRIMARY KEY (user_id, code_hash),
  CONSTRAINT recovery_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES identity.users(id)
);
GRANT DELETE, INSERT, SELECT, UPDATE ON identity.recovery_codes TO careseal_app;

CREATE TABLE identity.requirements (
  scope text NOT NULL,
  scope_id text NOT NULL,
  second_factor text NOT NULL,
  CONSTRAINT requirements_pkey PRIMARY KEY (scope, scope_id),
  CONSTRAINT requirements_scope_check CHECK ((scope = ANY (ARRAY['organisation'::text, 'role'::text, 'user'::text]))),
  CONSTRAINT requirements_second_factor_check CHECK ((second_factor = ANY (ARRAY['off'::text, 'optional'::text, 'required'::text])))
);
GRANT DELETE, INSERT, SELECT, UPDATE ON identity.requirements TO careseal_app;

CREATE TABLE identity.roles (
  id uuid NOT NULL,
  sealed_role bytea NOT NULL,
  permissions text[] NOT NULL,
  created_at timestamp with time zone NOT NULL,
  retired_at timestamp with time zone,
  binding bytea,
  CONSTRAINT roles_pkey PRIMARY KEY (id)
);
GRANT INSERT, SELECT, UPDATE ON identity.roles TO careseal_app;

CREATE TABLE identity.sessions (
  token_hash bytea NOT NULL,
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  sealed_origin bytea NOT NULL,
  started_at timestamp with time zone NOT NULL,
  authenticated_at timestamp with time zone NOT NULL,
  last_seen_at timestamp with time zone NOT NULL,
  absolute_ends_at timestamp with time zone NOT NULL,
  method text DEFAULT 'code'::text NOT NULL,
  step_up_failures integer DEFAULT 0 NOT NULL,
  organisation_id uuid,
  binding bytea NOT NULL,
  CONSTRAINT sessions_pkey PRIMARY KEY (token_hash),
  CONSTRAINT sessions_id_key UNIQUE (id),
  CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES identity.users(id)
);
CREATE INDEX sessions_absolute_ends_at_idx ON identity.sessions USING btree (absolute_ends_at);
CREATE INDEX sessions_user_id_idx ON identity.sessions USING btree (user_id);
GRANT DELETE, INSERT, SELECT, UPDATE ON identity.sessions TO careseal_app;

CREATE TABLE identity.trusted_devices (
  user_id uuid NOT NULL,
  id uuid NOT NULL,
  token_hash bytea NOT NULL,
  sealed_browser bytea NOT NULL,
  factor_at timestamp with time zone NOT NULL,
  last_used_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  binding bytea NOT NULL,
  CONSTRAINT trusted_devices_pkey PRIMARY KEY (user_id, id),
  CONSTRAINT trusted_devices_token_hash_key UNIQUE (token_hash),
  CONSTRAINT trusted_devices_user_id_fkey FOREIGN KEY (user_id) REFERENCES identity.users(id)
);
CREATE INDEX trusted_devices_expires_at_idx ON identity.trusted_devices USING btree (expires_at);
GRANT DELETE, INSERT, SELECT, UPDATE ON identity.trusted_devices TO careseal_app;

CREATE TABLE identity.users (
  id uuid NOT NULL,
  state text NOT NULL,
  email_token bigint NOT NULL,
  sealed_profile bytea NOT NULL,
  sealed_password bytea,
  created_at timestamp with time zone NOT NULL,
  last_sign_in_at timestamp with time zone,
  name_tokens bigint[] DEFAULT '{}'::bigint[] NOT NULL,
  binding bytea,
  credentials_binding bytea,
  CONSTRAINT users_pkey PRIMARY KEY (id),
  CONSTRAINT users_check CHECK (((state <> 'active'::text) OR (sealed_password IS NOT NULL))),
  CONSTRAINT users_email_token_key UNIQUE (email_token),
  CONSTRAINT users_state_check CHECK ((state = ANY (ARRAY['invited'::text, 'active'::text, 'disabled'::text, 'retired'::text])))
);
CREATE INDEX users_name_tokens ON identity.users USING gin (name_tokens);
GRANT INSERT, SELECT, UPDATE ON identity.users TO careseal_app;

-- jobs
CREATE SCHEMA jobs;
GRANT USAGE ON SCHEMA jobs TO careseal_app;

CREATE TABLE jobs.job (
  id uuid NOT NULL,
  kind text NOT NULL,
  state text DEFAULT 'waiting'::text NOT NULL,
  payload jsonb NOT NULL,
  progress jsonb,
  attempts integer DEFAULT 0 NOT NULL,
  run_after timestamp with time zone DEFAULT now() NOT NULL,
  runner text,
  lease_until timestamp with time zone,
  cancel_requested boolean DEFAULT false NOT NULL,
  error_code text,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  CONSTRAINT job_pkey PRIMARY KEY (id),
  CONSTRAINT job_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text, 'done'::text, 'failed'::text, 'cancelled'::text])))
);
CREATE INDEX job_kind ON jobs.job USING btree (kind, created_at);
CREATE INDEX job_open ON jobs.job USING btree (run_after) WHERE (state = ANY (ARRAY['waiting'::text, 'running'::text]));
GRANT INSERT, SELECT, UPDATE ON jobs.job TO careseal_app;

-- keys
CREATE SCHEMA keys;
GRANT USAGE ON SCHEMA keys TO careseal_app;

CREATE SEQUENCE keys.key_id AS integer;
GRANT USAGE ON SEQUENCE keys.key_id TO careseal_app;

CREATE TABLE keys.key (
  id integer NOT NULL,
  purpose text NOT NULL,
  family text NOT NULL,
  state text NOT NULL,
  wrapped bytea,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  state_since timestamp with time zone DEFAULT now() NOT NULL,
  CONSTRAINT key_pkey PRIMARY KEY (id),
  CONSTRAINT key_check CHECK (((purpose = 'key-encryption'::text) = (family = 'all'::text))),
  CONSTRAINT key_check1 CHECK (((state = 'destroyed'::text) = (wrapped IS NULL))),
  CONSTRAINT key_family_check CHECK ((family = ANY (ARRAY['all'::text, 'record'::text, 'audit'::text]))),
  CONSTRAINT key_purpose_check CHECK ((purpose = ANY (ARRAY['key-encryption'::text, 'data'::text, 'index'::text]))),
  CONSTRAINT key_state_check CHECK ((state = ANY (ARRAY['announced'::text, 'current'::text, 'retiring'::text, 'destroyed'::text])))
);
CREATE UNIQUE INDEX key_announced ON keys.key USING btree (purpose, family) WHERE (state = 'announced'::text);
CREATE UNIQUE INDEX key_current ON keys.key USING btree (purpose, family) WHERE (state = 'current'::text);
GRANT INSERT, SELECT, UPDATE ON keys.key TO careseal_app;

CREATE TABLE keys.rotation (
  id uuid NOT NULL,
  kind text NOT NULL,
  old_key integer NOT NULL,
  new_key integer NOT NULL,
  started_at timestamp with time zone DEFAULT now() NOT NULL,
  finished_at timestamp with time zone,
  CONSTRAINT rotation_pkey PRIMARY KEY (id),
  CONSTRAINT rotation_kind_check CHECK ((kind = ANY (ARRAY['data'::text, 'index'::text])))
);
CREATE UNIQUE INDEX rotation_running ON keys.rotation USING btree ((true)) WHERE (finished_at IS NULL);
GRANT INSERT, SELECT, UPDATE ON keys.rotation TO careseal_app;

CREATE TABLE keys.rotation_part (
  rotation_id uuid NOT NULL,
  participant text NOT NULL,
  total bigint NOT NULL,
  done bigint DEFAULT 0 NOT NULL,
  cursor text,
  finished boolean DEFAULT false NOT NULL,
  CONSTRAINT rotation_part_pkey PRIMARY KEY (rotation_id, participant)
);
GRANT INSERT, SELECT, UPDATE ON keys.rotation_part TO careseal_app;

-- load
CREATE SCHEMA load;
GRANT USAGE ON SCHEMA load TO careseal_app;

CREATE TABLE load.load (
  load_id uuid NOT NULL,
  state text NOT NULL,
  upload_id uuid,
  format text NOT NULL,
  domain text NOT NULL,
  dry_run boolean NOT NULL,
  bytes_total bigint NOT NULL,
  bytes_done bigint DEFAULT 0 NOT NULL,
  rows_done bigint DEFAULT 0 NOT NULL,
  count_read bigint DEFAULT 0 NOT NULL,
  count_created bigint DEFAULT 0 NOT NULL,
  count_updated bigint DEFAULT 0 NOT NULL,
  count_unchanged bigint DEFAULT 0 NOT NULL,
  count_linked bigint DEFAULT 0 NOT NULL,
  count_reviews bigint DEFAULT 0 NOT NULL,
  count_rejected bigint DEFAULT 0 NOT NULL,
  count_warnings bigint DEFAULT 0 NOT NULL,
  work_ms bigint DEFAULT 0 NOT NULL,
  error_code text,
  started_at timestamp with time zone NOT NULL,
  touched_at timestamp with time zone NOT NULL,
  finished_at timestamp with time zone,
  detail bytea NOT NULL,
  organisation_id uuid,
  registry_read bigint,
  registry_total bigint,
  CONSTRAINT load_pkey PRIMARY KEY (load_id),
  CONSTRAINT load_format_check CHECK ((format = ANY (ARRAY['csv'::text, 'ndjson'::text]))),
  CONSTRAINT load_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text, 'done'::text, 'failed'::text, 'cancelled'::text])))
);
CREATE INDEX load_organisation ON load.load USING btree (organisation_id, started_at);
CREATE INDEX load_started_at ON load.load USING btree (started_at);
GRANT INSERT, SELECT, UPDATE ON load.load TO careseal_app;

CREATE TABLE load.mapping (
  name text NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  detail bytea NOT NULL,
  organisation_id uuid DEFAULT '00000000-0000-0000-0000-000000000000'::uuid NOT NULL,
  CONSTRAINT mapping_pkey PRIMARY KEY (organisation_id, name)
);
GRANT DELETE, INSERT, SELECT, UPDATE ON load.mapping TO careseal_app;

CREATE TABLE load.notice (
  load_id uuid NOT NULL,
  kind text NOT NULL,
  seq bigint NOT NULL,
  rows integer NOT NULL,
  content bytea NOT NULL,
  CONSTRAINT notice_pkey PRIMARY KEY (load_id, kind, seq),
  CONSTRAINT notice_kind_check CHECK ((kind = ANY (ARRAY['rejected'::text, 'warning'::text])))
);
GRANT DELETE, INSERT, SELECT, UPDATE ON load.notice TO careseal_app;

CREATE TABLE load.upload (
  upload_id uuid NOT NULL,
  size_bytes bigint NOT NULL,
  format text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  load_id uuid,
  detail bytea NOT NULL,
  organisation_id uuid,
  CONSTRAINT upload_pkey PRIMARY KEY (upload_id),
  CONSTRAINT upload_format_check CHECK ((format = ANY (ARRAY['csv'::text, 'ndjson'::text])))
);
CREATE INDEX upload_expires_at ON load.upload USING btree (expires_at);
GRANT DELETE, INSERT, SELECT, UPDATE ON load.upload TO careseal_app;

CREATE TABLE load.upload_piece (
  upload_id uuid NOT NULL,
  seq integer NOT NULL,
  content bytea STORAGE EXTERNAL NOT NULL,
  CONSTRAINT upload_piece_pkey PRIMARY KEY (upload_id, seq)
);
GRANT DELETE, INSERT, SELECT, UPDATE ON load.upload_piece TO careseal_app;

-- mail
CREATE SCHEMA mail;
GRANT USAGE ON SCHEMA mail TO careseal_app;

CREATE TABLE mail.spool (
  id uuid NOT NULL,
  kind text NOT NULL,
  state text DEFAULT 'waiting'::text NOT NULL,
  sealed_message bytea,
  attempts integer DEFAULT 0 NOT NULL,
  created_at timestamp with time zone NOT NULL,
  next_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  last_failure text,
  CONSTRAINT spool_pkey PRIMARY KEY (id),
  CONSTRAINT spool_check CHECK (((state = 'waiting'::text) = (sealed_message IS NOT NULL))),
  CONSTRAINT spool_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'given-up'::text])))
);
CREATE INDEX spool_next_at_idx ON mail.spool USING btree (next_at) WHERE (state = 'waiting'::text);
GRANT DELETE, INSERT, SELECT, UPDATE ON mail.spool TO careseal_app;

-- models
CREATE SCHEMA models;
GRANT USAGE ON SCHEMA models TO careseal_app;

CREATE TABLE models.activation (
  activation_id uuid NOT NULL,
  from_model uuid NOT NULL,
  to_model uuid NOT NULL,
  kind text NOT NULL,
  at timestamp with time zone NOT NULL,
  by_user uuid,
  undoes uuid,
  job_id uuid NOT NULL,
  finished_at timestamp with time zone,
  undone_at timestamp with time zone,
  CONSTRAINT activation_pkey PRIMARY KEY (activation_id),
  CONSTRAINT activation_kind_check CHECK ((kind = ANY (ARRAY['promote'::text, 'roll-back'::text, 're-link'::text, 're-key'::text])))
);
CREATE INDEX activation_at ON models.activation USING btree (at);
GRANT INSERT, SELECT ON models.activation TO careseal_app;
GRANT UPDATE (job_id, finished_at, undone_at) ON models.activation TO careseal_app;

CREATE TABLE models.in_force (
  only_row boolean DEFAULT true NOT NULL,
  active uuid NOT NULL,
  former uuid[] DEFAULT '{}'::uuid[] NOT NULL,
  shadow uuid,
  changed_at timestamp with time zone NOT NULL,
  key_scheme integer DEFAULT 1 NOT NULL,
  binding bytea,
  CONSTRAINT in_force_pkey PRIMARY KEY (only_row),
  CONSTRAINT in_force_only_row_check CHECK (only_row)
);
GRANT INSERT, SELECT, UPDATE ON models.in_force TO careseal_app;

CREATE TABLE models.model (
  model_id uuid NOT NULL,
  version text NOT NULL,
  origin text NOT NULL,
  content_hash bytea NOT NULL,
  document bytea NOT NULL,
  detail bytea NOT NULL,
  created_at timestamp with time zone NOT NULL,
  created_by uuid,
  proposed_by uuid,
  proposed_at timestamp with time zone,
  CONSTRAINT model_pkey PRIMARY KEY (model_id),
  CONSTRAINT model_check CHECK (((proposed_by IS NULL) = (proposed_at IS NULL))),
  CONSTRAINT model_origin_check CHECK ((origin = ANY (ARRAY['shipped'::text, 'trained'::text, 'uploaded'::text, 'adjusted'::text, 'opencr-rules'::text]))),
  CONSTRAINT model_version_key UNIQUE (version)
);
GRANT INSERT, SELECT ON models.model TO careseal_app;
GRANT UPDATE (document, detail, proposed_by, proposed_at) ON models.model TO careseal_app;

CREATE TABLE models.shadow_example (
  shadow uuid NOT NULL,
  example_id uuid NOT NULL,
  at timestamp with time zone NOT NULL,
  detail bytea NOT NULL,
  CONSTRAINT shadow_example_pkey PRIMARY KEY (shadow, example_id)
);
GRANT DELETE, INSERT, SELECT ON models.shadow_example TO careseal_app;
GRANT UPDATE (detail) ON models.shadow_example TO careseal_app;

CREATE TABLE models.shadow_tally (
  shadow uuid NOT NULL,
  active uuid NOT NULL,
  day date NOT NULL,
  outcome text NOT NULL,
  count bigint NOT NULL,
  CONSTRAINT shadow_tally_pkey PRIMARY KEY (shadow, active, day, outcome)
);
GRANT INSERT, SELECT, UPDATE ON models.shadow_tally TO careseal_app;

CREATE TABLE models.study (
  study_id uuid NOT NULL,
  kind text NOT NULL,
  model_id uuid,
  created_at timestamp with time zone NOT NULL,
  created_by uuid,
  request bytea NOT NULL,
  report bytea,
  finished_at timestamp with time zone,
  CONSTRAINT study_pkey PRIMARY KEY (study_id),
  CONSTRAINT study_kind_check CHECK ((kind = ANY (ARRAY['training'::text, 'simulation'::text, 'evaluation'::text, 'clusters'::text])))
);
CREATE INDEX study_created ON models.study USING btree (created_at);
GRANT DELETE, INSERT, SELECT ON models.study TO careseal_app;
GRANT UPDATE (model_id, request, report, finished_at) ON models.study TO careseal_app;

-- nodes
CREATE SCHEMA nodes;
GRANT USAGE ON SCHEMA nodes TO careseal_app;

CREATE SEQUENCE nodes.call_id_seq AS bigint;
CREATE SEQUENCE nodes.domain_id_seq AS integer;

CREATE TABLE nodes.authority (
  id uuid NOT NULL,
  kind text NOT NULL,
  certificate text NOT NULL,
  sealed_key bytea,
  not_after timestamp with time zone NOT NULL,
  created_at timestamp with time zone NOT NULL,
  crl bytea,
  crl_number integer DEFAULT 0 NOT NULL,
  crl_next_update timestamp with time zone,
  CONSTRAINT authority_pkey PRIMARY KEY (id),
  CONSTRAINT authority_key CHECK (((sealed_key IS NOT NULL) OR (kind = 'root'::text))),
  CONSTRAINT authority_kind_check CHECK ((kind = ANY (ARRAY['root'::text, 'issuing'::text])))
);
GRANT INSERT, SELECT ON nodes.authority TO careseal_app;
GRANT UPDATE (sealed_key, crl, crl_number, crl_next_update) ON nodes.authority TO careseal_app;

CREATE TABLE nodes.call (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  at timestamp with time zone NOT NULL,
  node_id uuid,
  method text NOT NULL,
  route text NOT NULL,
  status smallint NOT NULL,
  code text,
  duration_ms real NOT NULL,
  bytes_in integer,
  bytes_out integer,
  request_id text NOT NULL,
  CONSTRAINT call_pkey PRIMARY KEY (id)
);
CREATE INDEX call_at ON nodes.call USING btree (at);
CREATE INDEX call_node ON nodes.call USING btree (node_id, id);
CREATE INDEX call_request ON nodes.call USING btree (request_id);
GRANT DELETE, INSERT, SELECT ON nodes.call TO careseal_app;

CREATE TABLE nodes.call_minute (
  minute timestamp with time zone NOT NULL,
  node_id uuid NOT NULL,
  route text NOT NULL,
  status_class smallint NOT NULL,
  calls integer NOT NULL,
  total_ms double precision NOT NULL,
  max_ms real NOT NULL,
  buckets integer[] NOT NULL,
  CONSTRAINT call_minute_pkey PRIMARY KEY (minute, node_id, route, status_class)
);
GRANT DELETE, INSERT, SELECT, UPDATE ON nodes.call_minute TO careseal_app;

CREATE TABLE nodes.certificate (
  sha256 bytea NOT NULL,
  node_id uuid NOT NULL,
  der bytea NOT NULL,
  subject text NOT NULL,
  not_before timestamp with time zone NOT NULL,
  not_after timestamp with time zone NOT NULL,
  issued_at timestamp with time zone NOT NULL,
  revoked_at timestamp with time zone,
  origin text DEFAULT 'issued'::text NOT NULL,
  serial text DEFAULT ''::text NOT NULL,
  authority_id uuid,
  ends_at timestamp with time zone,
  revocation_reason text,
  warned_days smallint,
  last_seen_at timestamp with time zone,
  binding bytea,
  CONSTRAINT certificate_pkey PRIMARY KEY (sha256),
  CONSTRAINT certificate_node_id_fkey FOREIGN KEY (node_id) REFERENCES nodes.node(id),
  CONSTRAINT certificate_origin_check CHECK ((origin = ANY (ARRAY['issued'::text, 'trusted'::text, 'foreign'::text]))),
  CONSTRAINT certificate_sha256_check CHECK ((octet_length(sha256) = 32))
);
CREATE INDEX certificate_node ON nodes.certificate USING btree (node_id);
GRANT INSERT, SELECT ON nodes.certificate TO careseal_app;
GRANT UPDATE (revoked_at, ends_at, revocation_reason, warned_days, last_seen_at, binding) ON nodes.certificate TO careseal_app;

CREATE TABLE nodes.domain (
  id integer GENERATED ALWAYS AS IDENTITY NOT NULL,
  system text NOT NULL,
  organisation_id uuid NOT NULL,
  node_id uuid,
  created_at timestamp with time zone NOT NULL,
  binding bytea,
  CONSTRAINT domain_pkey PRIMARY KEY (id),
  CONSTRAINT domain_node_id_fkey FOREIGN KEY (node_id) REFERENCES nodes.node(id),
  CONSTRAINT domain_system_key UNIQUE (system)
);
GRANT INSERT, SELECT ON nodes.domain TO careseal_app;
GRANT UPDATE (node_id, binding) ON nodes.domain TO careseal_app;

CREATE TABLE nodes.enrolment (
  token_hash bytea NOT NULL,
  node_id uuid NOT NULL,
  created_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  ended_at timestamp with time zone,
  binding bytea NOT NULL,
  CONSTRAINT enrolment_pkey PRIMARY KEY (token_hash),
  CONSTRAINT enrolment_node_id_fkey FOREIGN KEY (node_id) REFERENCES nodes.node(id),
  CONSTRAINT enrolment_token_hash_check CHECK ((octet_length(token_hash) = 32))
);
CREATE INDEX enrolment_node ON nodes.enrolment USING btree (node_id) WHERE (ended_at IS NULL);
GRANT INSERT, SELECT ON nodes.enrolment TO careseal_app;
GRANT UPDATE (ended_at, binding) ON nodes.enrolment TO careseal_app;

CREATE TABLE nodes.foreign_authority (
  id uuid NOT NULL,
  organisation_id uuid NOT NULL,
  name text NOT NULL,
  certificate text NOT NULL,
  sha256 bytea NOT NULL,
  not_after timestamp with time zone NOT NULL,
  accept_long boolean NOT NULL,
  crl bytea,
  crl_next_update timestamp with time zone,
  crl_required boolean DEFAULT false NOT NULL,
  created_at timestamp with time zone NOT NULL,
  removed_at timestamp with time zone,
  binding bytea NOT NULL,
  crl_url text,
  crl_tried_at timestamp with time zone,
  crl_failure text,
  crl_stale_told_at timestamp with time zone,
  CONSTRAINT foreign_authority_pkey PRIMARY KEY (id),
  CONSTRAINT foreign_authority_sha256_check CHECK ((octet_length(sha256) = 32))
);
CREATE UNIQUE INDEX foreign_authority_once ON nodes.foreign_authority USING btree (sha256) WHERE (removed_at IS NULL);
GRANT INSERT, SELECT ON nodes.foreign_authority TO careseal_app;
GRANT UPDATE (crl, crl_next_update, crl_required, removed_at, binding, crl_url, crl_tried_at, crl_failure, crl_stale_told_at) ON nodes.foreign_authority TO careseal_app;

CREATE TABLE nodes.name_rule (
  id uuid NOT NULL,
  authority_id uuid NOT NULL,
  node_id uuid NOT NULL,
  attribute text NOT NULL,
  value text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  removed_at timestamp with time zone,
  binding bytea NOT NULL,
  CONSTRAINT name_rule_pkey PRIMARY KEY (id),
  CONSTRAINT name_rule_attribute_check CHECK ((attribute = ANY (ARRAY['cn'::text, 'dns'::text, 'uri'::text, 'email'::text]))),
  CONSTRAINT name_rule_authority_id_fkey FOREIGN KEY (authority_id) REFERENCES nodes.foreign_authority(id),
  CONSTRAINT name_rule_node_id_fkey FOREIGN KEY (node_id) REFERENCES nodes.node(id)
);
CREATE UNIQUE INDEX name_rule_once ON nodes.name_rule USING btree (authority_id, attribute, value) WHERE (removed_at IS NULL);
GRANT INSERT, SELECT ON nodes.name_rule TO careseal_app;
GRANT UPDATE (removed_at, binding) ON nodes.name_rule TO careseal_app;

CREATE TABLE nodes.node (
  id uuid NOT NULL,
  name text NOT NULL,
  organisation_id uuid NOT NULL,
  created_at timestamp with time zone NOT NULL,
  last_seen_at timestamp with time zone,
  revoked_at timestamp with time zone,
  sealed_reason bytea,
  activated_at timestamp with time zone,
  suspended_at timestamp with time zone,
  scopes text[] DEFAULT '{read,search,pix,match,feed}'::text[] NOT NULL,
  networks text[] DEFAULT '{}'::text[] NOT NULL,
  per_minute integer DEFAULT 60000 NOT NULL,
  token_required boolean DEFAULT false NOT NULL,
  jwks text,
  jwks_url text,
  sealed_contact bytea,
  binding bytea,
  CONSTRAINT node_pkey PRIMARY KEY (id),
  CONSTRAINT node_check CHECK (((revoked_at IS NULL) = (sealed_reason IS NULL))),
  CONSTRAINT node_per_minute_check CHECK ((per_minute > 0))
);
CREATE UNIQUE INDEX node_name ON nodes.node USING btree (organisation_id, lower(name)) WHERE (revoked_at IS NULL);
GRANT INSERT, SELECT ON nodes.node TO careseal_app;
GRANT UPDATE (name, last_seen_at, revoked_at, sealed_reason, activated_at, suspended_at, scopes, networks, per_minute, token_required, jwks, jwks_url, sealed_contact, binding) ON nodes.node TO careseal_app;

CREATE TABLE nodes.used_assertion (
  hash bytea NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  CONSTRAINT used_assertion_pkey PRIMARY KEY (hash),
  CONSTRAINT used_assertion_hash_check CHECK ((octet_length(hash) = 32))
);
CREATE INDEX used_assertion_expiry ON nodes.used_assertion USING btree (expires_at);
GRANT DELETE, INSERT, SELECT ON nodes.used_assertion TO careseal_app;

-- registry
CREATE SCHEMA registry;
GRANT USAGE ON SCHEMA registry TO careseal_app;

CREATE SEQUENCE registry.change_seq_seq AS bigint;
CREATE SEQUENCE registry.relink_move_move_seq AS bigint;
CREATE SEQUENCE registry.turn AS bigint;
GRANT USAGE ON SEQUENCE registry.turn TO careseal_app;

CREATE OR REPLACE FUNCTION registry.note_changes()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF current_setting('careseal.rebinding', true) IS DISTINCT FROM 'on' AND EXISTS (SELECT FROM registry.change_wanted) THEN
    INSERT INTO registry.change (golden_id, version, at)
      SELECT golden_id, version, updated_at FROM changed ORDER BY golden_id;
    PERFORM pg_notify('careseal_changes', '');
  END IF;
  RETURN NULL;
END $function$
;
CREATE OR REPLACE FUNCTION registry.refuse_ledger_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE EXCEPTION 'registry.ledger is append-only';
END $function$
;
CREATE OR REPLACE FUNCTION registry.take_turn(expected bigint DEFAULT NULL::bigint)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
DECLARE
  turn bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(1129466955);
  turn := nextval('registry.turn');
  IF turn <> expected THEN
    RAISE EXCEPTION 'another turn came first' USING ERRCODE = 'CS001';
  END IF;
  RETURN turn;
END
$function$
;

CREATE TABLE registry.blocking_key (
  token bigint NOT NULL,
  source_id uuid NOT NULL,
  CONSTRAINT blocking_key_pkey PRIMARY KEY (token, source_id)
);
GRANT DELETE, INSERT, SELECT ON registry.blocking_key TO careseal_app;

CREATE TABLE registry.bulk (
  bulk_id uuid NOT NULL,
  state text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  created_by uuid NOT NULL,
  score_from real NOT NULL,
  sample uuid[] NOT NULL,
  total integer NOT NULL,
  accepted integer DEFAULT 0 NOT NULL,
  skipped integer DEFAULT 0 NOT NULL,
  creator_binding bytea,
  model_version text,
  CONSTRAINT bulk_pkey PRIMARY KEY (bulk_id),
  CONSTRAINT bulk_state_check CHECK ((state = ANY (ARRAY['sampling'::text, 'accepting'::text, 'done'::text, 'given-up'::text])))
);
CREATE INDEX bulk_by_time ON registry.bulk USING btree (created_at DESC, bulk_id);
GRANT INSERT, SELECT, UPDATE ON registry.bulk TO careseal_app;

CREATE TABLE registry.change (
  seq bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  golden_id uuid NOT NULL,
  version integer NOT NULL,
  at timestamp with time zone NOT NULL,
  CONSTRAINT change_pkey PRIMARY KEY (seq)
);
GRANT DELETE, INSERT, SELECT ON registry.change TO careseal_app;

CREATE TABLE registry.change_wanted (
  wanted boolean NOT NULL,
  CONSTRAINT change_wanted_pkey PRIMARY KEY (wanted),
  CONSTRAINT change_wanted_wanted_check CHECK (wanted)
);
GRANT DELETE, INSERT, SELECT ON registry.change_wanted TO careseal_app;

CREATE TABLE registry.domain_alias (
  alias text NOT NULL,
  system text NOT NULL,
  CONSTRAINT domain_alias_pkey PRIMARY KEY (alias)
);
GRANT DELETE, INSERT, SELECT, UPDATE ON registry.domain_alias TO careseal_app;

CREATE TABLE registry.former_record (
  source_id uuid NOT NULL,
  domain_id integer NOT NULL,
  key_token bigint NOT NULL,
  pinned boolean NOT NULL,
  CONSTRAINT former_record_pkey PRIMARY KEY (source_id)
);
CREATE INDEX former_record_key ON registry.former_record USING btree (key_token);
GRANT DELETE, INSERT, SELECT, UPDATE ON registry.former_record TO careseal_app;

CREATE TABLE registry.golden (
  golden_id uuid NOT NULL,
  version integer NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  replaced_by uuid,
  deleted boolean DEFAULT false NOT NULL,
  organisations uuid[] DEFAULT '{}'::uuid[] NOT NULL,
  shared_with uuid[] DEFAULT '{}'::uuid[] NOT NULL,
  binding bigint,
  CONSTRAINT golden_pkey PRIMARY KEY (golden_id)
);
CREATE INDEX golden_live_by_time ON registry.golden USING btree (updated_at, golden_id) WHERE ((replaced_by IS NULL) AND (NOT deleted));
CREATE INDEX golden_replaced_by ON registry.golden USING btree (replaced_by) WHERE (replaced_by IS NOT NULL);
CREATE TRIGGER golden_inserted AFTER INSERT ON registry.golden REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION registry.note_changes();
CREATE TRIGGER golden_updated AFTER UPDATE ON registry.golden REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION registry.note_changes();
GRANT DELETE, INSERT, SELECT, UPDATE ON registry.golden TO careseal_app;

CREATE TABLE registry.ledger (
  golden_id uuid NOT NULL,
  entry_id uuid NOT NULL,
  kind text NOT NULL,
  at timestamp with time zone NOT NULL,
  source_id uuid,
  other_source_id uuid,
  other_golden_id uuid,
  detail bytea NOT NULL,
  CONSTRAINT ledger_pkey PRIMARY KEY (golden_id, entry_id),
  CONSTRAINT ledger_kind_check CHECK ((kind = ANY (ARRAY['created'::text, 'linked'::text, 'unlinked'::text, 'merged'::text, 'unmerged'::text, 'never-link'::text, 'review-opened'::text, 'review-decided'::text, 'decision-undone'::text, 'repaired'::text])))
);
CREATE INDEX ledger_linked_at ON registry.ledger USING btree (at) WHERE ((kind = 'linked'::text) AND (other_source_id IS NOT NULL));
CREATE INDEX ledger_other_golden ON registry.ledger USING btree (other_golden_id, entry_id) WHERE (other_golden_id IS NOT NULL);
CREATE INDEX ledger_source ON registry.ledger USING btree (source_id, entry_id) WHERE (source_id IS NOT NULL);
CREATE TRIGGER ledger_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON registry.ledger FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_ledger_change();
GRANT INSERT, SELECT ON registry.ledger TO careseal_app;

CREATE TABLE registry.link_check (
  check_id uuid NOT NULL,
  a uuid NOT NULL,
  b uuid NOT NULL,
  model_version text NOT NULL,
  drawn_at timestamp with time zone NOT NULL,
  verdict text,
  judged_by uuid,
  judged_at timestamp with time zone,
  CONSTRAINT link_check_pkey PRIMARY KEY (check_id),
  CONSTRAINT link_check_a_b_key UNIQUE (a, b),
  CONSTRAINT link_check_check CHECK (((verdict IS NULL) = (judged_at IS NULL))),
  CONSTRAINT link_check_verdict_check CHECK ((verdict = ANY (ARRAY['right'::text, 'wrong'::text, 'unsure'::text, 'gone'::text])))
);
CREATE INDEX link_check_waiting ON registry.link_check USING btree (check_id) WHERE (verdict IS NULL);
GRANT INSERT, SELECT, UPDATE ON registry.link_check TO careseal_app;

CREATE TABLE registry.never_link (
  a uuid NOT NULL,
  b uuid NOT NULL,
  entry_id uuid NOT NULL,
  CONSTRAINT never_link_pkey PRIMARY KEY (a, b, entry_id),
  CONSTRAINT never_link_check CHECK ((a < b))
);
CREATE INDEX never_link_b ON registry.never_link USING btree (b);
GRANT DELETE, INSERT, SELECT ON registry.never_link TO careseal_app;

CREATE TABLE registry.related_person (
  related_id uuid NOT NULL,
  source_id uuid NOT NULL,
  domain_id integer NOT NULL,
  version integer NOT NULL,
  CONSTRAINT related_person_pkey PRIMARY KEY (related_id)
);
CREATE INDEX related_person_source ON registry.related_person USING btree (source_id);
GRANT DELETE, INSERT, SELECT, UPDATE ON registry.related_person TO careseal_app;

CREATE TABLE registry.relink_move (
  activation_id uuid NOT NULL,
  move bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  source_id uuid NOT NULL,
  from_golden uuid NOT NULL,
  to_golden uuid NOT NULL,
  entry_id uuid NOT NULL,
  undone text,
  CONSTRAINT relink_move_pkey PRIMARY KEY (activation_id, move),
  CONSTRAINT relink_move_undone_check CHECK ((undone = ANY (ARRAY['taken-back'::text, 'kept'::text])))
);
CREATE INDEX relink_move_standing ON registry.relink_move USING btree (activation_id, move) WHERE (undone IS NULL);
GRANT INSERT, SELECT ON registry.relink_move TO careseal_app;
GRANT UPDATE (undone) ON registry.relink_move TO careseal_app;

CREATE TABLE registry.relink_review (
  activation_id uuid NOT NULL,
  review_id uuid NOT NULL,
  CONSTRAINT relink_review_pkey PRIMARY KEY (activation_id, review_id)
);
GRANT INSERT, SELECT ON registry.relink_review TO careseal_app;

CREATE TABLE registry.review (
  review_id uuid NOT NULL,
  a uuid NOT NULL,
  b uuid NOT NULL,
  state text NOT NULL,
  cause text NOT NULL,
  score real NOT NULL,
  grade text NOT NULL,
  model_version text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  decided_at timestamp with time zone,
  decision text,
  entry_id uuid,
  assignee uuid,
  proposed_by uuid,
  proposed_at timestamp with time zone,
  bulk_id uuid,
  bulk_skipped boolean DEFAULT false NOT NULL,
  proposed_binding bytea,
  CONSTRAINT review_pkey PRIMARY KEY (review_id),
  CONSTRAINT review_check CHECK ((a < b)),
  CONSTRAINT review_decision_check CHECK ((decision = ANY (ARRAY['link'::text, 'different'::text]))),
  CONSTRAINT review_proposed_whole CHECK (((proposed_by IS NULL) = (proposed_at IS NULL))),
  CONSTRAINT review_state_check CHECK ((state = ANY (ARRAY['open'::text, 'later'::text, 'decided'::text])))
);
CREATE INDEX review_assignee ON registry.review USING btree (assignee, review_id) WHERE ((assignee IS NOT NULL) AND (state <> 'decided'::text));
CREATE INDEX review_bulk ON registry.review USING btree (bulk_id, review_id) WHERE (bulk_id IS NOT NULL);
CREATE INDEX review_by_a ON registry.review USING btree (a);
CREATE INDEX review_by_b ON registry.review USING btree (b);
CREATE INDEX review_decided_at ON registry.review USING btree (decided_at) WHERE (decided_at IS NOT NULL);
CREATE UNIQUE INDEX review_pair_waiting ON registry.review USING btree (a, b) WHERE (state <> 'decided'::text);
CREATE INDEX review_proposed ON registry.review USING btree (review_id) WHERE ((proposed_by IS NOT NULL) AND (state <> 'decided'::text));
CREATE INDEX review_queue ON registry.review USING btree (state, review_id);
CREATE INDEX review_queue_by_score ON registry.review USING btree (state, score, review_id) WHERE (state <> 'decided'::text);
GRANT DELETE, INSERT, SELECT, UPDATE ON registry.review TO careseal_app;

CREATE TABLE registry.setting (
  name text NOT NULL,
  value text NOT NULL,
  changed_at timestamp with time zone NOT NULL,
  binding bytea,
  CONSTRAINT setting_pkey PRIMARY KEY (name)
);
GRANT INSERT, SELECT, UPDATE ON registry.setting TO careseal_app;

CREATE TABLE registry.share (
  golden_id uuid NOT NULL,
  share_id uuid NOT NULL,
  organisation_id uuid NOT NULL,
  detail bytea NOT NULL,
  shared_at timestamp with time zone NOT NULL,
  ended_at timestamp with time zone,
  CONSTRAINT share_pkey PRIMARY KEY (golden_id, share_id)
);
CREATE UNIQUE INDEX share_standing ON registry.share USING btree (golden_id, organisation_id) WHERE (ended_at IS NULL);
GRANT INSERT, SELECT ON registry.share TO careseal_app;
GRANT UPDATE (detail, ended_at) ON registry.share TO careseal_app;

CREATE TABLE registry.source (
  source_id uuid NOT NULL,
  golden_id uuid NOT NULL,
  domain_id integer NOT NULL,
  key_token bigint,
  version integer NOT NULL,
  pinned boolean DEFAULT false NOT NULL,
  match_record bytea NOT NULL,
  CONSTRAINT source_pkey PRIMARY KEY (source_id)
);
CREATE INDEX source_golden_id ON registry.source USING btree (golden_id);
CREATE INDEX source_key_token ON registry.source USING btree (key_token) WHERE (key_token IS NOT NULL);
GRANT DELETE, INSERT, SELECT, UPDATE ON registry.source TO careseal_app;

-- reports
CREATE SCHEMA reports;
GRANT USAGE ON SCHEMA reports TO careseal_app;

CREATE TABLE reports.activity (
  hour timestamp with time zone NOT NULL,
  event text NOT NULL,
  actor bigint NOT NULL,
  outcome smallint NOT NULL,
  actor_kind text NOT NULL,
  count bigint NOT NULL,
  CONSTRAINT activity_pkey PRIMARY KEY (hour, event, actor, outcome)
);
GRANT DELETE, INSERT, SELECT, UPDATE ON reports.activity TO careseal_app;

CREATE TABLE reports.actor (
  token bigint NOT NULL,
  sealed bytea NOT NULL,
  named_at timestamp with time zone NOT NULL,
  CONSTRAINT actor_pkey PRIMARY KEY (token)
);
GRANT INSERT, SELECT, UPDATE ON reports.actor TO careseal_app;

CREATE TABLE reports.follower (
  id smallint NOT NULL,
  next_leaf bigint NOT NULL,
  CONSTRAINT follower_pkey PRIMARY KEY (id),
  CONSTRAINT follower_id_check CHECK ((id = 1)),
  CONSTRAINT follower_next_leaf_check CHECK ((next_leaf >= 0))
);
GRANT SELECT ON reports.follower TO careseal_app;
GRANT UPDATE (next_leaf) ON reports.follower TO careseal_app;

CREATE TABLE reports.saved_search (
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  sealed bytea NOT NULL,
  created_at timestamp with time zone NOT NULL,
  CONSTRAINT saved_search_pkey PRIMARY KEY (id)
);
CREATE INDEX saved_search_user ON reports.saved_search USING btree (user_id, created_at);
GRANT DELETE, INSERT, SELECT ON reports.saved_search TO careseal_app;

-- store
CREATE SCHEMA store;
GRANT USAGE ON SCHEMA store TO careseal_app;

CREATE OR REPLACE FUNCTION store.conditions(p_type text, p_all bigint[], p_any text[], p_from timestamp with time zone, p_before timestamp with time zone)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog'
AS $function$
DECLARE
  by_token boolean := cardinality(p_all) > 0 OR cardinality(p_any) > 0;
  plain text[] := ARRAY[format('type = %L', p_type)];
  parts text[] := ARRAY['sealed IS NOT NULL'];
  any_of text;
BEGIN
  IF p_from IS NOT NULL THEN plain := plain || format('last_updated >= %L', p_from); END IF;
  IF p_before IS NOT NULL THEN plain := plain || format('last_updated < %L', p_before); END IF;
  parts := parts || format(CASE WHEN by_token THEN '(%s) IS TRUE' ELSE '%s' END, array_to_string(plain, ' AND '));
  IF cardinality(p_all) > 0 THEN parts := parts || format('tokens @> %L::bigint[]', p_all); END IF;
  FOREACH any_of IN ARRAY p_any LOOP
    parts := parts || format('tokens && %L::bigint[]', any_of::bigint[]);
  END LOOP;
  RETURN array_to_string(parts, ' AND ');
END $function$
;
CREATE OR REPLACE FUNCTION store.count_candidates(p_type text, p_all bigint[], p_any text[], p_from timestamp with time zone, p_before timestamp with time zone)
 RETURNS bigint
 LANGUAGE plpgsql
 STABLE
 SET enable_seqscan TO 'off'
AS $function$
DECLARE
  candidates bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM store.resource WHERE %s',
    store.conditions(p_type, p_all, p_any, p_from, p_before)) INTO candidates;
  RETURN candidates;
END $function$
;
CREATE OR REPLACE FUNCTION store.search(p_type text, p_all bigint[], p_any text[], p_from timestamp with time zone, p_before timestamp with time zone, p_order text, p_after_time timestamp with time zone, p_after_id uuid, p_limit integer)
 RETURNS TABLE(type text, id uuid, version integer, last_updated timestamp with time zone, sealed bytea)
 LANGUAGE plpgsql
 STABLE
 SET enable_seqscan TO 'off'
AS $function$
DECLARE
  direction text := CASE p_order WHEN 'last-updated-descending' THEN 'DESC' ELSE 'ASC' END;
  sorting text := CASE p_order WHEN 'id' THEN 'id' ELSE format('last_updated %s, id %s', direction, direction) END;
  following text := CASE
    WHEN p_after_id IS NULL THEN 'true'
    WHEN p_order = 'id' THEN format('id > %L', p_after_id)
    WHEN p_order = 'last-updated' THEN format('(last_updated, id) > (%L::timestamptz, %L::uuid)', p_after_time, p_after_id)
    ELSE format('(last_updated, id) < (%L::timestamptz, %L::uuid)', p_after_time, p_after_id) END;
  conditions text := store.conditions(p_type, p_all, p_any, p_from, p_before);
BEGIN
  IF cardinality(p_all) = 0 AND cardinality(p_any) = 0 THEN
    -- Without tokens the B-tree of the order is right, walked from where the last page ended.
    RETURN QUERY EXECUTE format(
      'SELECT type, id, version, last_updated, sealed FROM store.resource WHERE %s AND %s ORDER BY %s LIMIT %s',
      conditions, following, sorting, p_limit);
  ELSE
    RETURN QUERY EXECUTE format(
      'WITH hit AS MATERIALIZED (SELECT ctid AS place, id, last_updated FROM store.resource WHERE %s),
       page AS MATERIALIZED (SELECT place FROM hit WHERE %s ORDER BY %s LIMIT %s)
       SELECT type, id, version, last_updated, sealed FROM store.resource
       WHERE ctid = ANY (ARRAY (SELECT place FROM page)) ORDER BY %s',
      conditions, following, sorting, p_limit, sorting);
  END IF;
END $function$
;
CREATE OR REPLACE FUNCTION store.search_all(p_type text, p_all bigint[], p_from timestamp with time zone, p_before timestamp with time zone, p_order text, p_after_time timestamp with time zone, p_after_id uuid, p_limit integer)
 RETURNS TABLE(type text, id uuid, version integer, last_updated timestamp with time zone, sealed bytea)
 LANGUAGE plpgsql
 STABLE
 SET enable_seqscan TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    WITH hit AS MATERIALIZED (
      SELECT ctid AS place, id, last_updated FROM store.resource
      WHERE tokens @> p_all AND sealed IS NOT NULL AND (type = p_type) IS TRUE
        AND (p_from IS NULL OR last_updated >= p_from) AND (p_before IS NULL OR last_updated < p_before)
    ), page AS MATERIALIZED (
      SELECT place FROM hit
      WHERE p_after_id IS NULL OR CASE p_order
        WHEN 'id' THEN id > p_after_id
        WHEN 'last-updated' THEN (last_updated, id) > (p_after_time, p_after_id)
        ELSE (last_updated, id) < (p_after_time, p_after_id) END
      ORDER BY
        CASE WHEN p_order = 'last-updated-descending' THEN last_updated END DESC,
        CASE WHEN p_order = 'last-updated-descending' THEN id END DESC,
        CASE WHEN p_order = 'last-updated' THEN last_updated END, id
      LIMIT p_limit
    )
    SELECT type, id, version, last_updated, sealed FROM store.resource
    WHERE ctid = ANY (ARRAY (SELECT place FROM page))
    ORDER BY
      CASE WHEN p_order = 'last-updated-descending' THEN last_updated END DESC,
      CASE WHEN p_order = 'last-updated-descending' THEN id END DESC,
      CASE WHEN p_order = 'last-updated' THEN last_updated END, id;
END $function$
;
CREATE OR REPLACE FUNCTION store.settle_tokens()
 RETURNS bigint
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  SELECT gin_clean_pending_list('store.resource_tokens')
$function$
;

CREATE TABLE store.resource (
  type text NOT NULL,
  id uuid NOT NULL,
  version integer NOT NULL,
  last_updated timestamp with time zone NOT NULL,
  sealed bytea STORAGE EXTERNAL,
  tokens bigint[] STORAGE EXTERNAL NOT NULL,
  CONSTRAINT resource_pkey PRIMARY KEY (type, id),
  CONSTRAINT resource_version_check CHECK ((version > 0))
);
CREATE INDEX resource_last_updated ON store.resource USING btree (type, last_updated, id) WHERE (sealed IS NOT NULL);
CREATE INDEX resource_tokens ON store.resource USING gin (tokens) WITH (gin_pending_list_limit='1024');
GRANT DELETE, INSERT, SELECT, UPDATE ON store.resource TO careseal_app;

CREATE TABLE store.resource_history (
  type text NOT NULL,
  id uuid NOT NULL,
  version integer NOT NULL,
  last_updated timestamp with time zone NOT NULL,
  sealed bytea STORAGE EXTERNAL,
  CONSTRAINT resource_history_pkey PRIMARY KEY (type, id, version)
);
GRANT DELETE, INSERT, SELECT, UPDATE ON store.resource_history TO careseal_app;

-- subscriptions
CREATE SCHEMA subscriptions;
GRANT USAGE ON SCHEMA subscriptions TO careseal_app;

CREATE SEQUENCE subscriptions.delivery_position AS bigint;
GRANT USAGE ON SEQUENCE subscriptions.delivery_position TO careseal_app;

CREATE TABLE subscriptions.delivery (
  id uuid NOT NULL,
  subscription_id uuid NOT NULL,
  golden_id uuid NOT NULL,
  version integer NOT NULL,
  state text NOT NULL,
  attempts integer DEFAULT 0 NOT NULL,
  retry_at timestamp with time zone NOT NULL,
  created_at timestamp with time zone NOT NULL,
  done_at timestamp with time zone,
  failure text,
  position bigint DEFAULT nextval('subscriptions.delivery_position'::regclass) NOT NULL,
  CONSTRAINT delivery_pkey PRIMARY KEY (id),
  CONSTRAINT delivery_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'delivered'::text, 'dead'::text])))
);
CREATE INDEX delivery_done ON subscriptions.delivery USING btree (done_at) WHERE (done_at IS NOT NULL);
CREATE INDEX delivery_state ON subscriptions.delivery USING btree (state, id);
CREATE INDEX delivery_turn ON subscriptions.delivery USING btree (subscription_id, "position") WHERE (state = 'waiting'::text);
CREATE UNIQUE INDEX delivery_waiting ON subscriptions.delivery USING btree (subscription_id, golden_id) WHERE (state = 'waiting'::text);
GRANT DELETE, INSERT, SELECT, UPDATE ON subscriptions.delivery TO careseal_app;

CREATE TABLE subscriptions.subscription (
  id uuid NOT NULL,
  node_id uuid NOT NULL,
  organisation_id uuid NOT NULL,
  status text NOT NULL,
  version integer NOT NULL,
  sealed bytea NOT NULL,
  created_at timestamp with time zone NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  ends_at timestamp with time zone,
  failures integer DEFAULT 0 NOT NULL,
  failing_since timestamp with time zone,
  last_failure text,
  last_success_at timestamp with time zone,
  retry_at timestamp with time zone NOT NULL,
  lease_until timestamp with time zone,
  CONSTRAINT subscription_pkey PRIMARY KEY (id),
  CONSTRAINT subscription_status_check CHECK ((status = ANY (ARRAY['requested'::text, 'active'::text, 'error'::text, 'off'::text])))
);
CREATE INDEX subscription_node ON subscriptions.subscription USING btree (node_id);
GRANT DELETE, INSERT, SELECT, UPDATE ON subscriptions.subscription TO careseal_app;
