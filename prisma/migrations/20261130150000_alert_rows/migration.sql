-- Alerts read the events that a rule might ask for, and not all others beside them, which are nearly all there are.

-- What no rule asks for, in its bytes: RFC 8785 puts `action` first. The function below says the same, word for word, or could not use it.
CREATE INDEX audit_outbox_alerting ON audit_outbox (tenant_id, writer_id, writer_seq)
  WHERE event NOT LIKE '{"action":"message.post"%"outcome":"allowed"%' AND event NOT LIKE '{"action":"receipt.mark"%"outcome":"allowed"%'
    AND event NOT LIKE '{"action":"session.renew"%"outcome":"allowed"%' AND event NOT LIKE '{"action":"socket.close"%"outcome":"allowed"%';

DROP FUNCTION wardline_alert_rows(uuid, uuid[], bigint[], integer[], timestamptz, bytea[]);

-- The events of these runs that a rule might ask for. `p_since`: none of them is older, which spares old partitions.
CREATE FUNCTION wardline_alert_rows(p_tenant uuid, p_writers uuid[], p_firsts bigint[], p_counts integer[], p_since timestamptz)
RETURNS TABLE (ord integer, writer_seq bigint, at bigint, event bytea)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY
    SELECT (r.n - 1)::integer, x.writer_seq, (extract(epoch FROM x.at) * 1000)::bigint, x.event
    FROM unnest(p_writers, p_firsts, p_counts) WITH ORDINALITY AS r (writer, first, count, n)
    CROSS JOIN LATERAL (
      SELECT o.writer_seq, o.at, o.event FROM audit_outbox o
      WHERE o.tenant_id = p_tenant AND o.writer_id = r.writer AND o.writer_seq >= r.first
        AND o.writer_seq < r.first + r.count AND o.at >= p_since
        AND event NOT LIKE '{"action":"message.post"%"outcome":"allowed"%' AND event NOT LIKE '{"action":"receipt.mark"%"outcome":"allowed"%'
        AND event NOT LIKE '{"action":"session.renew"%"outcome":"allowed"%' AND event NOT LIKE '{"action":"socket.close"%"outcome":"allowed"%'
      ORDER BY o.writer_seq) x
    ORDER BY r.n, x.writer_seq;
END
$$;
REVOKE ALL ON FUNCTION wardline_alert_rows(uuid, uuid[], bigint[], integer[], timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wardline_alert_rows(uuid, uuid[], bigint[], integer[], timestamptz) TO wardline_app;
