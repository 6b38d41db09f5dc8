-- Revocation (R-19): of one access token by its jti, until it would have expired; and of a device for everybody of a tenant.

CREATE TABLE "revoked_tokens" (
    "tenant_id" UUID NOT NULL,
    "jti" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "revoked_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "revoked_tokens_pkey" PRIMARY KEY ("tenant_id","jti")
);

CREATE INDEX "revoked_tokens_tenant_id_user_id_idx" ON "revoked_tokens"("tenant_id", "user_id");

ALTER TABLE "revoked_tokens" ADD CONSTRAINT "revoked_tokens_tenant_id_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "users"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "devices" ADD COLUMN "barred" BOOLEAN NOT NULL DEFAULT false;
CREATE INDEX "devices_tenant_id_jkt_idx" ON "devices"("tenant_id", "jkt");

-- Values -------------------------------------------------------------------------------------------------------------

ALTER TABLE revoked_tokens ADD CONSTRAINT revoked_tokens_jti_check CHECK (length(jti) BETWEEN 22 AND 86);
ALTER TABLE devices ADD CONSTRAINT devices_barred_check CHECK (NOT barred OR revoked_at IS NOT NULL);

-- The role and the wall ----------------------------------------------------------------------------------------------

-- Forgotten when they have expired: that they were revoked is in the audit.
GRANT SELECT, INSERT, DELETE ON revoked_tokens TO wardline_app;
ALTER TABLE revoked_tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON revoked_tokens TO wardline_app
  USING (tenant_id = nullif(current_setting('wardline.tenant', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('wardline.tenant', true), '')::uuid);

-- The revoked tokens of a user: read with wardline_access, for every snapshot.
CREATE FUNCTION wardline_revoked_tokens(p_tenant uuid, p_user uuid, p_at timestamptz) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan SET jit = off AS $$
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN (
    SELECT coalesce(jsonb_agg(r.jti), '[]') FROM revoked_tokens r
    WHERE r.tenant_id = p_tenant AND r.user_id = p_user AND r.expires_at > p_at);
END
$$;

REVOKE ALL ON FUNCTION wardline_revoked_tokens(uuid, uuid, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wardline_revoked_tokens(uuid, uuid, timestamptz) TO wardline_app;
