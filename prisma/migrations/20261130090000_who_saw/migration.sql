-- "Who saw this patient" (R-73) counts refusals for all that they sum up, and lists.

-- Who had to do with a patient, by person, action and outcome: how often, first and last. How many refusals an event sums up is in its
-- bytes alone, which may have been changed by anybody: what does not read as a number counts once.
CREATE OR REPLACE FUNCTION wardline_audit_who(p_tenant uuid, p_patient uuid, p_from timestamptz, p_until timestamptz)
RETURNS TABLE (actor uuid, action text, outcome text, count bigint, first bigint, last bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY
    SELECT w.actor, w.action, w.outcome, w.events + coalesce(s.more, 0), (extract(epoch FROM w.first) * 1000)::bigint,
      (extract(epoch FROM w.last) * 1000)::bigint
    FROM (
      SELECT e.actor, e.action, e.outcome, count(*) AS events, min(e.at) AS first, max(e.at) AS last,
        array_agg(e.writer_id) FILTER (WHERE e.outcome IN ('refused', 'failed')) AS writers,
        array_agg(e.writer_seq) FILTER (WHERE e.outcome IN ('refused', 'failed')) AS seqs,
        array_agg(e.at) FILTER (WHERE e.outcome IN ('refused', 'failed')) AS times
      FROM audit_log.events e
      WHERE e.tenant_id = p_tenant AND e.patient = p_patient AND e.at >= p_from AND e.at < p_until
      GROUP BY e.actor, e.action, e.outcome
    ) w
    LEFT JOIN LATERAL (
      SELECT sum(greatest(substring(encode(a.event, 'escape') FROM '"count":([0-9]{1,9})[,}]')::bigint, 1) - 1)::bigint AS more
      FROM unnest(w.writers, w.seqs, w.times) x (writer_id, writer_seq, at)
      JOIN audit_outbox a ON a.tenant_id = p_tenant AND a.writer_id = x.writer_id AND a.writer_seq = x.writer_seq AND a.at = x.at
    ) s ON true;
END
$$;

-- Lists of patients and of channels: their events name no patient. Those of one channel that is about nobody are among them.
CREATE INDEX events_lists ON audit_log.events (tenant_id, actor, at) INCLUDE (action, writer_id, writer_seq)
  WHERE patient IS NULL AND outcome = 'allowed' AND action IN ('patient.read', 'channel.read');

-- Lists that people opened, each person in stretches of time of their own that are apart. Whether an event of channels is of one alone is in
-- its bytes, so no more than `p_most` events of a stretch are looked at, the latest, and to find the first a few from its beginning:
-- `more` says that there were others.
CREATE FUNCTION wardline_audit_lists(p_tenant uuid, p_actors uuid[], p_from timestamptz[], p_until timestamptz[], p_most integer)
RETURNS TABLE (actor uuid, count bigint, more boolean, first bigint, last bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY
    WITH looked AS MATERIALIZED (
      SELECT x.actor, e.*, count(*) OVER (PARTITION BY x.place) >= p_most AS is_cut
      FROM unnest(p_actors, p_from, p_until) WITH ORDINALITY x (actor, "from", until, place)
      CROSS JOIN LATERAL (
        (SELECT e.action, e.writer_id, e.writer_seq, e.at FROM audit_log.events e
         WHERE e.tenant_id = p_tenant AND e.actor = x.actor AND e.at >= x."from" AND e.at < x.until
           AND e.patient IS NULL AND e.outcome = 'allowed' AND e.action IN ('patient.read', 'channel.read')
         ORDER BY e.at DESC LIMIT p_most)
        UNION
        (SELECT e.action, e.writer_id, e.writer_seq, e.at FROM audit_log.events e
         WHERE e.tenant_id = p_tenant AND e.actor = x.actor AND e.at >= x."from" AND e.at < x.until
           AND e.patient IS NULL AND e.outcome = 'allowed' AND e.action IN ('patient.read', 'channel.read')
         ORDER BY e.at LIMIT 10)
      ) e
    )
    SELECT l.actor, count(*), bool_or(l.is_cut), (extract(epoch FROM min(l.at)) * 1000)::bigint, (extract(epoch FROM max(l.at)) * 1000)::bigint
    FROM looked l
    WHERE l.action = 'patient.read' OR EXISTS (
      SELECT FROM audit_outbox a
      WHERE a.tenant_id = p_tenant AND a.writer_id = l.writer_id AND a.writer_seq = l.writer_seq AND a.at = l.at
        AND position('"channel":'::bytea IN a.event) = 0)
    GROUP BY l.actor;
END
$$;
REVOKE ALL ON FUNCTION wardline_audit_lists(uuid, uuid[], timestamptz[], timestamptz[], integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wardline_audit_lists(uuid, uuid[], timestamptz[], timestamptz[], integer) TO wardline_app;
