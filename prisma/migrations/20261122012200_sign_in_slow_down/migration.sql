-- Wrong passwords (R-10): how often in a row, by what was asked for and from where, on whichever node; and from where an account has
-- been signed in to. Subjects are keyed hashes: a name that was typed may be a password that was typed into the wrong field.

CREATE TABLE "sign_in_failures" (
    "tenant_id" UUID NOT NULL,
    "subject" BYTEA NOT NULL,
    "failures" INTEGER NOT NULL,
    "retry_at" TIMESTAMPTZ(3) NOT NULL,
    "last_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "sign_in_failures_pkey" PRIMARY KEY ("tenant_id","subject")
);

CREATE TABLE "sign_in_places" (
    "tenant_id" UUID NOT NULL,
    "subject" BYTEA NOT NULL,
    "last_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "sign_in_places_pkey" PRIMARY KEY ("tenant_id","subject")
);

CREATE INDEX "sign_in_failures_tenant_id_last_at_idx" ON "sign_in_failures"("tenant_id", "last_at");
CREATE INDEX "sign_in_places_tenant_id_last_at_idx" ON "sign_in_places"("tenant_id", "last_at");

-- The role and the wall ----------------------------------------------------------------------------------------------

GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_failures, sign_in_places TO wardline_app;

DO $$
DECLARE
  wall text;
BEGIN
  FOREACH wall IN ARRAY ARRAY['sign_in_failures', 'sign_in_places']
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

-- Until when each of these subjects has to wait (null: not at all), and whether the account is known at this place. The tenant is the
-- nil UUID where there is no such tenant: that takes as long, and counts as well.
CREATE FUNCTION wardline_sign_in_waits(p_tenant uuid, p_subjects bytea[], p_place bytea, p_at timestamptz)
RETURNS TABLE (subject bytea, retry_at timestamptz, known_place boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN QUERY
    SELECT asked.subject, f.retry_at,
      EXISTS (SELECT FROM sign_in_places p WHERE p.tenant_id = p_tenant AND p.subject = p_place)
    FROM unnest(p_subjects) AS asked (subject)
    LEFT JOIN sign_in_failures f ON f.tenant_id = p_tenant AND f.subject = asked.subject AND f.retry_at > p_at;
END
$$;

-- One more failure of each subject. The first p_free in a row cost nothing; then the wait doubles from a second to p_cap. A series is
-- forgotten p_memory after its last failure.
CREATE FUNCTION wardline_sign_in_failed(p_tenant uuid, p_subjects bytea[], p_free integer[], p_cap interval[],
  p_memory interval, p_at timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  INSERT INTO sign_in_failures AS f (tenant_id, subject, failures, retry_at, last_at)
    SELECT p_tenant, asked.subject, 1, p_at, p_at FROM unnest(p_subjects) AS asked (subject) ORDER BY asked.subject
  ON CONFLICT (tenant_id, subject) DO UPDATE SET
    failures = CASE WHEN f.last_at < p_at - p_memory THEN 1 ELSE least(f.failures + 1, 1000000) END,
    last_at = p_at;
  UPDATE sign_in_failures f SET retry_at = p_at
      + least(asked.cap, make_interval(secs => power(2, least(f.failures - asked.free, 30))::double precision))
    FROM unnest(p_subjects, p_free, p_cap) AS asked (subject, free, cap)
    WHERE f.tenant_id = p_tenant AND f.subject = asked.subject AND f.failures >= asked.free;
END
$$;

-- A right password: the series of p_subject is over, and the account is known at p_place. False: others failed while this one was being
-- looked at, and now it has to wait as well.
CREATE FUNCTION wardline_sign_in_succeeded(p_tenant uuid, p_subject bytea, p_place bytea, p_at timestamptz) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  IF EXISTS (SELECT FROM sign_in_failures f WHERE f.tenant_id = p_tenant AND f.subject = p_subject AND f.retry_at > p_at) THEN
    RETURN false;
  END IF;
  DELETE FROM sign_in_failures f WHERE f.tenant_id = p_tenant AND f.subject = p_subject;
  INSERT INTO sign_in_places AS p (tenant_id, subject, last_at) VALUES (p_tenant, p_place, p_at)
    ON CONFLICT (tenant_id, subject) DO UPDATE SET last_at = p_at WHERE p.last_at < p_at - interval '1 day';
  RETURN true;
END
$$;

-- What is remembered is bounded by the rate of sign-ins and these times.
CREATE FUNCTION wardline_forget_sign_ins(p_tenant uuid, p_failures_before timestamptz, p_places_before timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  DELETE FROM sign_in_failures WHERE tenant_id = p_tenant AND last_at < p_failures_before;
  DELETE FROM sign_in_places WHERE tenant_id = p_tenant AND last_at < p_places_before;
END
$$;

DO $$
DECLARE
  routine regprocedure;
BEGIN
  FOR routine IN
    SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
      AND p.proname IN ('wardline_sign_in_waits', 'wardline_sign_in_failed', 'wardline_sign_in_succeeded', 'wardline_forget_sign_ins')
  LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', routine);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO wardline_app', routine);
  END LOOP;
END
$$;
