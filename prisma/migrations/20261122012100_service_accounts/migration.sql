-- Service accounts (R-23): what a program may do at most, and the public keys by which it says who it is.

CREATE TABLE "service_accounts" (
    "tenant_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "scope" TEXT NOT NULL,
    "created_by" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "service_accounts_pkey" PRIMARY KEY ("tenant_id","user_id")
);

CREATE TABLE "service_keys" (
    "tenant_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "kid" TEXT NOT NULL,
    "jwk" JSONB NOT NULL,
    "created_by" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "removed_at" TIMESTAMPTZ(3),

    CONSTRAINT "service_keys_pkey" PRIMARY KEY ("tenant_id","user_id","kid")
);

ALTER TABLE "service_accounts" ADD CONSTRAINT "service_accounts_tenant_id_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "users"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "service_keys" ADD CONSTRAINT "service_keys_tenant_id_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "service_accounts"("tenant_id", "user_id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Values -------------------------------------------------------------------------------------------------------------

ALTER TABLE service_accounts ADD CONSTRAINT service_accounts_scope_check CHECK (length(scope) BETWEEN 1 AND 3000);
ALTER TABLE service_keys ADD CONSTRAINT service_keys_kid_check CHECK (kid ~ '^[A-Za-z0-9_-]{43}$');
-- The public half of a key, and nothing else.
ALTER TABLE service_keys ADD CONSTRAINT service_keys_jwk_check
  CHECK (NOT jwk ?| ARRAY['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']);

-- The role and the wall ----------------------------------------------------------------------------------------------

GRANT SELECT, INSERT, UPDATE ON service_accounts, service_keys TO wardline_app;

DO $$
DECLARE
  wall text;
BEGIN
  FOREACH wall IN ARRAY ARRAY['service_accounts', 'service_keys']
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
