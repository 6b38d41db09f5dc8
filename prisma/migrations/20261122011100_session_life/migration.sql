-- The life of a session between its sign-in and its end (R-17, R-18, R-21): when its person was last seen to do something,
-- whether it is locked and why, which tokens are too old for it, and from where it has been used.

ALTER TABLE "sessions" ADD COLUMN "active_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;
ALTER TABLE "sessions" ADD COLUMN "locked_at" TIMESTAMPTZ(3);
ALTER TABLE "sessions" ADD COLUMN "lock_reason" TEXT;
ALTER TABLE "sessions" ADD COLUMN "unlock_failures" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "sessions" ADD COLUMN "renew_after" TIMESTAMPTZ(3);
ALTER TABLE "sessions" ADD COLUMN "renew_by" TIMESTAMPTZ(3);
ALTER TABLE "sessions" ADD COLUMN "renew_reason" TEXT;
-- The last eight networks; none: of a session that is older than this column.
ALTER TABLE "sessions" ADD COLUMN "networks" TEXT[];
ALTER TABLE "sessions" ADD COLUMN "agent" TEXT;
ALTER TABLE "sessions" ADD COLUMN "address" TEXT;

UPDATE sessions SET active_at = last_seen_at;

ALTER TABLE sessions ADD CONSTRAINT sessions_lock_check CHECK ((locked_at IS NULL) = (lock_reason IS NULL));
ALTER TABLE sessions ADD CONSTRAINT sessions_lock_reason_check CHECK (lock_reason IN (
  'idle', 'own', 'network-change', 'agent-change', 'password-change', 'role-change', 'administrator'));
ALTER TABLE sessions ADD CONSTRAINT sessions_renew_check CHECK (
  (renew_after IS NULL) = (renew_by IS NULL) AND (renew_after IS NULL) = (renew_reason IS NULL));
ALTER TABLE sessions ADD CONSTRAINT sessions_renew_reason_check CHECK (renew_reason IN (
  'network-change', 'agent-change', 'password-change', 'role-change', 'administrator'));
-- A day, as for the life of a session: what an administrator may set is an hour at most.
ALTER TABLE tenant_settings DROP CONSTRAINT tenant_settings_idle_check;
ALTER TABLE tenant_settings ADD CONSTRAINT tenant_settings_idle_check CHECK (idle_seconds BETWEEN 1 AND 86400);
-- Activity is written every few seconds: room on the page keeps those updates off the indexes.
ALTER TABLE sessions SET (fillfactor = 70);

-- The living sessions of a user, as each node keeps them.
CREATE FUNCTION wardline_sessions(p_tenant uuid, p_user uuid, p_at timestamptz) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan SET jit = off AS $$
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  RETURN (
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', s.id,
      'expiresAt', (extract(epoch FROM s.expires_at) * 1000)::bigint,
      'activeAt', (extract(epoch FROM s.active_at) * 1000)::bigint,
      'locked', s.lock_reason,
      'renewal', CASE WHEN s.renew_after IS NOT NULL THEN jsonb_build_object('reason', s.renew_reason,
        'after', (extract(epoch FROM s.renew_after) * 1000)::bigint,
        'by', (extract(epoch FROM s.renew_by) * 1000)::bigint) END,
      'networks', coalesce(to_jsonb(s.networks), '[]'), 'agent', s.agent)), '[]')
    FROM sessions s JOIN devices d ON d.tenant_id = p_tenant AND d.id = s.device_id
    WHERE s.tenant_id = p_tenant AND s.user_id = p_user AND s.ended_at IS NULL AND s.expires_at > p_at
      AND d.revoked_at IS NULL);
END
$$;

-- People of these sessions were active at these times (two arrays, side by side, in the order of ids, so that nodes which write
-- the same ones wait and do not deadlock). A locked session is none that anybody can be active in.
CREATE FUNCTION wardline_touch_sessions(p_tenant uuid, p_sessions text[], p_at timestamptz[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan SET jit = off AS $$
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  FOR place IN 1 .. cardinality(p_sessions) LOOP
    UPDATE sessions SET active_at = p_at[place]
    WHERE tenant_id = p_tenant AND id = p_sessions[place] AND locked_at IS NULL AND ended_at IS NULL
      AND active_at < p_at[place];
  END LOOP;
END
$$;

-- Somebody who had been warned is there after all: as above, with the user's version, so that every node hears of it and takes
-- the warning away. The user's row first, as everybody who changes both does.
CREATE FUNCTION wardline_extend_session(p_tenant uuid, p_user uuid, p_session text, p_at timestamptz) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, public
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan SET jit = off AS $$
DECLARE
  v_version integer;
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  UPDATE users SET version = version + 1 WHERE tenant_id = p_tenant AND id = p_user RETURNING version INTO v_version;
  UPDATE sessions SET active_at = p_at
    WHERE tenant_id = p_tenant AND id = p_session AND locked_at IS NULL AND ended_at IS NULL AND active_at < p_at;
  RETURN v_version;
END
$$;

REVOKE ALL ON FUNCTION wardline_sessions(uuid, uuid, timestamptz),
  wardline_touch_sessions(uuid, text[], timestamptz[]),
  wardline_extend_session(uuid, uuid, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wardline_sessions(uuid, uuid, timestamptz),
  wardline_touch_sessions(uuid, text[], timestamptz[]),
  wardline_extend_session(uuid, uuid, text, timestamptz) TO wardline_app;
