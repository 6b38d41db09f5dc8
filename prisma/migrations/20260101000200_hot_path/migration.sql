-- What the busy paths call, each one round trip and one implicit transaction. They run with the rights of the caller, so
-- the tenant wall holds inside them: each names its tenant first.
--
-- Their plans are kept for as long as a connection lives, so none may be one that was good while a table was small. Hence
-- the planner settings, which are part of the functions, and the looks of the form "x BETWEEN y AND y ORDER BY x LIMIT 1":
-- with sorting off, only the index in that order will do. (By "x = y" the planner may take any index that begins with
-- tenant_id, and then reads the whole tenant for every item once there is one.)

-- The receipts of a commit, for wardline_commit alone, which has named the tenant. Each (channel, user) once.
CREATE FUNCTION wardline_mark(
  p_tenant uuid, p_writer uuid, p_writer_seq bigint, p_at timestamptz, p_first integer,
  r_channel uuid[], r_user uuid[], r_delivered bigint[], r_read bigint[], r_audit bytea[])
RETURNS TABLE (ord integer, verdict text, delivered bigint, read bigint)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
-- The lateral look is a nested loop whatever is said here; the other join must not be one.
SET enable_nestloop = off SET plan_cache_mode = force_generic_plan SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH item AS (
    SELECT (p_first + i.place - 1)::integer AS place, i.channel_id, i.user_id, i.delivered, i.read, i.audit
    FROM unnest(r_channel, r_user, r_delivered, r_read, r_audit)
      WITH ORDINALITY AS i (channel_id, user_id, delivered, read, audit, place)
  ), held AS MATERIALIZED (
    -- Nobody has received what was not sent yet; who has read has received.
    SELECT i.place, i.channel_id, i.user_id, i.audit, c.id IS NOT NULL AS known,
           least(i.read, c.head) AS read, greatest(least(i.delivered, c.head), least(i.read, c.head)) AS delivered
    FROM item i LEFT JOIN LATERAL (
      SELECT h.id, h.head FROM channels h
      WHERE h.tenant_id = p_tenant AND h.id BETWEEN i.channel_id AND i.channel_id ORDER BY h.id LIMIT 1) c ON true
  ), moved AS (
    INSERT INTO receipts AS r (tenant_id, channel_id, user_id, delivered, read, delivered_at, read_at)
    SELECT p_tenant, h.channel_id, h.user_id, h.delivered, h.read, p_at, CASE WHEN h.read > 0 THEN p_at END
    FROM held h WHERE h.known AND h.delivered > 0
    -- In one order on every node, so that two never wait for each other.
    ORDER BY h.channel_id, h.user_id
    ON CONFLICT (tenant_id, channel_id, user_id) DO UPDATE SET
      delivered = greatest(r.delivered, excluded.delivered),
      delivered_at = CASE WHEN excluded.delivered > r.delivered THEN excluded.delivered_at ELSE r.delivered_at END,
      read = greatest(r.read, excluded.read),
      read_at = CASE WHEN excluded.read > r.read THEN excluded.read_at ELSE r.read_at END
    WHERE excluded.delivered > r.delivered OR excluded.read > r.read
    RETURNING r.channel_id, r.user_id, r.delivered, r.read, r.read_at
  ), marked AS MATERIALIZED (
    SELECT h.place, h.audit, m.delivered, m.read,
           CASE WHEN NOT h.known THEN 'no-channel' WHEN m.user_id IS NULL THEN 'same'
                WHEN h.read > 0 AND m.read = h.read AND m.read_at = p_at THEN 'read' ELSE 'moved' END AS verdict
    FROM held h LEFT JOIN moved m ON m.channel_id = h.channel_id AND m.user_id = h.user_id
  ), audited AS (
    INSERT INTO audit_outbox (tenant_id, writer_id, writer_seq, at, event)
    SELECT p_tenant, p_writer, p_writer_seq + row_number() OVER (), p_at, k.audit
    FROM marked k WHERE k.verdict = 'read'
  )
  SELECT k.place, k.verdict, k.delivered, k.read FROM marked k;
END
$$;

-- Commits what the committer gathered for one tenant (ARCHITECTURE: the hot path). Arrays named e_… are channel events,
-- r_… are receipts; p_writer_seq is the last sequence this writer has used.
--
-- Gives one row for each event (ord from 0) and then for each receipt; times are epoch milliseconds. Events: `accepted`;
-- `repeated` (the same actor and client id with the same digest: id, seq and at of the first time); `conflict` (… with
-- another digest); `no-channel` (not of this tenant, or archived); `no-message` (the message it speaks of is not a message
-- of that channel). Receipts: `moved` (delivered), `read` (read, with its audit row), `same`, `no-channel`; seq is what is
-- delivered now. Only `accepted` and `read` take a writer sequence.
CREATE FUNCTION wardline_commit(
  p_tenant uuid, p_writer uuid, p_writer_seq bigint, p_at timestamptz,
  e_channel uuid[], e_id uuid[], e_type text[], e_actor uuid[], e_client uuid[], e_digest bytea[], e_message uuid[],
  e_attributes jsonb[], e_body bytea[], e_audit bytea[],
  r_channel uuid[], r_user uuid[], r_delivered bigint[], r_read bigint[], r_audit bytea[])
RETURNS TABLE (ord integer, verdict text, id uuid, seq bigint, read bigint, at bigint)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_events integer := cardinality(e_id);
  v_used bigint := 0;
  v_ord integer[];
  v_verdict text[];
  v_id uuid[];
  v_seq bigint[];
  v_at timestamptz[];
  v_places tid[];
  v_place tid;
  v_count bigint;
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);

  IF v_events > 0 THEN
    -- In id order, so that two nodes never wait for each other. Key shares of foreign keys pass.
    PERFORM 1 FROM (SELECT DISTINCT u.id FROM unnest(e_channel) u (id) ORDER BY u.id) i, LATERAL (
      SELECT 1 FROM channels h WHERE h.tenant_id = p_tenant AND h.id BETWEEN i.id AND i.id
      ORDER BY h.id LIMIT 1 FOR NO KEY UPDATE) c;

    -- A statement of its own: its snapshot is taken after the locks are held, so it sees every earlier repeat.
    WITH item AS (
      SELECT (i.place - 1)::integer AS place, i.channel_id, i.id, i.type, i.actor_id, i.client_id, i.digest, i.message_id,
             i.attributes, i.body, i.audit
      FROM unnest(e_channel, e_id, e_type, e_actor, e_client, e_digest, e_message, e_attributes, e_body, e_audit)
        WITH ORDINALITY AS i (channel_id, id, type, actor_id, client_id, digest, message_id, attributes, body, audit, place)
    ), judged AS (
      SELECT i.*, c.row_place, c.head, prior.id AS prior_id, prior.seq AS prior_seq, prior.at AS prior_at,
             CASE
               WHEN prior.id IS NOT NULL THEN
                 CASE WHEN prior.channel_id = i.channel_id AND prior.request_digest = i.digest THEN 'repeated'
                      ELSE 'conflict' END
               WHEN c.head IS NULL OR c.archived_at IS NOT NULL THEN 'no-channel'
               WHEN i.message_id IS NOT NULL AND subject.id IS NULL THEN 'no-message'
               ELSE 'accepted'
             END AS verdict
      FROM item i
      LEFT JOIN LATERAL (
        SELECT h.ctid AS row_place, h.head, h.archived_at FROM channels h
        WHERE h.tenant_id = p_tenant AND h.id BETWEEN i.channel_id AND i.channel_id ORDER BY h.id LIMIT 1) c ON true
      LEFT JOIN LATERAL (
        SELECT e.id, e.seq, e.at, e.channel_id, e.request_digest FROM channel_events e
        WHERE e.tenant_id = p_tenant AND e.actor_id = i.actor_id AND e.client_id BETWEEN i.client_id AND i.client_id
        ORDER BY e.client_id LIMIT 1) prior ON true
      LEFT JOIN LATERAL (
        SELECT e.id, e.channel_id, e.type FROM channel_events e
        WHERE e.tenant_id = p_tenant AND e.id BETWEEN i.message_id AND i.message_id
        ORDER BY e.id LIMIT 1) subject ON subject.channel_id = i.channel_id AND subject.type = 'message.posted'
    ), placed AS MATERIALIZED (
      SELECT j.*, j.verdict = 'accepted' AS accepted,
             j.head + count(*) FILTER (WHERE j.verdict = 'accepted') OVER (PARTITION BY j.channel_id ORDER BY j.place)
               AS new_seq,
             p_writer_seq + count(*) FILTER (WHERE j.verdict = 'accepted') OVER (ORDER BY j.channel_id, j.place)
               AS writer_seq
      FROM judged j
    ), inserted AS (
      INSERT INTO channel_events (tenant_id, channel_id, seq, id, type, actor_id, client_id, request_digest, message_id,
        attributes, body, at)
      SELECT p_tenant, p.channel_id, p.new_seq, p.id, p.type, p.actor_id, p.client_id, p.digest, p.message_id,
             p.attributes, p.body, p_at
      FROM placed p WHERE p.accepted
    ), audited AS (
      INSERT INTO audit_outbox (tenant_id, writer_id, writer_seq, at, event)
      SELECT p_tenant, p_writer, p.writer_seq, p_at, p.audit FROM placed p WHERE p.accepted
    )
    SELECT array_agg(p.place), array_agg(p.verdict), array_agg(CASE WHEN p.accepted THEN p.id ELSE p.prior_id END),
           array_agg(CASE WHEN p.accepted THEN p.new_seq ELSE p.prior_seq END),
           array_agg(CASE WHEN p.accepted THEN p_at ELSE p.prior_at END),
           array_agg(p.row_place) FILTER (WHERE p.accepted)
    INTO v_ord, v_verdict, v_id, v_seq, v_at, v_places
    FROM placed p;

    -- Row by row by its place, which our lock holds still: a set of places the planner would rather filter from the tenant.
    FOR v_place, v_count IN SELECT u.place, count(*) FROM unnest(v_places) u (place) GROUP BY u.place LOOP
      UPDATE channels c SET head = c.head + v_count WHERE c.ctid = v_place;
      v_used := v_used + v_count;
    END LOOP;

    RETURN QUERY SELECT u.ord, u.verdict, u.id, u.seq, NULL::bigint, (extract(epoch FROM u.at) * 1000)::bigint
      FROM unnest(v_ord, v_verdict, v_id, v_seq, v_at) u (ord, verdict, id, seq, at);
  END IF;

  IF cardinality(r_user) > 0 THEN
    RETURN QUERY SELECT m.ord, m.verdict, NULL::uuid, m.delivered, m.read, (extract(epoch FROM p_at) * 1000)::bigint
      FROM wardline_mark(p_tenant, p_writer, p_writer_seq + v_used, p_at, v_events, r_channel, r_user, r_delivered, r_read,
        r_audit) m;
  END IF;
END
$$;

-- The same inside a transaction that changes other rows too (a membership and its `member.joined`): few events, given as
-- [{channel, id, type, actor, client, digest, message, attributes, body, audit}], bytes in base64.
CREATE FUNCTION wardline_append(p_tenant uuid, p_writer uuid, p_writer_seq bigint, p_at timestamptz, p_events jsonb)
RETURNS TABLE (ord integer, verdict text, id uuid, seq bigint, at bigint)
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public AS $$
  SELECT c.ord, c.verdict, c.id, c.seq, c.at
  FROM (
    SELECT array_agg((e->>'channel')::uuid ORDER BY n) AS channel, array_agg((e->>'id')::uuid ORDER BY n) AS id,
           array_agg(e->>'type' ORDER BY n) AS type, array_agg((e->>'actor')::uuid ORDER BY n) AS actor,
           array_agg((e->>'client')::uuid ORDER BY n) AS client,
           array_agg(decode(e->>'digest', 'base64') ORDER BY n) AS digest,
           array_agg((e->>'message')::uuid ORDER BY n) AS message, array_agg(e->'attributes' ORDER BY n) AS attributes,
           array_agg(decode(e->>'body', 'base64') ORDER BY n) AS body,
           array_agg(decode(e->>'audit', 'base64') ORDER BY n) AS audit
    FROM jsonb_array_elements(p_events) WITH ORDINALITY AS x (e, n)
  ) a, LATERAL wardline_commit(p_tenant, p_writer, p_writer_seq, p_at, a.channel, a.id, a.type, a.actor, a.client,
    a.digest, a.message, a.attributes, a.body, a.audit, '{}', '{}', '{}', '{}', '{}') c
$$;

-- Audit events that stand alone (a refusal, a connection), many at once.
CREATE FUNCTION wardline_audit(p_tenant uuid, p_writer uuid, p_writer_seq bigint, p_at timestamptz[], p_event bytea[])
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  INSERT INTO audit_outbox (tenant_id, writer_id, writer_seq, at, event)
  SELECT p_tenant, p_writer, p_writer_seq + i.place, i.at, i.event
  FROM unnest(p_at, p_event) WITH ORDINALITY AS i (at, event, place);
END
$$;

-- Replay: a channel's events after a sequence, upwards, or before one, downwards.
CREATE FUNCTION wardline_events_after(p_tenant uuid, p_channel uuid, p_after bigint, p_limit integer)
RETURNS TABLE (seq bigint, id uuid, type text, actor_id uuid, client_id uuid, message_id uuid, attributes jsonb, body bytea,
  at bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY SELECT e.seq, e.id, e.type, e.actor_id, e.client_id, e.message_id, e.attributes, e.body,
      (extract(epoch FROM e.at) * 1000)::bigint FROM channel_events e WHERE e.tenant_id = p_tenant AND e.channel_id = p_channel AND e.seq > p_after
    ORDER BY e.seq LIMIT p_limit;
END
$$;

CREATE FUNCTION wardline_events_before(p_tenant uuid, p_channel uuid, p_before bigint, p_limit integer)
RETURNS TABLE (seq bigint, id uuid, type text, actor_id uuid, client_id uuid, message_id uuid, attributes jsonb, body bytea,
  at bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY SELECT e.seq, e.id, e.type, e.actor_id, e.client_id, e.message_id, e.attributes, e.body,
      (extract(epoch FROM e.at) * 1000)::bigint FROM channel_events e WHERE e.tenant_id = p_tenant AND e.channel_id = p_channel AND e.seq < p_before
    ORDER BY e.seq DESC LIMIT p_limit;
END
$$;

-- What a node asks every second of each tenant it serves: the truth behind the hints it may have missed.
CREATE FUNCTION wardline_poll(p_tenant uuid, p_users uuid[], p_channels uuid[])
RETURNS TABLE (kind text, id uuid, value bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY
    SELECT 'tenant', t.id, t.version::bigint FROM tenants t WHERE t.id = p_tenant
    UNION ALL
    SELECT 'user', u.id, u.version::bigint FROM unnest(p_users) i (id), LATERAL (
      SELECT x.id, x.version FROM users x
      WHERE x.tenant_id = p_tenant AND x.id BETWEEN i.id AND i.id ORDER BY x.id LIMIT 1) u
    UNION ALL
    SELECT 'channel', c.id, c.head FROM unnest(p_channels) i (id), LATERAL (
      SELECT x.id, x.head FROM channels x
      WHERE x.tenant_id = p_tenant AND x.id BETWEEN i.id AND i.id ORDER BY x.id LIMIT 1) c;
END
$$;

CREATE FUNCTION wardline_channel_receipts(p_tenant uuid, p_channel uuid)
RETURNS TABLE (user_id uuid, delivered bigint, read bigint, delivered_at bigint, read_at bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY SELECT r.user_id, r.delivered, r.read,
      (extract(epoch FROM r.delivered_at) * 1000)::bigint, (extract(epoch FROM r.read_at) * 1000)::bigint FROM receipts r WHERE r.tenant_id = p_tenant AND r.channel_id = p_channel;
END
$$;

-- A tenant's audit events, newest first, below a row already read (null: from the newest).
CREATE FUNCTION wardline_audit_page(p_tenant uuid, p_at timestamptz, p_writer uuid, p_writer_seq bigint, p_limit integer)
RETURNS TABLE (writer_id uuid, writer_seq bigint, at bigint, event bytea)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  -- The first condition is for the index, the second for rows of the same millisecond.
  RETURN QUERY SELECT a.writer_id, a.writer_seq, (extract(epoch FROM a.at) * 1000)::bigint, a.event
    FROM audit_outbox a
    WHERE a.tenant_id = p_tenant AND a.at <= coalesce(p_at, 'infinity')
      AND (p_at IS NULL OR (a.at, a.writer_id, a.writer_seq) < (p_at, p_writer, p_writer_seq))
    ORDER BY a.at DESC, a.writer_id DESC, a.writer_seq DESC LIMIT p_limit;
END
$$;

-- True the first time a proof is seen, on whichever node. Not waited for on disk: what a crash could forget is younger
-- than wal_writer_delay (200 ms) and the sender of a stolen proof would have to hit that moment.
CREATE FUNCTION wardline_use_proof(p_digest bytea, p_expires_at timestamptz) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  INSERT INTO used_proofs (digest, expires_at) VALUES (p_digest, p_expires_at) ON CONFLICT DO NOTHING;
  RETURN FOUND;
END
$$;

DO $$
DECLARE
  routine regprocedure;
BEGIN
  FOR routine IN
    SELECT p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'wardline\_%' AND p.proname <> 'wardline_refuse_change'
  LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', routine);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO wardline_app', routine);
  END LOOP;
END
$$;
