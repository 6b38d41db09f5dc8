-- Six years of audit (R-76): the events and their index lie in one table for each month, so that a month that is past its retention, and
-- archived, goes as a whole. And what the review counts: events by the hour, and who had to do with a patient.

-- A message that somebody would change says whether it was recalled. `p_recall`: the client id of its recall.
DROP FUNCTION wardline_message(uuid, uuid);
CREATE FUNCTION wardline_message(p_tenant uuid, p_message uuid, p_recall uuid)
RETURNS TABLE (channel_id uuid, sender uuid, recalled boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY SELECT e.channel_id, e.actor_id, EXISTS (
      SELECT FROM channel_events r WHERE r.tenant_id = p_tenant AND r.actor_id = e.actor_id AND r.client_id = p_recall)
    FROM channel_events e
    WHERE e.tenant_id = p_tenant AND e.id = p_message AND e.type = 'message.posted';
END
$$;
REVOKE ALL ON FUNCTION wardline_message(uuid, uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wardline_message(uuid, uuid, uuid) TO wardline_app;

-- The events, by month -------------------------------------------------------------------------------------------------

-- What there is already stays where it lies and becomes the first part. The parts are in a schema that nobody has a right to, so all go
-- through the whole table, where the walls and the guards are.
CREATE SCHEMA audit_parts;
DROP TRIGGER audit_outbox_keep_rows ON audit_outbox;
DROP TRIGGER audit_outbox_keep_table ON audit_outbox;
DROP POLICY tenant_wall ON audit_outbox;
DROP POLICY sequencer_reads ON audit_outbox;
REVOKE ALL ON audit_outbox FROM wardline_app, wardline_sequencer;
ALTER TABLE audit_outbox DISABLE ROW LEVEL SECURITY;
ALTER TABLE audit_outbox DROP CONSTRAINT audit_outbox_pkey;
ALTER INDEX audit_outbox_tenant_id_at_idx RENAME TO outbox_first_tenant_id_at_idx;
ALTER INDEX audit_outbox_writers RENAME TO outbox_first_writers;
ALTER TABLE audit_outbox RENAME TO outbox_first;
ALTER TABLE outbox_first SET SCHEMA audit_parts;

-- The time is in the key because the table is parted by it; that a number of a writer is not given twice, the log shows.
CREATE TABLE audit_outbox (
  tenant_id UUID NOT NULL,
  writer_id UUID NOT NULL,
  writer_seq BIGINT NOT NULL,
  at TIMESTAMPTZ(3) NOT NULL,
  event BYTEA NOT NULL,
  CONSTRAINT audit_outbox_pkey PRIMARY KEY (tenant_id, writer_id, writer_seq, at)
) PARTITION BY RANGE (at);
CREATE INDEX audit_outbox_tenant_id_at_idx ON audit_outbox (tenant_id, at);
CREATE INDEX audit_outbox_writers ON audit_outbox (at) INCLUDE (tenant_id, writer_id) WHERE writer_seq = 1;
CREATE TRIGGER audit_outbox_keep_rows BEFORE UPDATE OR DELETE ON audit_outbox
  FOR EACH ROW EXECUTE FUNCTION wardline_refuse_change();
CREATE TRIGGER audit_outbox_keep_table BEFORE TRUNCATE ON audit_outbox
  FOR EACH STATEMENT EXECUTE FUNCTION wardline_refuse_change();
ALTER TABLE audit_outbox ENABLE ALWAYS TRIGGER audit_outbox_keep_rows;
ALTER TABLE audit_outbox ENABLE ALWAYS TRIGGER audit_outbox_keep_table;

ALTER TABLE audit_outbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON audit_outbox TO wardline_app
  USING (tenant_id = nullif(current_setting('wardline.tenant', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('wardline.tenant', true), '')::uuid);
CREATE POLICY sequencer_reads ON audit_outbox FOR SELECT TO wardline_sequencer USING (true);
GRANT SELECT, INSERT ON audit_outbox TO wardline_app;
GRANT SELECT ON audit_outbox TO wardline_sequencer;

-- The index of the filters, by month as well ----------------------------------------------------------------------------

ALTER TABLE audit_log.events RENAME TO events_first;
ALTER TABLE audit_log.events_first DROP CONSTRAINT events_pkey;
ALTER INDEX audit_log.events_actor RENAME TO events_first_actor;
DROP INDEX audit_log.events_patient;
ALTER INDEX audit_log.events_connection RENAME TO events_first_connection;
ALTER INDEX audit_log.events_action RENAME TO events_first_action;
ALTER INDEX audit_log.events_outcome RENAME TO events_first_outcome;
DROP POLICY tenant_wall ON audit_log.events_first;
DROP POLICY sequencer ON audit_log.events_first;
REVOKE ALL ON audit_log.events_first FROM wardline_app, wardline_sequencer;
ALTER TABLE audit_log.events_first DISABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log.events_first SET SCHEMA audit_parts;

CREATE TABLE audit_log.events (
  tenant_id UUID NOT NULL,
  leaf_index BIGINT NOT NULL,
  at TIMESTAMPTZ(3) NOT NULL,
  writer_id UUID NOT NULL,
  writer_seq BIGINT NOT NULL,
  action TEXT NOT NULL,
  outcome TEXT NOT NULL,
  actor UUID,
  patient UUID,
  connection UUID,
  PRIMARY KEY (tenant_id, leaf_index, at)
) PARTITION BY RANGE (at);
CREATE INDEX events_actor ON audit_log.events (tenant_id, actor, at, writer_id, writer_seq) WHERE actor IS NOT NULL;
-- With all that "who saw this patient" tells, so that it reads nothing else.
CREATE INDEX events_patient ON audit_log.events (tenant_id, patient, at, writer_id, writer_seq)
  INCLUDE (actor, action, outcome) WHERE patient IS NOT NULL;
CREATE INDEX events_connection ON audit_log.events (tenant_id, connection, at, writer_id, writer_seq)
  WHERE connection IS NOT NULL;
CREATE INDEX events_action ON audit_log.events (tenant_id, action, at, writer_id, writer_seq);
CREATE INDEX events_outcome ON audit_log.events (tenant_id, outcome, at, writer_id, writer_seq) WHERE outcome <> 'allowed';

ALTER TABLE audit_log.events ENABLE ROW LEVEL SECURITY;
CREATE POLICY sequencer ON audit_log.events TO wardline_sequencer USING (true) WITH CHECK (true);
CREATE POLICY tenant_wall ON audit_log.events FOR SELECT TO wardline_app
  USING (tenant_id = nullif(current_setting('wardline.tenant', true), '')::uuid);
GRANT SELECT, INSERT ON audit_log.events TO wardline_sequencer;
GRANT SELECT ON audit_log.events TO wardline_app;

-- The parts --------------------------------------------------------------------------------------------------------------

-- A part of both tables for the month that begins at `p_from` (UTC). False where there is one, where rows of that time lie elsewhere
-- already, or where somebody reads for too long: then it is tried again another time, and rows go to the last part, which takes all.
CREATE FUNCTION audit_log.make_month(p_from timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, audit_log SET TimeZone = 'UTC' SET lock_timeout = '2s' AS $$
DECLARE
  v_name text := to_char(p_from, 'YYYY_MM');
  v_until timestamptz := p_from + interval '1 month';
BEGIN
  IF to_regclass(format('audit_parts.%I', 'outbox_' || v_name)) IS NOT NULL THEN RETURN false; END IF;
  EXECUTE format('CREATE TABLE audit_parts.%I (LIKE public.audit_outbox)', 'outbox_' || v_name);
  EXECUTE format('ALTER TABLE public.audit_outbox ATTACH PARTITION audit_parts.%I FOR VALUES FROM (%L) TO (%L)',
    'outbox_' || v_name, p_from, v_until);
  PERFORM audit_log.guard_part('outbox_' || v_name);
  EXECUTE format('CREATE TABLE audit_parts.%I (LIKE audit_log.events)', 'events_' || v_name);
  EXECUTE format('ALTER TABLE audit_log.events ATTACH PARTITION audit_parts.%I FOR VALUES FROM (%L) TO (%L)',
    'events_' || v_name, p_from, v_until);
  RETURN true;
EXCEPTION
  -- Overlaps what is there; or the last part holds rows of that month; or a lock was not to be had.
  WHEN invalid_object_definition OR check_violation OR lock_not_available THEN RETURN false;
END
$$;

-- The guard against emptying a part by its own name. Against changing rows it has the guard of the whole.
CREATE FUNCTION audit_log.guard_part(p_name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, audit_log AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER keep_table BEFORE TRUNCATE ON audit_parts.%I
    FOR EACH STATEMENT EXECUTE FUNCTION public.wardline_refuse_change()', p_name);
  EXECUTE format('ALTER TABLE audit_parts.%I ENABLE ALWAYS TRIGGER keep_table', p_name);
END
$$;

-- This month and the next three: at each start, and by the sequencer, which can do no more with the owner's right than this.
CREATE FUNCTION audit_log.make_months() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, audit_log SET TimeZone = 'UTC' AS $$
DECLARE
  v_made integer := 0;
BEGIN
  -- Two at once would make the same table.
  IF NOT pg_try_advisory_xact_lock(x'6d6f6e74'::integer) THEN RETURN 0; END IF;
  FOR ahead IN 0..3 LOOP
    IF audit_log.make_month(date_trunc('month', now()) + make_interval(months => ahead)) THEN v_made := v_made + 1; END IF;
  END LOOP;
  RETURN v_made;
END
$$;

DO $$
DECLARE
  v_last timestamptz;
  v_until timestamptz;
BEGIN
  SELECT max(x.at) INTO v_last FROM (
    SELECT max(at) AS at FROM audit_parts.outbox_first UNION ALL SELECT max(at) FROM audit_parts.events_first) x;
  -- Where nothing was written yet, this month has a part of its own from its beginning.
  v_until := date_trunc('month', coalesce(v_last, now()), 'UTC');
  IF v_last IS NOT NULL THEN v_until := date_trunc('month', v_until + interval '32 days', 'UTC'); END IF;
  EXECUTE format('ALTER TABLE public.audit_outbox ATTACH PARTITION audit_parts.outbox_first FOR VALUES FROM (MINVALUE) TO (%L)', v_until);
  EXECUTE format('ALTER TABLE audit_log.events ATTACH PARTITION audit_parts.events_first FOR VALUES FROM (MINVALUE) TO (%L)', v_until);
END
$$;
CREATE TABLE audit_parts.outbox_other PARTITION OF public.audit_outbox DEFAULT;
CREATE TABLE audit_parts.events_other PARTITION OF audit_log.events DEFAULT;
SELECT audit_log.guard_part(name) FROM unnest(ARRAY['outbox_first', 'outbox_other']) AS parts (name);
SELECT audit_log.make_months();

REVOKE ALL ON FUNCTION audit_log.make_month(timestamptz), audit_log.guard_part(text), audit_log.make_months() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_log.make_months() TO wardline_sequencer;

-- How many, by the hour ---------------------------------------------------------------------------------------------------

-- For the histogram over the list; proves nothing. The sequencer counts what it adds to the index.
CREATE TABLE audit_log.hours (
  tenant_id UUID NOT NULL,
  hour TIMESTAMPTZ(3) NOT NULL,
  action TEXT NOT NULL,
  outcome TEXT NOT NULL,
  count BIGINT NOT NULL CHECK (count > 0),
  PRIMARY KEY (tenant_id, hour, action, outcome)
);
INSERT INTO audit_log.hours (tenant_id, hour, action, outcome, count)
  SELECT tenant_id, date_trunc('hour', at, 'UTC'), action, outcome, count(*) FROM audit_log.events GROUP BY 1, 2, 3, 4;
ALTER TABLE audit_log.hours ENABLE ROW LEVEL SECURITY;
CREATE POLICY sequencer ON audit_log.hours TO wardline_sequencer USING (true) WITH CHECK (true);
CREATE POLICY tenant_wall ON audit_log.hours FOR SELECT TO wardline_app
  USING (tenant_id = nullif(current_setting('wardline.tenant', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON audit_log.hours TO wardline_sequencer;
GRANT SELECT ON audit_log.hours TO wardline_app;

-- Events in each stretch of `p_step` from `p_from` on, before `p_until`. By the hour where the filter asks for action and outcome alone
-- and the stretches are whole hours; else out of the index of whatever it asks for.
CREATE FUNCTION wardline_audit_histogram(
  p_tenant uuid, p_actor uuid, p_patient uuid, p_action text, p_outcome text, p_connection uuid,
  p_from timestamptz, p_until timestamptz, p_step interval)
RETURNS TABLE (at bigint, outcome text, count bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public SET TimeZone = 'UTC'
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
  v_source text;
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  IF p_actor IS NULL AND p_patient IS NULL AND p_connection IS NULL THEN
    v_source := 'SELECT h.hour AS at, h.outcome, h.count FROM audit_log.hours h
      WHERE h.tenant_id = $1 AND h.hour >= $7 AND h.hour < $8'
      || CASE WHEN p_action IS NULL THEN '' ELSE ' AND h.action = $4' END
      || CASE WHEN p_outcome IS NULL THEN '' ELSE ' AND h.outcome = $5' END;
  ELSE
    v_source := 'SELECT e.at, e.outcome, 1 AS count FROM audit_log.events e WHERE e.tenant_id = $1 AND e.at >= $7 AND e.at < $8'
      || CASE WHEN p_actor IS NULL THEN '' ELSE ' AND e.actor = $2' END
      || CASE WHEN p_patient IS NULL THEN '' ELSE ' AND e.patient = $3' END
      || CASE WHEN p_connection IS NULL THEN '' ELSE ' AND e.connection = $6' END
      || CASE WHEN p_action IS NULL THEN '' ELSE ' AND e.action = $4' END
      || CASE WHEN p_outcome IS NULL THEN '' ELSE ' AND e.outcome = $5' END;
  END IF;
  RETURN QUERY EXECUTE
    'SELECT (extract(epoch FROM date_bin($9, x.at, $7)) * 1000)::bigint, x.outcome, sum(x.count)::bigint FROM ('
    || v_source || ') x GROUP BY 1, 2 ORDER BY 1, 2'
  USING p_tenant, p_actor, p_patient, p_action, p_outcome, p_connection, p_from, p_until, p_step;
END
$$;

-- When the tenant's first event in the index happened; null: there is none.
CREATE FUNCTION wardline_audit_beginning(p_tenant uuid) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN (SELECT (extract(epoch FROM h.hour) * 1000)::bigint FROM audit_log.hours h WHERE h.tenant_id = p_tenant ORDER BY h.hour LIMIT 1);
END
$$;

-- Who had to do with a patient, by person, action and outcome: how often, first and last.
CREATE FUNCTION wardline_audit_who(p_tenant uuid, p_patient uuid, p_from timestamptz, p_until timestamptz)
RETURNS TABLE (actor uuid, action text, outcome text, count bigint, first bigint, last bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY
    SELECT e.actor, e.action, e.outcome, count(*), (extract(epoch FROM min(e.at)) * 1000)::bigint,
      (extract(epoch FROM max(e.at)) * 1000)::bigint
    FROM audit_log.events e
    WHERE e.tenant_id = p_tenant AND e.patient = p_patient AND e.at >= p_from AND e.at < p_until
    GROUP BY e.actor, e.action, e.outcome;
END
$$;

DO $$
DECLARE
  routine regprocedure;
BEGIN
  FOR routine IN
    SELECT p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace
      AND p.proname IN ('wardline_audit_histogram', 'wardline_audit_beginning', 'wardline_audit_who')
  LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', routine);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO wardline_app', routine);
  END LOOP;
END
$$;
