-- What an organisation decides for itself about its sign-ins (R-18, R-20, R-21). One row for each tenant, always: a trigger
-- makes it with the tenant, so that nobody asks what holds where there is none.

CREATE TABLE "tenant_settings" (
    "tenant_id" UUID NOT NULL,
    "idle_seconds" INTEGER NOT NULL DEFAULT 600,
    "warning_seconds" INTEGER NOT NULL DEFAULT 60,
    "session_seconds" INTEGER NOT NULL DEFAULT 43200,
    "access_token_seconds" INTEGER NOT NULL DEFAULT 300,
    "step_up_seconds" INTEGER NOT NULL DEFAULT 900,
    "on_network_change" TEXT NOT NULL DEFAULT 'renew',
    "on_agent_change" TEXT NOT NULL DEFAULT 'step-up',
    "on_password_change" TEXT NOT NULL DEFAULT 'renew',
    "on_role_change" TEXT NOT NULL DEFAULT 'renew',

    CONSTRAINT "tenant_settings_pkey" PRIMARY KEY ("tenant_id")
);

ALTER TABLE "tenant_settings" ADD CONSTRAINT "tenant_settings_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Values: that there is a bound at all. What an administrator may set is narrower (packages/protocol).
ALTER TABLE tenant_settings ADD CONSTRAINT tenant_settings_idle_check CHECK (idle_seconds BETWEEN 1 AND 3600);
ALTER TABLE tenant_settings ADD CONSTRAINT tenant_settings_warning_check CHECK (warning_seconds >= 0 AND warning_seconds < idle_seconds);
ALTER TABLE tenant_settings ADD CONSTRAINT tenant_settings_session_check CHECK (session_seconds BETWEEN 1 AND 86400);
ALTER TABLE tenant_settings ADD CONSTRAINT tenant_settings_token_check CHECK (access_token_seconds BETWEEN 1 AND 300);
ALTER TABLE tenant_settings ADD CONSTRAINT tenant_settings_step_up_check CHECK (step_up_seconds BETWEEN 1 AND 86400);
ALTER TABLE tenant_settings ADD CONSTRAINT tenant_settings_risk_check CHECK (
  ARRAY[on_network_change, on_agent_change, on_password_change, on_role_change]
    <@ ARRAY['ignore', 'renew', 'step-up', 'end']);

INSERT INTO tenant_settings (tenant_id) SELECT id FROM tenants;

CREATE FUNCTION wardline_begin_settings() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
  INSERT INTO public.tenant_settings (tenant_id) VALUES (NEW.id);
  RETURN NEW;
END
$$;
CREATE TRIGGER tenants_begin_settings AFTER INSERT ON tenants FOR EACH ROW EXECUTE FUNCTION wardline_begin_settings();

GRANT SELECT, INSERT, UPDATE ON tenant_settings TO wardline_app;
ALTER TABLE tenant_settings ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON tenant_settings TO wardline_app
  USING (tenant_id = nullif(current_setting('wardline.tenant', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('wardline.tenant', true), '')::uuid);

-- The settings as a part of what is read for each user (wardline_access).
CREATE FUNCTION wardline_settings(p_tenant uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan SET jit = off AS $$
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN (
    SELECT jsonb_build_object(
      'idleSeconds', s.idle_seconds, 'warningSeconds', s.warning_seconds, 'sessionSeconds', s.session_seconds,
      'accessTokenSeconds', s.access_token_seconds, 'stepUpSeconds', s.step_up_seconds,
      'onNetworkChange', s.on_network_change, 'onAgentChange', s.on_agent_change,
      'onPasswordChange', s.on_password_change, 'onRoleChange', s.on_role_change)
    FROM tenant_settings s WHERE s.tenant_id = p_tenant);
END
$$;

REVOKE ALL ON FUNCTION wardline_begin_settings(), wardline_settings(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wardline_settings(uuid) TO wardline_app;
