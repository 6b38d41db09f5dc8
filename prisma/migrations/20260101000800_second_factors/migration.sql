-- Second factors (R-11): authenticator apps, recovery codes, and the sign-ins that wait for one of them.

CREATE TABLE "second_factors" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "data_key_id" UUID NOT NULL,
    "sealed_secret" BYTEA NOT NULL,
    "last_step" BIGINT NOT NULL DEFAULT 0,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "retry_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "confirmed_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),
    "removed_at" TIMESTAMPTZ(3),

    CONSTRAINT "second_factors_pkey" PRIMARY KEY ("tenant_id","id")
);

CREATE TABLE "recovery_codes" (
    "tenant_id" UUID NOT NULL,
    "digest" BYTEA NOT NULL,
    "user_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "used_at" TIMESTAMPTZ(3),
    "voided_at" TIMESTAMPTZ(3),

    CONSTRAINT "recovery_codes_pkey" PRIMARY KEY ("tenant_id","digest")
);

CREATE TABLE "sign_in_challenges" (
    "tenant_id" UUID NOT NULL,
    "digest" BYTEA NOT NULL,
    "user_id" UUID NOT NULL,
    "jkt" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "sign_in_challenges_pkey" PRIMARY KEY ("tenant_id","digest")
);

CREATE INDEX "second_factors_tenant_id_user_id_idx" ON "second_factors"("tenant_id", "user_id");
CREATE INDEX "recovery_codes_tenant_id_user_id_idx" ON "recovery_codes"("tenant_id", "user_id");
CREATE INDEX "sign_in_challenges_tenant_id_user_id_idx" ON "sign_in_challenges"("tenant_id", "user_id");

ALTER TABLE "second_factors" ADD CONSTRAINT "second_factors_tenant_id_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "users"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "second_factors" ADD CONSTRAINT "second_factors_tenant_id_data_key_id_fkey" FOREIGN KEY ("tenant_id", "data_key_id") REFERENCES "data_keys"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "recovery_codes" ADD CONSTRAINT "recovery_codes_tenant_id_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "users"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "sign_in_challenges" ADD CONSTRAINT "sign_in_challenges_tenant_id_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "users"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Values -------------------------------------------------------------------------------------------------------------

ALTER TABLE data_keys DROP CONSTRAINT data_keys_purpose_check;
ALTER TABLE data_keys ADD CONSTRAINT data_keys_purpose_check CHECK (purpose IN ('channel', 'patient', 'digest', 'factor'));
ALTER TABLE second_factors ADD CONSTRAINT second_factors_kind_check CHECK (kind = 'totp');
-- Two authenticators in force would remember two last steps: the code of one minute could be used twice.
CREATE UNIQUE INDEX second_factors_one_totp ON second_factors (tenant_id, user_id)
  WHERE kind = 'totp' AND confirmed_at IS NOT NULL AND removed_at IS NULL;

-- The role and the wall ----------------------------------------------------------------------------------------------

GRANT SELECT, INSERT, UPDATE ON second_factors, recovery_codes TO wardline_app;
-- A challenge is a sign-in that has not happened: what did happen is in the audit.
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_challenges TO wardline_app;

DO $$
DECLARE
  wall text;
BEGIN
  FOREACH wall IN ARRAY ARRAY['second_factors', 'recovery_codes', 'sign_in_challenges']
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
