-- The audit log's own tables, beside the outbox: which event has which place in the Merkle log (docs/audit.md). They are written by
-- the sequencer's role alone, which in turn reads the outbox and nothing else of the product.

CREATE SCHEMA audit_log;

-- Roles belong to the cluster, not to this database: another database of ours may have made it, even just now.
DO $$
BEGIN
  CREATE ROLE wardline_sequencer NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

-- Places ---------------------------------------------------------------------------------------------------------------

-- `count` events of one writer, from `first_seq` on, have the places from `first_index` on. Fixed before anything is appended to
-- the log, so that a crash in between cannot give an event two places. `own`: not an outbox row but this very leaf (a heartbeat of
-- the sequencer, whose tenant and writer are the nil UUID). The chain of `follows` leaves no place out and gives none twice, also
-- when two sequencers believe that they lead.
CREATE TABLE audit_log.runs (
  first_index BIGINT PRIMARY KEY CHECK (first_index >= 0),
  count INTEGER NOT NULL CHECK (count > 0),
  next_index BIGINT NOT NULL GENERATED ALWAYS AS (first_index + count) STORED UNIQUE,
  follows BIGINT GENERATED ALWAYS AS (nullif(first_index, 0)) STORED REFERENCES audit_log.runs (next_index),
  tenant_id UUID NOT NULL,
  writer_id UUID NOT NULL,
  first_seq BIGINT NOT NULL CHECK (first_seq > 0),
  own BYTEA,
  at TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
  UNIQUE (tenant_id, writer_id, first_seq),
  CHECK (own IS NULL OR count = 1)
);

CREATE INDEX runs_tenant ON audit_log.runs (tenant_id, first_index);

CREATE TRIGGER runs_keep_rows BEFORE UPDATE OR DELETE ON audit_log.runs
  FOR EACH ROW EXECUTE FUNCTION wardline_refuse_change();
CREATE TRIGGER runs_keep_table BEFORE TRUNCATE ON audit_log.runs
  FOR EACH STATEMENT EXECUTE FUNCTION wardline_refuse_change();
ALTER TABLE audit_log.runs ENABLE ALWAYS TRIGGER runs_keep_rows;
ALTER TABLE audit_log.runs ENABLE ALWAYS TRIGGER runs_keep_table;

-- What was signed last: for nodes that cannot see the log's files, and so that a sequencer whose files were put back notices.
CREATE TABLE audit_log.head (
  one BOOLEAN PRIMARY KEY DEFAULT true CHECK (one),
  size BIGINT NOT NULL CHECK (size >= 0),
  root BYTEA NOT NULL CHECK (length(root) = 32),
  note BYTEA NOT NULL,
  vkey TEXT NOT NULL,
  at TIMESTAMPTZ(3) NOT NULL
);

-- For looking up, and proving nothing: what the filters of the review ask for, filled by the sequencer in its own time.
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
  PRIMARY KEY (tenant_id, leaf_index)
);
CREATE INDEX events_actor ON audit_log.events (tenant_id, actor, at, writer_id, writer_seq) WHERE actor IS NOT NULL;
CREATE INDEX events_patient ON audit_log.events (tenant_id, patient, at, writer_id, writer_seq) WHERE patient IS NOT NULL;
CREATE INDEX events_connection ON audit_log.events (tenant_id, connection, at, writer_id, writer_seq)
  WHERE connection IS NOT NULL;
CREATE INDEX events_action ON audit_log.events (tenant_id, action, at, writer_id, writer_seq);
-- What was allowed is nearly everything; that filter is served by the time alone.
CREATE INDEX events_outcome ON audit_log.events (tenant_id, outcome, at, writer_id, writer_seq) WHERE outcome <> 'allowed';

-- How far that is filled: every event below the place, and so every event before `safe_at`.
CREATE TABLE audit_log.indexed (
  one BOOLEAN PRIMARY KEY DEFAULT true CHECK (one),
  next_index BIGINT NOT NULL,
  safe_at TIMESTAMPTZ(3) NOT NULL
);

-- New writers, found without reading everything: one entry for each writer there ever was.
CREATE INDEX audit_outbox_writers ON audit_outbox (at) INCLUDE (tenant_id, writer_id) WHERE writer_seq = 1;

-- Who may what ----------------------------------------------------------------------------------------------------------

GRANT USAGE ON SCHEMA public, audit_log TO wardline_sequencer;
GRANT SELECT ON audit_outbox, installation TO wardline_sequencer;
GRANT SELECT, INSERT ON audit_log.runs, audit_log.events TO wardline_sequencer;
GRANT SELECT, INSERT, UPDATE ON audit_log.head, audit_log.indexed TO wardline_sequencer;
CREATE POLICY sequencer_reads ON audit_outbox FOR SELECT TO wardline_sequencer USING (true);

GRANT USAGE ON SCHEMA audit_log TO wardline_app;
GRANT SELECT ON audit_log.runs, audit_log.events, audit_log.head, audit_log.indexed TO wardline_app;
DO $$
DECLARE
  wall text;
BEGIN
  FOREACH wall IN ARRAY ARRAY['runs', 'events']
  LOOP
    EXECUTE format('ALTER TABLE audit_log.%I ENABLE ROW LEVEL SECURITY', wall);
    EXECUTE format('CREATE POLICY sequencer ON audit_log.%I TO wardline_sequencer USING (true) WITH CHECK (true)', wall);
    EXECUTE format($policy$
      CREATE POLICY tenant_wall ON audit_log.%I FOR SELECT TO wardline_app
        USING (tenant_id = nullif(current_setting('wardline.tenant', true), '')::uuid)
      $policy$, wall);
  END LOOP;
END
$$;

-- What the review asks --------------------------------------------------------------------------------------------------

-- The places of these events of a tenant; those that have none yet are left out.
CREATE FUNCTION wardline_audit_places(p_tenant uuid, p_writers uuid[], p_seqs bigint[])
RETURNS TABLE (ord integer, leaf_index bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY
    SELECT (u.n - 1)::integer, r.first_index + (u.seq - r.first_seq)
    FROM unnest(p_writers, p_seqs) WITH ORDINALITY AS u (writer, seq, n)
    CROSS JOIN LATERAL (
      SELECT x.first_index, x.first_seq, x.count FROM audit_log.runs x
      WHERE x.tenant_id = p_tenant AND x.writer_id = u.writer AND x.first_seq <= u.seq
      ORDER BY x.first_seq DESC LIMIT 1) r
    WHERE u.seq < r.first_seq + r.count;
END
$$;

-- The event of a tenant that has this place; nothing where the place is another tenant's, the sequencer's own, or not given yet.
CREATE FUNCTION wardline_audit_at(p_tenant uuid, p_index bigint)
RETURNS TABLE (writer_id uuid, writer_seq bigint, at bigint, event bytea)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY
    SELECT a.writer_id, a.writer_seq, (extract(epoch FROM a.at) * 1000)::bigint, a.event
    FROM (SELECT x.* FROM audit_log.runs x WHERE x.first_index <= p_index ORDER BY x.first_index DESC LIMIT 1) r
    JOIN audit_outbox a ON a.tenant_id = p_tenant AND a.writer_id = r.writer_id
      AND a.writer_seq = r.first_seq + (p_index - r.first_index)
    WHERE p_index < r.next_index AND r.own IS NULL;
END
$$;

-- A tenant's events through a filter, newest first, below a place in time, before `p_until` alone. Each null is "any". EXECUTE, so
-- that every filter has the plan of its own index.
CREATE FUNCTION wardline_audit_find(
  p_tenant uuid, p_actor uuid, p_patient uuid, p_action text, p_outcome text, p_connection uuid,
  p_from timestamptz, p_at timestamptz, p_writer uuid, p_writer_seq bigint, p_limit integer)
RETURNS TABLE (writer_id uuid, writer_seq bigint, at bigint, event bytea, leaf_index bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_bitmapscan = off SET jit = off AS $$
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY EXECUTE
    'SELECT e.writer_id, e.writer_seq, (extract(epoch FROM e.at) * 1000)::bigint, a.event, e.leaf_index
     FROM (SELECT * FROM audit_log.events e WHERE e.tenant_id = $1 AND e.at <= $8 AND (e.at, e.writer_id, e.writer_seq) < ($8, $9, $10)'
    || CASE WHEN p_from IS NULL THEN '' ELSE ' AND e.at >= $7' END
    || CASE WHEN p_actor IS NULL THEN '' ELSE ' AND e.actor = $2' END
    || CASE WHEN p_patient IS NULL THEN '' ELSE ' AND e.patient = $3' END
    || CASE WHEN p_action IS NULL THEN '' ELSE ' AND e.action = $4' END
    || CASE WHEN p_outcome IS NULL THEN '' WHEN p_outcome = 'allowed' THEN ' AND e.outcome = $5'
            ELSE format(' AND e.outcome = $5 AND e.outcome <> %L', 'allowed') END
    || CASE WHEN p_connection IS NULL THEN '' ELSE ' AND e.connection = $6' END
    || ' ORDER BY e.at DESC, e.writer_id DESC, e.writer_seq DESC LIMIT $11) e
     LEFT JOIN audit_outbox a ON a.tenant_id = $1 AND a.writer_id = e.writer_id AND a.writer_seq = e.writer_seq
     ORDER BY e.at DESC, e.writer_id DESC, e.writer_seq DESC'
  USING p_tenant, p_actor, p_patient, p_action, p_outcome, p_connection, p_from, p_at, p_writer, p_writer_seq, p_limit;
END
$$;

DO $$
DECLARE
  routine regprocedure;
BEGIN
  FOR routine IN
    SELECT p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace
      AND p.proname IN ('wardline_audit_places', 'wardline_audit_at', 'wardline_audit_find')
  LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', routine);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO wardline_app', routine);
  END LOOP;
END
$$;
