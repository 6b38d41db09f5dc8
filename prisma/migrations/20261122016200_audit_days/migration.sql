-- A histogram over six years adds up days, not hours.
CREATE TABLE audit_log.days (
  tenant_id UUID NOT NULL,
  day TIMESTAMPTZ(3) NOT NULL,
  action TEXT NOT NULL,
  outcome TEXT NOT NULL,
  count BIGINT NOT NULL CHECK (count > 0),
  PRIMARY KEY (tenant_id, day, action, outcome)
);
INSERT INTO audit_log.days (tenant_id, day, action, outcome, count)
  SELECT tenant_id, date_trunc('day', hour, 'UTC'), action, outcome, sum(count) FROM audit_log.hours GROUP BY 1, 2, 3, 4;
ALTER TABLE audit_log.days ENABLE ROW LEVEL SECURITY;
CREATE POLICY sequencer ON audit_log.days TO wardline_sequencer USING (true) WITH CHECK (true);
CREATE POLICY tenant_wall ON audit_log.days FOR SELECT TO wardline_app
  USING (tenant_id = nullif(current_setting('wardline.tenant', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON audit_log.days TO wardline_sequencer;
GRANT SELECT ON audit_log.days TO wardline_app;

-- As before; and by the day where the stretches are whole days, from the beginning of one on.
CREATE OR REPLACE FUNCTION wardline_audit_histogram(
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
    v_source := CASE
        WHEN p_from = date_trunc('day', p_from) AND mod(extract(epoch FROM p_step), 86400) = 0
          THEN 'SELECT h.day AS at, h.outcome, h.count FROM audit_log.days h WHERE h.tenant_id = $1 AND h.day >= $7 AND h.day < $8'
        ELSE 'SELECT h.hour AS at, h.outcome, h.count FROM audit_log.hours h WHERE h.tenant_id = $1 AND h.hour >= $7 AND h.hour < $8'
      END
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
