-- What an inbox shows of many channels at once: one round trip each, whatever their number. As the functions before these, they
-- name their tenant first and run with the rights of the caller; why they look things up as they do is said in the hot path's.

-- Few messages ask for an acknowledgement, and these two indexes hold those and their answers alone. The first is in the order of
-- time, which no other index is in: so it is the one that is taken.
CREATE INDEX channel_events_asking ON channel_events (tenant_id, channel_id, at)
  WHERE type = 'message.posted' AND (attributes->'ackRequired') = 'true'::jsonb;
CREATE INDEX channel_events_answers ON channel_events (tenant_id, message_id)
  WHERE type IN ('message.acknowledged', 'message.recalled');

-- The channels and when each was last active: the time of its last event, or of its creation while there is none. Times in epoch
-- milliseconds.
CREATE FUNCTION wardline_inbox(p_tenant uuid, p_channels uuid[])
RETURNS TABLE (id uuid, kind text, patient_id uuid, archived boolean, sealed_title bytea, head bigint, last_at bigint,
  active_at bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET plan_cache_mode = force_generic_plan SET jit = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY
    SELECT c.id, c.kind, c.patient_id, c.archived_at IS NOT NULL, c.sealed_title, c.head,
      (extract(epoch FROM e.at) * 1000)::bigint, (extract(epoch FROM coalesce(e.at, c.created_at)) * 1000)::bigint
    FROM unnest(p_channels) AS asked (channel_id)
    CROSS JOIN LATERAL (
      SELECT h.* FROM channels h
      WHERE h.tenant_id = p_tenant AND h.id BETWEEN asked.channel_id AND asked.channel_id ORDER BY h.id LIMIT 1) c
    LEFT JOIN LATERAL (
      SELECT l.at FROM channel_events l
      WHERE l.tenant_id = p_tenant AND l.channel_id = c.id AND l.seq BETWEEN c.head AND c.head
      ORDER BY l.seq LIMIT 1) e ON true;
END
$$;

-- What in each of these channels waits for this person: messages of others that ask for an acknowledgement and have none of
-- theirs. Of those posted before p_since (one for each channel: when the person came to it), the ones that nobody has answered:
-- what was settled before they came is settled. Of each channel the last p_limit are looked at.
CREATE FUNCTION wardline_awaiting(p_tenant uuid, p_user uuid, p_channels uuid[], p_since timestamptz[], p_limit integer)
RETURNS TABLE (channel_id uuid, priority text, messages bigint, oldest bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET plan_cache_mode = force_generic_plan SET jit = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY
    SELECT asked.channel_id, coalesce(m.attributes->>'priority', 'routine'), count(*),
      (extract(epoch FROM min(m.at)) * 1000)::bigint
    FROM unnest(p_channels, p_since) AS asked (channel_id, since)
    CROSS JOIN LATERAL (
      SELECT e.id, e.at, e.actor_id, e.attributes FROM channel_events e
      WHERE e.tenant_id = p_tenant AND e.channel_id = asked.channel_id AND e.type = 'message.posted'
        AND (e.attributes->'ackRequired') = 'true'::jsonb
      ORDER BY e.at DESC LIMIT p_limit) m
    LEFT JOIN LATERAL (
      SELECT true AS yes FROM channel_events a
      WHERE a.tenant_id = p_tenant AND a.message_id BETWEEN m.id AND m.id
        AND a.type IN ('message.acknowledged', 'message.recalled')
        AND (a.type = 'message.recalled' OR a.actor_id = p_user OR m.at < asked.since)
      ORDER BY a.message_id LIMIT 1) answered ON true
    WHERE m.actor_id <> p_user AND answered.yes IS NULL
    GROUP BY 1, 2;
END
$$;

REVOKE ALL ON FUNCTION wardline_inbox(uuid, uuid[]), wardline_awaiting(uuid, uuid, uuid[], timestamptz[], integer)
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wardline_inbox(uuid, uuid[]), wardline_awaiting(uuid, uuid, uuid[], timestamptz[], integer)
  TO wardline_app;
