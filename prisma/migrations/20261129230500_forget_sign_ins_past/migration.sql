-- What a session that is over has left behind, and says nothing any more: its refresh family, half sign-ins, tokens that were
-- revoked by themselves and have expired. The session itself stays: it is who was signed in, when and where.
CREATE INDEX "refresh_tokens_tenant_id_expires_at_idx" ON "refresh_tokens"("tenant_id", "expires_at");

CREATE FUNCTION wardline_forget_past(p_tenant uuid, p_before timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM set_config('wardline.tenant', p_tenant::text, true);
  DELETE FROM refresh_tokens WHERE tenant_id = p_tenant AND expires_at < p_before;
  DELETE FROM sign_in_challenges WHERE tenant_id = p_tenant AND expires_at < p_before;
  DELETE FROM revoked_tokens WHERE tenant_id = p_tenant AND expires_at < p_before;
END
$$;
REVOKE ALL ON FUNCTION wardline_forget_past(uuid, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wardline_forget_past(uuid, timestamptz) TO wardline_app;
