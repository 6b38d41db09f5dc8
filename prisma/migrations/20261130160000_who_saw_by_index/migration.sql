-- "Who saw this patient" (R-73) is answered by the index alone: to look into each event for what the index did not say took a place on
-- the disk each, and seconds where nobody had asked before.

-- How many attempts an event stands for: one that sums up refusals stands for several. And whether it is a list of patients or of
-- channels, which names no patient. What both are, the sequencer says (apps/server/src/audit/sequencer/index-row.ts). No check: parts
-- are made like this table, without its checks.
ALTER TABLE audit_log.events ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1, ADD COLUMN is_list BOOLEAN NOT NULL DEFAULT false;
-- A sequencer of the version before, on a node that is not stopped yet, knows neither: it fails here, lets go of its lead, and one that
-- does takes over. With defaults it would go on, and be wrong.
ALTER TABLE audit_log.events ALTER COLUMN attempts DROP DEFAULT, ALTER COLUMN is_list DROP DEFAULT;
DROP INDEX audit_log.events_lists;
DROP INDEX audit_log.events_patient;
-- What is in the index already. Events may have been changed by anybody: what does not read as a number counts once.
UPDATE audit_log.events e SET attempts = greatest(substring(encode(a.event, 'escape') FROM '"count":([0-9]{1,9})[,}]')::integer, 1)
  FROM audit_outbox a
  WHERE e.outcome IN ('refused', 'failed') AND a.tenant_id = e.tenant_id AND a.writer_id = e.writer_id AND a.writer_seq = e.writer_seq
    AND a.at = e.at AND position('"count":'::bytea IN a.event) > 0;
UPDATE audit_log.events e SET is_list = true
  FROM audit_outbox a
  WHERE e.actor IS NOT NULL AND e.patient IS NULL AND e.outcome = 'allowed' AND e.action IN ('patient.read', 'channel.read')
    AND a.tenant_id = e.tenant_id AND a.writer_id = e.writer_id AND a.writer_seq = e.writer_seq AND a.at = e.at
    AND position('"channel":'::bytea IN a.event) = 0;
CREATE INDEX events_patient ON audit_log.events (tenant_id, patient, at, writer_id, writer_seq)
  INCLUDE (actor, action, outcome, attempts) WHERE patient IS NOT NULL;
CREATE INDEX events_lists ON audit_log.events (tenant_id, actor, at) WHERE is_list;

-- What the index answers alone, it answers without its rows only where these were vacuumed since they were written. Autovacuum looks at a
-- part after a fifth of it is new: the last sixth of every month would never be seen to, nor what was changed above.
DO $$
DECLARE
  v_part regclass;
BEGIN
  FOR v_part IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'audit_log.events'::regclass LOOP
    EXECUTE format('ALTER TABLE %s SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.02)', v_part);
  END LOOP;
END
$$;

-- As before, with parts of the index that are vacuumed so.
CREATE OR REPLACE FUNCTION audit_log.make_month(p_from timestamptz) RETURNS boolean
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
  EXECUTE format('CREATE TABLE audit_parts.%I (LIKE audit_log.events)
    WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.02)', 'events_' || v_name);
  EXECUTE format('ALTER TABLE audit_log.events ATTACH PARTITION audit_parts.%I FOR VALUES FROM (%L) TO (%L)',
    'events_' || v_name, p_from, v_until);
  RETURN true;
EXCEPTION
  -- Overlaps what is there; or the last part holds rows of that month; or a lock was not to be had.
  WHEN invalid_object_definition OR check_violation OR lock_not_available THEN RETURN false;
END
$$;

-- Who had to do with a patient, by person, action and outcome: how often, first and last.
CREATE OR REPLACE FUNCTION wardline_audit_who(p_tenant uuid, p_patient uuid, p_from timestamptz, p_until timestamptz)
RETURNS TABLE (actor uuid, action text, outcome text, count bigint, first bigint, last bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY
    SELECT e.actor, e.action, e.outcome, sum(e.attempts), (extract(epoch FROM min(e.at)) * 1000)::bigint,
      (extract(epoch FROM max(e.at)) * 1000)::bigint
    FROM audit_log.events e
    WHERE e.tenant_id = p_tenant AND e.patient = p_patient AND e.at >= p_from AND e.at < p_until
    GROUP BY e.actor, e.action, e.outcome;
END
$$;

-- Lists that people opened, each person in stretches of time of their own that are apart. Of one stretch no more than `p_most` are
-- counted; `more` says that there were others.
CREATE OR REPLACE FUNCTION wardline_audit_lists(
  p_tenant uuid, p_actors uuid[], p_from timestamptz[], p_until timestamptz[], p_most integer)
RETURNS TABLE (actor uuid, count bigint, more boolean, first bigint, last bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY
    SELECT x.actor, sum(least(latest.events, p_most))::bigint, bool_or(latest.events > p_most),
      (extract(epoch FROM min(earliest.at)) * 1000)::bigint, (extract(epoch FROM max(latest.at)) * 1000)::bigint
    FROM unnest(p_actors, p_from, p_until) x (actor, "from", until)
    CROSS JOIN LATERAL (
      SELECT e.at FROM audit_log.events e
      WHERE e.tenant_id = p_tenant AND e.actor = x.actor AND e.at >= x."from" AND e.at < x.until AND e.is_list
      ORDER BY e.at LIMIT 1
    ) earliest
    CROSS JOIN LATERAL (
      SELECT count(*) AS events, max(e.at) AS at FROM (
        SELECT e.at FROM audit_log.events e
        WHERE e.tenant_id = p_tenant AND e.actor = x.actor AND e.at >= x."from" AND e.at < x.until AND e.is_list
        ORDER BY e.at DESC LIMIT p_most + 1
      ) e
    ) latest
    GROUP BY x.actor;
END
$$;
