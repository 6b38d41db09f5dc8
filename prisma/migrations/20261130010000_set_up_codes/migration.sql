-- Codes by which somebody sets the password of an account that has none, or whose password is forgotten: one an account, the last that an
-- administrator has made. The database knows its SHA-256 alone, and lets go of it once it is used.

CREATE TABLE "set_up_codes" (
    "tenant_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "digest" BYTEA NOT NULL,
    "reset_factors" BOOLEAN NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "set_up_codes_pkey" PRIMARY KEY ("tenant_id","user_id")
);

CREATE UNIQUE INDEX "set_up_codes_tenant_id_digest_key" ON "set_up_codes"("tenant_id", "digest");

ALTER TABLE "set_up_codes" ADD CONSTRAINT "set_up_codes_tenant_id_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "users"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

GRANT SELECT, INSERT, UPDATE, DELETE ON set_up_codes TO wardline_app;

ALTER TABLE set_up_codes ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON set_up_codes TO wardline_app
  USING (tenant_id = nullif(current_setting('wardline.tenant', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('wardline.tenant', true), '')::uuid);

-- As before, and codes that nobody has used in time.
CREATE OR REPLACE FUNCTION wardline_forget_past(p_tenant uuid, p_before timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  DELETE FROM refresh_tokens WHERE tenant_id = p_tenant AND expires_at < p_before;
  DELETE FROM sign_in_challenges WHERE tenant_id = p_tenant AND expires_at < p_before;
  DELETE FROM revoked_tokens WHERE tenant_id = p_tenant AND expires_at < p_before;
  DELETE FROM set_up_codes WHERE tenant_id = p_tenant AND expires_at < p_before;
END
$$;
