-- What holds when the program is wrong: which values a column may have, which tenant's rows a connection sees, what the
-- application's role may do, and that audit rows stay as they were written.

-- Values -------------------------------------------------------------------------------------------------------------

-- A second installation row would let a database answer to two root keys.
CREATE UNIQUE INDEX installation_one_row ON installation ((true));

ALTER TABLE tenants ADD CONSTRAINT tenants_slug_check CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$');
-- The nil UUID stands for "no tenant" in audit rows and for "the system" among actors.
ALTER TABLE tenants ADD CONSTRAINT tenants_id_check CHECK (id <> '00000000-0000-0000-0000-000000000000');
ALTER TABLE users ADD CONSTRAINT users_id_check CHECK (id <> '00000000-0000-0000-0000-000000000000');
ALTER TABLE users ADD CONSTRAINT users_username_check CHECK (username = lower(username) AND length(username) BETWEEN 1 AND 128);
ALTER TABLE users ADD CONSTRAINT users_kind_check CHECK (kind IN ('person', 'service'));
ALTER TABLE data_keys ADD CONSTRAINT data_keys_purpose_check CHECK (purpose IN ('channel', 'patient', 'digest'));
ALTER TABLE data_keys ADD CONSTRAINT data_keys_destroyed_check CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL));
ALTER TABLE sessions ADD CONSTRAINT sessions_ended_check CHECK ((ended_at IS NULL) = (end_reason IS NULL));
ALTER TABLE sessions ADD CONSTRAINT sessions_end_reason_check CHECK (end_reason IN (
  'logout', 'expired', 'idle', 'revoked', 'replaced', 'refresh-reuse', 'device-mismatch', 'risk',
  'user-disabled', 'device-revoked', 'password-changed', 'factor-changed', 'tenant-disabled'));
ALTER TABLE care_team ADD CONSTRAINT care_team_interval_check CHECK (ends_at IS NULL OR ends_at >= starts_at);
ALTER TABLE channels ADD CONSTRAINT channels_kind_check CHECK (kind IN ('patient', 'group', 'direct', 'broadcast', 'role'));
ALTER TABLE channels ADD CONSTRAINT channels_patient_check CHECK ((kind = 'patient') = (patient_id IS NOT NULL));
ALTER TABLE channels ADD CONSTRAINT channels_pair_check CHECK ((kind = 'direct') = (pair IS NOT NULL));
ALTER TABLE channels ADD CONSTRAINT channels_head_check CHECK (head >= 0);
ALTER TABLE receipts ADD CONSTRAINT receipts_order_check CHECK (read <= delivered);

-- One digest key per tenant: two would find half of the patients each.
CREATE UNIQUE INDEX data_keys_one_digest_key ON data_keys (tenant_id) WHERE purpose = 'digest';

-- Counters and receipts are updated in place over and over: room on the page keeps those updates off the indexes.
ALTER TABLE channels SET (fillfactor = 50);
ALTER TABLE receipts SET (fillfactor = 50);

-- The role -----------------------------------------------------------------------------------------------------------

-- Roles belong to the cluster, not to this database: another database of ours may have made it, even just now.
DO $$
BEGIN
  CREATE ROLE wardline_app NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO wardline_app;

GRANT SELECT ON installation TO wardline_app;
GRANT SELECT, INSERT, UPDATE ON tenants, tenant_keys, data_keys, users, roles, devices, sessions, patients, care_team,
  channels, channel_members, receipts TO wardline_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON role_permissions, user_roles, refresh_tokens TO wardline_app;
GRANT DELETE ON roles TO wardline_app;
GRANT SELECT, INSERT, DELETE ON used_proofs TO wardline_app;
-- What was said and what was done is added to, never altered.
GRANT SELECT, INSERT ON channel_events, audit_outbox TO wardline_app;

-- The tenant wall ----------------------------------------------------------------------------------------------------

-- Every transaction names its tenant (set_config('wardline.tenant', …, true)); one that does not sees nothing.
DO $$
DECLARE
  wall text;
BEGIN
  FOREACH wall IN ARRAY ARRAY['tenant_keys', 'data_keys', 'users', 'roles', 'role_permissions', 'user_roles', 'devices',
    'sessions', 'refresh_tokens', 'patients', 'care_team', 'channels', 'channel_members', 'channel_events', 'receipts',
    'audit_outbox']
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

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON tenants TO wardline_app
  USING (id = nullif(current_setting('wardline.tenant', true), '')::uuid)
  WITH CHECK (id = nullif(current_setting('wardline.tenant', true), '')::uuid);

-- The two looks over the wall: sign-in knows a tenant by its name alone, and a node polls every tenant it serves. They
-- run as the owner and give away nothing that a tenant would call its data.
CREATE FUNCTION wardline_find_tenant(p_slug text)
RETURNS TABLE (id uuid, slug text, name text, version integer, disabled_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT t.id, t.slug, t.name, t.version, t.disabled_at FROM public.tenants t WHERE t.slug = p_slug
$$;

CREATE FUNCTION wardline_list_tenants()
RETURNS TABLE (id uuid, slug text, name text, version integer, disabled_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT t.id, t.slug, t.name, t.version, t.disabled_at FROM public.tenants t ORDER BY t.slug
$$;

REVOKE ALL ON FUNCTION wardline_find_tenant(text), wardline_list_tenants() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wardline_find_tenant(text), wardline_list_tenants() TO wardline_app;

-- The audit rows -----------------------------------------------------------------------------------------------------

CREATE FUNCTION wardline_refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: its rows are kept as they were written', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER audit_outbox_keep_rows BEFORE UPDATE OR DELETE ON audit_outbox
  FOR EACH ROW EXECUTE FUNCTION wardline_refuse_change();
CREATE TRIGGER audit_outbox_keep_table BEFORE TRUNCATE ON audit_outbox
  FOR EACH STATEMENT EXECUTE FUNCTION wardline_refuse_change();
-- ALWAYS: session_replication_role does not put them to sleep.
ALTER TABLE audit_outbox ENABLE ALWAYS TRIGGER audit_outbox_keep_rows;
ALTER TABLE audit_outbox ENABLE ALWAYS TRIGGER audit_outbox_keep_table;
