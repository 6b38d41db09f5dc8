-- Which sockets are open, on which node (PROTOCOL.md, GET /admin/connections). No record of anything: the audit is that. Each node writes
-- its own, a second behind, and says that it is there; what a node wrote that has gone silent counts for nothing, and goes.
-- Unlogged: after a crash of the database they are empty, and every node writes its own again.

CREATE UNLOGGED TABLE "socket_nodes" (
  "tenant_id" UUID NOT NULL,
  "node" TEXT NOT NULL,
  "seen_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "socket_nodes_pkey" PRIMARY KEY ("tenant_id", "node")
);

CREATE UNLOGGED TABLE "open_sockets" (
  "tenant_id" UUID NOT NULL,
  "id" UUID NOT NULL,
  "node" TEXT NOT NULL,
  "user_id" UUID NOT NULL,
  "session_id" TEXT NOT NULL,
  "device" TEXT NOT NULL,
  "address" TEXT NOT NULL,
  "opened_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "open_sockets_pkey" PRIMARY KEY ("tenant_id", "id")
);

CREATE INDEX "open_sockets_tenant_id_node_idx" ON "open_sockets"("tenant_id", "node");
CREATE INDEX "open_sockets_tenant_id_user_id_idx" ON "open_sockets"("tenant_id", "user_id");

ALTER TABLE "open_sockets" ADD CONSTRAINT "open_sockets_tenant_id_node_fkey" FOREIGN KEY ("tenant_id", "node") REFERENCES "socket_nodes"("tenant_id", "node") ON DELETE CASCADE ON UPDATE CASCADE;

GRANT SELECT, INSERT, UPDATE, DELETE ON socket_nodes, open_sockets TO wardline_app;

DO $$
DECLARE
  wall text;
BEGIN
  FOREACH wall IN ARRAY ARRAY['socket_nodes', 'open_sockets']
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

-- A node says that it is there, and what it has opened and closed since. False: it had been forgotten, and with it what it said before.
CREATE FUNCTION wardline_note_sockets(
  p_tenant uuid, p_node text, p_at timestamptz, p_silent_before timestamptz, p_opened jsonb, p_closed uuid[]) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
DECLARE
  known boolean;
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  UPDATE socket_nodes SET seen_at = greatest(seen_at, p_at) WHERE tenant_id = p_tenant AND node = p_node;
  known := FOUND;
  IF NOT known THEN
    INSERT INTO socket_nodes (tenant_id, node, seen_at) VALUES (p_tenant, p_node, p_at);
  END IF;
  DELETE FROM socket_nodes WHERE tenant_id = p_tenant AND seen_at < p_silent_before;
  INSERT INTO open_sockets (tenant_id, id, node, user_id, session_id, device, address, opened_at)
    SELECT p_tenant, o.id, p_node, o.user_id, o.session_id, o.device, o.address, o.opened_at
    FROM jsonb_to_recordset(p_opened)
      AS o (id uuid, user_id uuid, session_id text, device text, address text, opened_at timestamptz)
    ON CONFLICT DO NOTHING;
  DELETE FROM open_sockets WHERE tenant_id = p_tenant AND id = ANY (p_closed);
  RETURN known;
END
$$;

-- A node that ends takes its sockets along.
CREATE FUNCTION wardline_forget_node(p_tenant uuid, p_node text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  DELETE FROM socket_nodes WHERE tenant_id = p_tenant AND node = p_node;
END
$$;

REVOKE ALL ON FUNCTION wardline_note_sockets(uuid, text, timestamptz, timestamptz, jsonb, uuid[]),
  wardline_forget_node(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wardline_note_sockets(uuid, text, timestamptz, timestamptz, jsonb, uuid[]),
  wardline_forget_node(uuid, text) TO wardline_app;
