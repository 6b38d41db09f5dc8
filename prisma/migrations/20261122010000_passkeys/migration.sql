-- Passkeys (R-11), and roles that demand a second factor.

CREATE TABLE "passkeys" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "credential_id" BYTEA NOT NULL,
    "public_key" BYTEA NOT NULL,
    "algorithm" INTEGER NOT NULL,
    "counter" BIGINT NOT NULL,
    "transports" TEXT[],
    "synced" BOOLEAN NOT NULL,
    "backed_up" BOOLEAN NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used_at" TIMESTAMPTZ(3),
    "removed_at" TIMESTAMPTZ(3),

    CONSTRAINT "passkeys_pkey" PRIMARY KEY ("tenant_id","id")
);

CREATE UNIQUE INDEX "passkeys_tenant_id_credential_id_key" ON "passkeys"("tenant_id", "credential_id");
CREATE INDEX "passkeys_tenant_id_user_id_idx" ON "passkeys"("tenant_id", "user_id");

ALTER TABLE "passkeys" ADD CONSTRAINT "passkeys_tenant_id_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "users"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "roles" ADD COLUMN "require_second_factor" BOOLEAN NOT NULL DEFAULT false;
UPDATE roles SET require_second_factor = true WHERE system AND name IN ('administrator', 'auditor');

-- Values -------------------------------------------------------------------------------------------------------------

-- COSE: ES256, EdDSA, RS256.
ALTER TABLE passkeys ADD CONSTRAINT passkeys_algorithm_check CHECK (algorithm IN (-7, -8, -257));
ALTER TABLE passkeys ADD CONSTRAINT passkeys_counter_check CHECK (counter BETWEEN 0 AND 4294967295);
ALTER TABLE passkeys ADD CONSTRAINT passkeys_credential_check CHECK (octet_length(credential_id) BETWEEN 1 AND 1023);
ALTER TABLE passkeys ADD CONSTRAINT passkeys_transports_check
  CHECK (transports <@ ARRAY['usb', 'nfc', 'ble', 'smart-card', 'hybrid', 'internal']);
ALTER TABLE passkeys ADD CONSTRAINT passkeys_backup_check CHECK (synced OR NOT backed_up);

-- The role and the wall ----------------------------------------------------------------------------------------------

GRANT SELECT, INSERT, UPDATE ON passkeys TO wardline_app;
ALTER TABLE passkeys ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_wall ON passkeys TO wardline_app
  USING (tenant_id = nullif(current_setting('wardline.tenant', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('wardline.tenant', true), '')::uuid);

-- Whether a role of this person demands a second factor and they have none: read with wardline_access, for every snapshot.
CREATE FUNCTION wardline_must_enrol(p_tenant uuid, p_user uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan SET jit = off AS $$
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN EXISTS (
      SELECT FROM user_roles ur
      JOIN roles r ON r.tenant_id = p_tenant AND r.id = ur.role_id AND r.require_second_factor
      JOIN users u ON u.tenant_id = p_tenant AND u.id = p_user AND u.kind = 'person'
      WHERE ur.tenant_id = p_tenant AND ur.user_id = p_user)
    AND NOT EXISTS (
      SELECT FROM second_factors f
      WHERE f.tenant_id = p_tenant AND f.user_id = p_user AND f.confirmed_at IS NOT NULL AND f.removed_at IS NULL)
    AND NOT EXISTS (
      SELECT FROM passkeys p WHERE p.tenant_id = p_tenant AND p.user_id = p_user AND p.removed_at IS NULL);
END
$$;

REVOKE ALL ON FUNCTION wardline_must_enrol(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wardline_must_enrol(uuid, uuid) TO wardline_app;
