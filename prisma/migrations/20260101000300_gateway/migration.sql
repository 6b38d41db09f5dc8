-- What the gateway reads for every socket and every subscription: one round trip each, because after a restart thousands of
-- them come at once. As the functions before these, they name their tenant first and run with the rights of the caller.

-- All that decides what one user may do now or soon, and which of their sign-ins live: the snapshot that is kept for as long
-- as a socket of theirs is open. Times in epoch milliseconds. Null where there is no such user.
CREATE FUNCTION wardline_access(p_tenant uuid, p_user uuid, p_at timestamptz) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan SET jit = off AS $$
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN (
    SELECT jsonb_build_object(
      'version', u.version, 'kind', u.kind, 'username', u.username, 'displayName', u.display_name, 'title', u.title,
      'disabled', u.disabled_at IS NOT NULL OR t.disabled_at IS NOT NULL,
      'tenant', jsonb_build_object('id', t.id, 'slug', t.slug, 'name', t.name, 'version', t.version),
      'roles', (
        SELECT coalesce(jsonb_agg(r.name), '[]')
        FROM user_roles ur JOIN roles r ON r.tenant_id = p_tenant AND r.id = ur.role_id
        WHERE ur.tenant_id = p_tenant AND ur.user_id = p_user),
      'permissions', (
        SELECT coalesce(jsonb_agg(DISTINCT rp.permission), '[]')
        FROM user_roles ur JOIN role_permissions rp ON rp.tenant_id = p_tenant AND rp.role_id = ur.role_id
        WHERE ur.tenant_id = p_tenant AND ur.user_id = p_user),
      'careTeam', (
        SELECT coalesce(jsonb_agg(jsonb_build_object('patient', ct.patient_id, 'channel', c.id, 'head', c.head,
          'startsAt', (extract(epoch FROM ct.starts_at) * 1000)::bigint,
          'endsAt', (extract(epoch FROM ct.ends_at) * 1000)::bigint)), '[]')
        FROM care_team ct
        LEFT JOIN channels c ON c.tenant_id = p_tenant AND c.patient_id = ct.patient_id AND c.kind = 'patient'
        WHERE ct.tenant_id = p_tenant AND ct.user_id = p_user
          AND (ct.ends_at IS NULL OR ct.ends_at > p_at - interval '1 day')),
      'memberships', (
        SELECT coalesce(jsonb_agg(jsonb_build_object('channel', m.channel_id, 'head', c.head,
          'joinedAt', (extract(epoch FROM m.joined_at) * 1000)::bigint)), '[]')
        FROM channel_members m JOIN channels c ON c.tenant_id = p_tenant AND c.id = m.channel_id
        WHERE m.tenant_id = p_tenant AND m.user_id = p_user AND m.left_at IS NULL),
      'sessions', (
        SELECT coalesce(jsonb_agg(jsonb_build_object('id', s.id,
          'expiresAt', (extract(epoch FROM s.expires_at) * 1000)::bigint)), '[]')
        FROM sessions s JOIN devices d ON d.tenant_id = p_tenant AND d.id = s.device_id
        WHERE s.tenant_id = p_tenant AND s.user_id = p_user AND s.ended_at IS NULL AND s.expires_at > p_at
          AND d.revoked_at IS NULL))
    FROM users u JOIN tenants t ON t.id = p_tenant
    WHERE u.tenant_id = p_tenant AND u.id = p_user);
END
$$;

-- A channel as a subscription begins with it: its head, who may see it now (the patient's care team, or its members), and how
-- far each has got. Null where there is no such channel.
CREATE FUNCTION wardline_channel(p_tenant uuid, p_channel uuid, p_at timestamptz) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan SET jit = off AS $$
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN (
    SELECT jsonb_build_object(
      'kind', c.kind, 'patient', c.patient_id, 'dataKey', c.data_key_id, 'archived', c.archived_at IS NOT NULL,
      'head', c.head,
      'members', (
        SELECT coalesce(jsonb_agg(jsonb_build_object('user', u.id, 'displayName', u.display_name, 'title', u.title,
          'role', b.role, 'until', (extract(epoch FROM b.ends_at) * 1000)::bigint) ORDER BY u.display_name, u.id), '[]')
        FROM (
          SELECT m.user_id, NULL::text AS role, NULL::timestamptz AS ends_at
          FROM channel_members m
          WHERE c.kind <> 'patient' AND m.tenant_id = p_tenant AND m.channel_id = p_channel AND m.left_at IS NULL
          UNION ALL
          -- Of several assignments at once, the one that lasts longest.
          SELECT DISTINCT ON (ct.user_id) ct.user_id, ct.role, ct.ends_at
          FROM care_team ct
          WHERE c.kind = 'patient' AND ct.tenant_id = p_tenant AND ct.patient_id = c.patient_id
            AND ct.starts_at <= p_at AND (ct.ends_at IS NULL OR ct.ends_at > p_at)
          ORDER BY user_id, ends_at DESC NULLS FIRST
        ) b
        JOIN users u ON u.tenant_id = p_tenant AND u.id = b.user_id AND u.disabled_at IS NULL
        WHERE EXISTS (
          SELECT FROM user_roles ur JOIN role_permissions rp ON rp.tenant_id = p_tenant AND rp.role_id = ur.role_id
          WHERE ur.tenant_id = p_tenant AND ur.user_id = u.id AND rp.permission = 'channel.read')),
      'receipts', (
        SELECT coalesce(jsonb_agg(jsonb_build_object('user', r.user_id, 'delivered', r.delivered, 'read', r.read,
          'at', (extract(epoch FROM greatest(r.delivered_at, r.read_at)) * 1000)::bigint)), '[]')
        FROM receipts r WHERE r.tenant_id = p_tenant AND r.channel_id = p_channel))
    FROM channels c WHERE c.tenant_id = p_tenant AND c.id = p_channel);
END
$$;

-- What each of these people has not read in each of these channels (two arrays, side by side), counted up to p_limit.
CREATE FUNCTION wardline_unread(p_tenant uuid, p_users uuid[], p_channels uuid[], p_limit integer)
RETURNS TABLE (user_id uuid, channel_id uuid, head bigint, unread bigint, urgent bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan SET jit = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY
    SELECT asked.user_id, asked.channel_id, c.head, counted.unread, counted.urgent
    FROM unnest(p_users, p_channels) AS asked (user_id, channel_id)
    JOIN channels c ON c.tenant_id = p_tenant AND c.id = asked.channel_id
    LEFT JOIN receipts r ON r.tenant_id = p_tenant AND r.channel_id = asked.channel_id AND r.user_id = asked.user_id
    CROSS JOIN LATERAL (
      SELECT count(*) AS unread, count(*) FILTER (WHERE latest.attributes->>'priority' IN ('urgent', 'stat')) AS urgent
      FROM (
        SELECT e.attributes FROM channel_events e
        WHERE e.tenant_id = p_tenant AND e.channel_id = asked.channel_id AND e.seq > coalesce(r.read, 0)
          AND e.type = 'message.posted' AND e.actor_id <> asked.user_id
        ORDER BY e.seq DESC LIMIT p_limit) latest) counted;
END
$$;

-- A message, for who would correct, recall or acknowledge it.
CREATE FUNCTION wardline_message(p_tenant uuid, p_message uuid)
RETURNS TABLE (channel_id uuid, sender uuid)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY SELECT e.channel_id, e.actor_id FROM channel_events e
    WHERE e.tenant_id = p_tenant AND e.id = p_message AND e.type = 'message.posted';
END
$$;

REVOKE ALL ON FUNCTION wardline_access(uuid, uuid, timestamptz), wardline_channel(uuid, uuid, timestamptz),
  wardline_unread(uuid, uuid[], uuid[], integer), wardline_message(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wardline_access(uuid, uuid, timestamptz), wardline_channel(uuid, uuid, timestamptz),
  wardline_unread(uuid, uuid[], uuid[], integer), wardline_message(uuid, uuid) TO wardline_app;
