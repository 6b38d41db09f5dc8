-- What an inbox shows of many channels at once: one round trip each, whatever their number. As the functions before these, they
-- name their tenant first and run with the rights of the caller.

-- Few messages ask for an acknowledgement, and these two indexes hold those and their answers alone.
CREATE INDEX channel_events_asking ON channel_events (tenant_id, channel_id, seq)
  WHERE type = 'message.posted' AND (attributes->'ackRequired') = 'true'::jsonb;
CREATE INDEX channel_events_answers ON channel_events (tenant_id, message_id)
  WHERE type IN ('message.acknowledged', 'message.recalled');

-- The channels and when each was last active: the time of its last event, or of its creation while there is none. Times in epoch
-- milliseconds.
CREATE FUNCTION wardline_inbox(p_tenant uuid, p_channels uuid[])
RETURNS TABLE (id uuid, kind text, patient_id uuid, archived boolean, sealed_title bytea, head bigint, last_at bigint,
  active_at bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan SET jit = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY
    SELECT c.id, c.kind, c.patient_id, c.archived_at IS NOT NULL, c.sealed_title, c.head,
      (extract(epoch FROM e.at) * 1000)::bigint, (extract(epoch FROM coalesce(e.at, c.created_at)) * 1000)::bigint
    FROM channels c
    LEFT JOIN channel_events e ON e.tenant_id = p_tenant AND e.channel_id = c.id AND e.seq = c.head
    WHERE c.tenant_id = p_tenant AND c.id = ANY (p_channels);
END
$$;

-- What in each of these channels waits for this person: messages of others that ask for an acknowledgement and have none of
-- theirs. Of those posted before p_since (one for each channel: when the person came to it), the ones that nobody has answered:
-- what was settled before they came is settled. Of each channel the last p_limit are looked at.
CREATE FUNCTION wardline_awaiting(p_tenant uuid, p_user uuid, p_channels uuid[], p_since timestamptz[], p_limit integer)
RETURNS TABLE (channel_id uuid, priority text, messages bigint, oldest bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan SET jit = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY
    SELECT asked.channel_id, coalesce(m.attributes->>'priority', 'routine'), count(*),
      (extract(epoch FROM min(m.at)) * 1000)::bigint
    FROM unnest(p_channels, p_since) AS asked (channel_id, since)
    CROSS JOIN LATERAL (
      SELECT e.id, e.at, e.attributes FROM channel_events e
      WHERE e.tenant_id = p_tenant AND e.channel_id = asked.channel_id AND e.type = 'message.posted'
        AND (e.attributes->'ackRequired') = 'true'::jsonb AND e.actor_id <> p_user
      ORDER BY e.seq DESC LIMIT p_limit) m
    WHERE NOT EXISTS (
      SELECT FROM channel_events a
      WHERE a.tenant_id = p_tenant AND a.message_id = m.id AND a.type IN ('message.acknowledged', 'message.recalled')
        AND (a.type = 'message.recalled' OR a.actor_id = p_user OR m.at < asked.since))
    GROUP BY 1, 2;
END
$$;

REVOKE ALL ON FUNCTION wardline_inbox(uuid, uuid[]), wardline_awaiting(uuid, uuid, uuid[], timestamptz[], integer)
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wardline_inbox(uuid, uuid[]), wardline_awaiting(uuid, uuid, uuid[], timestamptz[], integer)
  TO wardline_app;
