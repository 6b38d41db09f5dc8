-- The review of the audit (R-73): periods that somebody looked through and signed off, the filters that a person keeps, and what the
-- organisation decides about its audit (R-76): for how long, and what is held beyond that.

CREATE TABLE "audit_reviews" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "from_at" TIMESTAMPTZ(3) NOT NULL,
    "until_at" TIMESTAMPTZ(3) NOT NULL,
    "opened_by" UUID NOT NULL,
    "opened_at" TIMESTAMPTZ(3) NOT NULL,
    "signed_by" UUID,
    "signed_at" TIMESTAMPTZ(3),
    "events" BIGINT,
    "log_size" BIGINT,

    CONSTRAINT "audit_reviews_pkey" PRIMARY KEY ("tenant_id","id")
);
CREATE INDEX "audit_reviews_tenant_id_opened_at_idx" ON "audit_reviews"("tenant_id", "opened_at");
ALTER TABLE "audit_reviews" ADD CONSTRAINT "audit_reviews_tenant_id_opened_by_fkey" FOREIGN KEY ("tenant_id", "opened_by") REFERENCES "users"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

CREATE TABLE "audit_review_marks" (
    "tenant_id" UUID NOT NULL,
    "review_id" UUID NOT NULL,
    "writer_id" UUID NOT NULL,
    "writer_seq" BIGINT NOT NULL,
    "verdict" TEXT NOT NULL,
    "marked_by" UUID NOT NULL,
    "marked_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "audit_review_marks_pkey" PRIMARY KEY ("tenant_id","review_id","writer_id","writer_seq")
);
ALTER TABLE "audit_review_marks" ADD CONSTRAINT "audit_review_marks_tenant_id_review_id_fkey" FOREIGN KEY ("tenant_id", "review_id") REFERENCES "audit_reviews"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

CREATE TABLE "audit_filters" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "filter" JSONB NOT NULL,
    "days" INTEGER,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "audit_filters_pkey" PRIMARY KEY ("tenant_id","id")
);
CREATE INDEX "audit_filters_tenant_id_user_id_idx" ON "audit_filters"("tenant_id", "user_id");
ALTER TABLE "audit_filters" ADD CONSTRAINT "audit_filters_tenant_id_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "users"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

CREATE TABLE "audit_holds" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "patient_id" UUID,
    "placed_by" UUID NOT NULL,
    "placed_at" TIMESTAMPTZ(3) NOT NULL,
    "released_by" UUID,
    "released_at" TIMESTAMPTZ(3),

    CONSTRAINT "audit_holds_pkey" PRIMARY KEY ("tenant_id","id")
);
CREATE INDEX "audit_holds_tenant_id_placed_at_idx" ON "audit_holds"("tenant_id", "placed_at");
ALTER TABLE "audit_holds" ADD CONSTRAINT "audit_holds_tenant_id_patient_id_fkey" FOREIGN KEY ("tenant_id", "patient_id") REFERENCES "patients"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

CREATE TABLE "audit_policies" (
    "tenant_id" UUID NOT NULL,
    "retention_years" INTEGER NOT NULL DEFAULT 6,
    "review_days" INTEGER NOT NULL DEFAULT 30,

    CONSTRAINT "audit_policies_pkey" PRIMARY KEY ("tenant_id")
);
ALTER TABLE "audit_policies" ADD CONSTRAINT "audit_policies_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE audit_reviews ADD CONSTRAINT audit_reviews_period_check CHECK (from_at < until_at);
ALTER TABLE audit_reviews ADD CONSTRAINT audit_reviews_signed_check CHECK (num_nulls(signed_by, signed_at, events, log_size) IN (0, 4));
ALTER TABLE audit_review_marks ADD CONSTRAINT audit_review_marks_verdict_check CHECK (verdict IN ('as-expected', 'follow-up'));
ALTER TABLE audit_filters ADD CONSTRAINT audit_filters_days_check CHECK (days BETWEEN 1 AND 366);
ALTER TABLE audit_holds ADD CONSTRAINT audit_holds_released_check CHECK (num_nulls(released_by, released_at) IN (0, 2));
-- 45 CFR 164.316(b)(2)(i): six years at least.
ALTER TABLE audit_policies ADD CONSTRAINT audit_policies_retention_check CHECK (retention_years BETWEEN 6 AND 100);
ALTER TABLE audit_policies ADD CONSTRAINT audit_policies_review_check CHECK (review_days BETWEEN 1 AND 366);

GRANT SELECT, INSERT, UPDATE ON audit_reviews, audit_review_marks, audit_holds, audit_policies TO wardline_app;
GRANT SELECT, INSERT, DELETE ON audit_filters TO wardline_app;

DO $$
DECLARE
  wall text;
BEGIN
  FOREACH wall IN ARRAY ARRAY['audit_reviews', 'audit_review_marks', 'audit_filters', 'audit_holds', 'audit_policies']
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
