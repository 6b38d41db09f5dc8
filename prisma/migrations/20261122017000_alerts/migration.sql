-- Alerts (R-74): what the rules of apps/server/src/alerts have found in the sequenced audit log, how far they have read it, what they
-- remember between two events, and whom a tenant wants told.

CREATE TABLE "alerts" (
  "tenant_id" UUID NOT NULL,
  "id" UUID NOT NULL,
  "key" TEXT NOT NULL,
  "kind" TEXT NOT NULL,
  "severity" TEXT NOT NULL,
  "scope" TEXT NOT NULL,
  "state" TEXT NOT NULL DEFAULT 'open',
  "user_id" UUID,
  "address" TEXT,
  "patient_id" UUID,
  "count" INTEGER NOT NULL,
  "first_at" TIMESTAMPTZ(3) NOT NULL,
  "last_at" TIMESTAMPTZ(3) NOT NULL,
  "last_index" BIGINT NOT NULL,
  "raised_at" TIMESTAMPTZ(3) NOT NULL,
  "changed_at" TIMESTAMPTZ(3) NOT NULL,
  "acknowledged_by" UUID,
  "acknowledged_at" TIMESTAMPTZ(3),
  "closed_by" UUID,
  "closed_at" TIMESTAMPTZ(3),
  "resolution" TEXT,
  CONSTRAINT "alerts_pkey" PRIMARY KEY ("tenant_id", "id")
);

CREATE TABLE "alert_events" (
  "tenant_id" UUID NOT NULL,
  "alert_id" UUID NOT NULL,
  "leaf_index" BIGINT NOT NULL,
  CONSTRAINT "alert_events_pkey" PRIMARY KEY ("tenant_id", "alert_id", "leaf_index")
);

CREATE TABLE "alert_cursors" (
  "tenant_id" UUID NOT NULL,
  "next_index" BIGINT NOT NULL,
  "at" TIMESTAMPTZ(3),
  CONSTRAINT "alert_cursors_pkey" PRIMARY KEY ("tenant_id")
);

CREATE TABLE "alert_windows" (
  "tenant_id" UUID NOT NULL,
  "rule" TEXT NOT NULL,
  "subject" TEXT NOT NULL,
  "state" JSONB NOT NULL,
  "touched_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "alert_windows_pkey" PRIMARY KEY ("tenant_id", "rule", "subject")
);

CREATE TABLE "alert_webhooks" (
  "tenant_id" UUID NOT NULL,
  "url" TEXT,
  "data_key_id" UUID,
  "sealed_secret" BYTEA,
  "changed_by" UUID NOT NULL,
  "changed_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "alert_webhooks_pkey" PRIMARY KEY ("tenant_id")
);

CREATE TABLE "alert_deliveries" (
  "tenant_id" UUID NOT NULL,
  "id" UUID NOT NULL,
  "alert_id" UUID,
  "state" TEXT NOT NULL DEFAULT 'waiting',
  "attempts" INTEGER NOT NULL DEFAULT 0,
  "next_at" TIMESTAMPTZ(3) NOT NULL,
  "status" INTEGER,
  "fault" TEXT,
  "created_at" TIMESTAMPTZ(3) NOT NULL,
  "ended_at" TIMESTAMPTZ(3),
  CONSTRAINT "alert_deliveries_pkey" PRIMARY KEY ("tenant_id", "id")
);

CREATE TABLE "alert_settings" (
  "tenant_id" UUID NOT NULL,
  "zone" TEXT,
  "from_minute" INTEGER,
  "until_minute" INTEGER,
  "changed_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "alert_settings_pkey" PRIMARY KEY ("tenant_id")
);

CREATE UNIQUE INDEX "alerts_tenant_id_key_key" ON "alerts"("tenant_id", "key");
CREATE INDEX "alerts_tenant_id_state_last_at_idx" ON "alerts"("tenant_id", "state", "last_at");
CREATE INDEX "alerts_tenant_id_changed_at_idx" ON "alerts"("tenant_id", "changed_at");
CREATE INDEX "alert_windows_tenant_id_touched_at_idx" ON "alert_windows"("tenant_id", "touched_at");
CREATE INDEX "alert_deliveries_tenant_id_state_next_at_idx" ON "alert_deliveries"("tenant_id", "state", "next_at");

ALTER TABLE "alerts" ADD CONSTRAINT "alerts_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "alert_events" ADD CONSTRAINT "alert_events_tenant_id_alert_id_fkey" FOREIGN KEY ("tenant_id", "alert_id") REFERENCES "alerts"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "alert_webhooks" ADD CONSTRAINT "alert_webhooks_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "alert_webhooks" ADD CONSTRAINT "alert_webhooks_tenant_id_data_key_id_fkey" FOREIGN KEY ("tenant_id", "data_key_id") REFERENCES "data_keys"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "alert_deliveries" ADD CONSTRAINT "alert_deliveries_tenant_id_alert_id_fkey" FOREIGN KEY ("tenant_id", "alert_id") REFERENCES "alerts"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "alert_settings" ADD CONSTRAINT "alert_settings_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Values -------------------------------------------------------------------------------------------------------------

ALTER TABLE alerts ADD CONSTRAINT alerts_severity_check CHECK (severity IN ('low', 'medium', 'high', 'critical'));
ALTER TABLE alerts ADD CONSTRAINT alerts_scope_check CHECK (scope IN ('tenant', 'installation'));
ALTER TABLE alerts ADD CONSTRAINT alerts_state_check CHECK (state IN ('open', 'acknowledged', 'closed'));
ALTER TABLE alerts ADD CONSTRAINT alerts_closed_check CHECK ((state = 'closed') = (closed_at IS NOT NULL));
ALTER TABLE alerts ADD CONSTRAINT alerts_resolution_check CHECK (
  (state = 'closed') = (resolution IS NOT NULL) AND resolution IN ('resolved', 'expected', 'false-alarm', 'drill'));
ALTER TABLE alert_deliveries ADD CONSTRAINT alert_deliveries_state_check CHECK (state IN ('waiting', 'delivered', 'failed'));
ALTER TABLE alert_webhooks ADD CONSTRAINT alert_webhooks_whole_check CHECK (
  (url IS NULL) = (sealed_secret IS NULL) AND (url IS NULL) = (data_key_id IS NULL));
ALTER TABLE alert_settings ADD CONSTRAINT alert_settings_whole_check CHECK (
  (zone IS NULL) = (from_minute IS NULL) AND (zone IS NULL) = (until_minute IS NULL)
  AND from_minute BETWEEN 0 AND 1439 AND until_minute BETWEEN 0 AND 1439);
ALTER TABLE data_keys DROP CONSTRAINT data_keys_purpose_check;
ALTER TABLE data_keys ADD CONSTRAINT data_keys_purpose_check
  CHECK (purpose IN ('channel', 'patient', 'digest', 'factor', 'webhook'));

-- The role and the wall ----------------------------------------------------------------------------------------------

GRANT SELECT, INSERT, UPDATE ON alerts, alert_cursors, alert_windows, alert_webhooks, alert_deliveries, alert_settings TO wardline_app;
GRANT SELECT, INSERT ON alert_events TO wardline_app;
-- What a rule remembers is no record of anything; a delivery is, and it is in the audit.
GRANT DELETE ON alert_windows, alert_deliveries TO wardline_app;

DO $$
DECLARE
  wall text;
BEGIN
  FOREACH wall IN ARRAY ARRAY['alerts', 'alert_events', 'alert_cursors', 'alert_windows', 'alert_webhooks',
    'alert_deliveries', 'alert_settings']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', wall);
    EXECUTE format($policy$
      CREATE POLICY tenant_wall ON %I TO wardline_app
        USING (tenant_id = nullif(current_setting('wardline.tenant', true), '')::uuid)
        WITH CHECK (tenant_id = nullif(current_setting('wardline.tenant', true), '')::uuid)
      $policy$, wall);
  END LOOP;
END
$$;

-- Reading the log ----------------------------------------------------------------------------------------------------

-- How far a tenant's events (the nil UUID: those of no tenant) have been read; null: never. `log_end`: places given out in all.
CREATE FUNCTION wardline_alert_cursor(p_tenant uuid)
RETURNS TABLE (next_index bigint, at bigint, log_end bigint, zone text, from_minute integer, until_minute integer)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY
    SELECT c.next_index, (extract(epoch FROM c.at) * 1000)::bigint, coalesce((SELECT h.size FROM audit_log.head h), 0),
      s.zone, s.from_minute, s.until_minute
    FROM (VALUES (p_tenant)) AS t (id)
    LEFT JOIN alert_cursors c ON c.tenant_id = t.id LEFT JOIN alert_settings s ON s.tenant_id = t.id;
END
$$;

CREATE FUNCTION wardline_alert_begin(p_tenant uuid, p_index bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  INSERT INTO alert_cursors (tenant_id, next_index) VALUES (p_tenant, p_index) ON CONFLICT DO NOTHING;
END
$$;

-- A tenant's runs from a place on, until they hold p_events events. `due`: the number that the writer's run should begin with: where
-- it does not, rows were taken out before they had a place.
CREATE FUNCTION wardline_alert_runs(p_tenant uuid, p_from bigint, p_events integer)
RETURNS TABLE (first_index bigint, count integer, writer_id uuid, first_seq bigint, own bytea, due bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY
    SELECT r.first_index, r.count, r.writer_id, r.first_seq, r.own,
      CASE WHEN r.own IS NULL THEN coalesce((
        SELECT x.first_seq + x.count FROM audit_log.runs x
        WHERE x.tenant_id = p_tenant AND x.writer_id = r.writer_id AND x.first_seq < r.first_seq
        ORDER BY x.first_seq DESC LIMIT 1), 1) ELSE r.first_seq END
    FROM (
      SELECT y.*, sum(y.count) OVER (ORDER BY y.first_index) - y.count AS before
      FROM (
        SELECT z.* FROM audit_log.runs z WHERE z.tenant_id = p_tenant AND z.first_index >= p_from
        ORDER BY z.first_index LIMIT 256) y) r
    WHERE r.before < p_events ORDER BY r.first_index;
END
$$;

-- The events of these runs but those that begin like one of p_skip. `p_since`: none of them is older, which spares old partitions.
CREATE FUNCTION wardline_alert_rows(
  p_tenant uuid, p_writers uuid[], p_firsts bigint[], p_counts integer[], p_since timestamptz, p_skip bytea[])
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
      ORDER BY o.writer_seq) x
    WHERE NOT (x.event LIKE ANY (p_skip))
    ORDER BY r.n, x.writer_seq;
END
$$;

-- The age of the oldest of a tenant's last p_rows events that has no place in the log yet; null: all of them have one.
CREATE FUNCTION wardline_alert_unplaced(p_tenant uuid, p_rows integer) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN (
    SELECT (extract(epoch FROM min(l.at)) * 1000)::bigint
    FROM (
      SELECT o.at, o.writer_id, o.writer_seq FROM audit_outbox o WHERE o.tenant_id = p_tenant
      ORDER BY o.at DESC LIMIT p_rows) l
    WHERE NOT coalesce((
      SELECT l.writer_seq < x.first_seq + x.count FROM audit_log.runs x
      WHERE x.tenant_id = p_tenant AND x.writer_id = l.writer_id AND x.first_seq <= l.writer_seq
      ORDER BY x.first_seq DESC LIMIT 1), false));
END
$$;

-- What rules remember ------------------------------------------------------------------------------------------------

CREATE FUNCTION wardline_alert_windows(p_tenant uuid, p_rules text[], p_subjects text[])
RETURNS TABLE (ord integer, state jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY
    SELECT (k.n - 1)::integer, w.state FROM unnest(p_rules, p_subjects) WITH ORDINALITY AS k (rule, subject, n)
    JOIN alert_windows w ON w.tenant_id = p_tenant AND w.rule = k.rule AND w.subject = k.subject;
END
$$;

-- Takes a batch down, all or nothing: the cursor from p_from to p_to (both null: it is not this tenant's log that was read), what the
-- rules remember, and what they found. One row `lost` where somebody else has read on from p_from; one row `raises` where an alert is
-- new, or open again, and p_audited is false: nothing has changed then, and the caller comes again with an audit event. Otherwise a
-- row for each alert that was raised. Counts are given whole, so that a batch may come twice.
CREATE FUNCTION wardline_alert_record(
  p_tenant uuid, p_from bigint, p_to bigint, p_read_at timestamptz, p_now timestamptz, p_windows jsonb, p_alerts jsonb,
  p_most integer, p_audited boolean)
RETURNS TABLE (verdict text, id uuid, kind text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
#variable_conflict use_column
DECLARE
  item record;
  there record;
  v_key text;
  v_many boolean;
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  IF p_from IS NOT NULL THEN
    PERFORM FROM alert_cursors c WHERE c.tenant_id = p_tenant AND c.next_index = p_from FOR UPDATE;
    IF NOT FOUND THEN
      RETURN QUERY SELECT 'lost', NULL::uuid, NULL::text;
      RETURN;
    END IF;
  END IF;
  IF NOT p_audited AND EXISTS (
    SELECT FROM jsonb_to_recordset(p_alerts) AS a (key text, "lastIndex" bigint)
    LEFT JOIN alerts x ON x.tenant_id = p_tenant AND x.key = a.key
    WHERE x.id IS NULL OR (x.state = 'closed' AND a."lastIndex" > x.last_index)) THEN
    RETURN QUERY SELECT 'raises', NULL::uuid, NULL::text;
    RETURN;
  END IF;
  IF p_from IS NOT NULL THEN
    UPDATE alert_cursors SET next_index = p_to, at = coalesce(p_read_at, at) WHERE tenant_id = p_tenant;
  END IF;
  INSERT INTO alert_windows (tenant_id, rule, subject, state, touched_at)
    SELECT p_tenant, w.rule, w.subject, w.state, p_now
    FROM jsonb_to_recordset(p_windows) AS w (rule text, subject text, state jsonb)
    ON CONFLICT (tenant_id, rule, subject) DO UPDATE SET state = excluded.state, touched_at = excluded.touched_at;

  FOR item IN SELECT * FROM jsonb_to_recordset(p_alerts) AS a (id uuid, key text, kind text, severity text, scope text,
    "user" uuid, address text, patient uuid, count integer, first bigint, last bigint, "lastIndex" bigint, events bigint[])
  LOOP
    v_key := item.key;
    SELECT * INTO there FROM alerts x WHERE x.tenant_id = p_tenant AND x.key = v_key FOR UPDATE;
    v_many := there.id IS NULL AND (
      SELECT count(*) >= p_most FROM (
        SELECT FROM alerts x WHERE x.tenant_id = p_tenant AND x.state IN ('open', 'acknowledged') AND x.kind = item.kind
        LIMIT p_most) found);
    IF v_many THEN
      -- So many of one kind are one alert more: whoever can raise them cannot bury the others.
      v_key := item.kind || ':many';
      SELECT * INTO there FROM alerts x WHERE x.tenant_id = p_tenant AND x.key = v_key FOR UPDATE;
    END IF;
    IF there.id IS NULL THEN
      INSERT INTO alerts (tenant_id, id, key, kind, severity, scope, user_id, address, patient_id, count, first_at, last_at,
        last_index, raised_at, changed_at)
      VALUES (p_tenant, item.id, v_key, item.kind, item.severity, item.scope,
        CASE WHEN v_many THEN NULL ELSE item."user" END, CASE WHEN v_many THEN NULL ELSE item.address END,
        CASE WHEN v_many THEN NULL ELSE item.patient END, item.count, to_timestamp(item.first / 1000.0),
        to_timestamp(item.last / 1000.0), item."lastIndex", p_now, p_now);
      there.id := item.id;
      there.state := 'new';
    ELSIF item."lastIndex" > there.last_index THEN
      UPDATE alerts x SET
        count = CASE WHEN v_many THEN least(x.count + 1, 2147483646) ELSE greatest(x.count, item.count) END,
        last_at = greatest(x.last_at, to_timestamp(item.last / 1000.0)),
        last_index = item."lastIndex", changed_at = p_now
        WHERE x.tenant_id = p_tenant AND x.id = there.id;
      IF there.state = 'closed' THEN
        UPDATE alerts x SET state = 'open', raised_at = p_now, acknowledged_by = NULL, acknowledged_at = NULL,
          closed_by = NULL, closed_at = NULL, resolution = NULL
          WHERE x.tenant_id = p_tenant AND x.id = there.id;
      END IF;
    ELSE
      CONTINUE;
    END IF;
    INSERT INTO alert_events (tenant_id, alert_id, leaf_index)
      SELECT p_tenant, there.id, e FROM unnest(item.events) AS e WHERE NOT v_many ON CONFLICT DO NOTHING;
    IF there.state IN ('new', 'closed') THEN
      INSERT INTO alert_deliveries (tenant_id, id, alert_id, next_at, created_at)
        SELECT p_tenant, gen_random_uuid(), there.id, p_now, p_now FROM alert_webhooks h
        WHERE h.tenant_id = p_tenant AND h.url IS NOT NULL;
      RETURN QUERY SELECT 'raised', there.id::uuid, item.kind;
    END IF;
  END LOOP;
END
$$;

-- A tenant's messages that are due, the longest due first, with where to and the sealed secret; none where there is no webhook.
CREATE FUNCTION wardline_alert_due(p_tenant uuid, p_now timestamptz, p_limit integer)
RETURNS TABLE (id uuid, alert_id uuid, attempts integer, url text, sealed_secret bytea)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY
    SELECT d.id, d.alert_id, d.attempts, h.url, h.sealed_secret FROM alert_deliveries d
    JOIN alert_webhooks h ON h.tenant_id = p_tenant AND h.url IS NOT NULL
    WHERE d.tenant_id = p_tenant AND d.state = 'waiting' AND d.next_at <= p_now
    ORDER BY d.next_at LIMIT p_limit;
END
$$;

-- What rules remembered of whom nothing was heard for long, and deliveries that ended long ago.
CREATE FUNCTION wardline_alert_forget(p_tenant uuid, p_windows_before timestamptz, p_rules text[], p_ended_before timestamptz)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  DELETE FROM alert_windows WHERE tenant_id = p_tenant AND touched_at < p_windows_before AND rule = ANY (p_rules);
  DELETE FROM alert_deliveries WHERE tenant_id = p_tenant AND state <> 'waiting' AND ended_at < p_ended_before;
END
$$;

-- What an open screen shows in its corner; it changes when anything about the tenant's alerts does.
CREATE FUNCTION wardline_alert_counts(p_tenant uuid) RETURNS TABLE (open integer, changed_at bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY SELECT
    (SELECT count(*)::integer FROM (
      SELECT FROM alerts x WHERE x.tenant_id = p_tenant AND x.state = 'open' LIMIT 1000) opened),
    (SELECT (extract(epoch FROM max(x.changed_at)) * 1000)::bigint FROM alerts x WHERE x.tenant_id = p_tenant);
END
$$;

-- The events of an alert, newest first, as far as they are this tenant's.
CREATE FUNCTION wardline_alert_refs(p_tenant uuid, p_alert uuid, p_limit integer)
RETURNS TABLE (writer_id uuid, writer_seq bigint, at bigint, event bytea, leaf_index bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY
    SELECT o.writer_id, o.writer_seq, (extract(epoch FROM o.at) * 1000)::bigint, o.event, e.leaf_index
    FROM (
      SELECT x.leaf_index, a.first_at, a.last_at FROM alert_events x
      JOIN alerts a ON a.tenant_id = p_tenant AND a.id = x.alert_id
      WHERE x.tenant_id = p_tenant AND x.alert_id = p_alert ORDER BY x.leaf_index DESC LIMIT p_limit) e
    CROSS JOIN LATERAL (
      SELECT y.* FROM audit_log.runs y WHERE y.tenant_id = p_tenant AND y.first_index <= e.leaf_index
      ORDER BY y.first_index DESC LIMIT 1) r
    JOIN audit_outbox o ON o.tenant_id = p_tenant AND o.writer_id = r.writer_id
      AND o.writer_seq = r.first_seq + (e.leaf_index - r.first_index)
      AND o.at BETWEEN e.first_at - interval '1 day' AND e.last_at + interval '1 day'
    WHERE e.leaf_index < r.next_index AND r.own IS NULL
    ORDER BY e.leaf_index DESC;
END
$$;

DO $$
DECLARE
  routine regprocedure;
BEGIN
  FOR routine IN
    SELECT p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'wardline\_alert\_%'
  LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', routine);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO wardline_app', routine);
  END LOOP;
END
$$;
