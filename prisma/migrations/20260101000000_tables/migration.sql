-- The tables as prisma/schema.prisma describes them (tests/schema.test.ts holds the two together). What Prisma's language
-- cannot say follows in the next migrations.

CREATE TABLE installation (
  id UUID NOT NULL,
  root_key_fingerprint TEXT NOT NULL,
  created_at TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT installation_pkey PRIMARY KEY (id)
);

CREATE TABLE tenants (
  id UUID NOT NULL,
  slug TEXT NOT NULL,
  name TEXT NOT NULL,
  settings JSONB NOT NULL DEFAULT '{}',
  version INTEGER NOT NULL DEFAULT 1,
  created_at TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  disabled_at TIMESTAMPTZ(3),
  CONSTRAINT tenants_pkey PRIMARY KEY (id)
);

CREATE TABLE tenant_keys (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL,
  wrapped BYTEA NOT NULL,
  created_at TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  retired_at TIMESTAMPTZ(3),
  CONSTRAINT tenant_keys_pkey PRIMARY KEY (tenant_id,id)
);

CREATE TABLE data_keys (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL,
  purpose TEXT NOT NULL,
  tenant_key_id UUID NOT NULL,
  wrapped BYTEA,
  created_at TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  destroyed_at TIMESTAMPTZ(3),
  CONSTRAINT data_keys_pkey PRIMARY KEY (tenant_id,id)
);

CREATE TABLE users (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL,
  username TEXT NOT NULL,
  display_name TEXT NOT NULL,
  title TEXT,
  kind TEXT NOT NULL DEFAULT 'person',
  password_hash TEXT,
  external_digest BYTEA,
  version INTEGER NOT NULL DEFAULT 1,
  created_at TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  disabled_at TIMESTAMPTZ(3),
  CONSTRAINT users_pkey PRIMARY KEY (tenant_id,id)
);

CREATE TABLE roles (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL,
  name TEXT NOT NULL,
  label TEXT NOT NULL,
  system BOOLEAN NOT NULL DEFAULT false,
  created_at TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT roles_pkey PRIMARY KEY (tenant_id,id)
);

CREATE TABLE role_permissions (
  tenant_id UUID NOT NULL,
  role_id UUID NOT NULL,
  permission TEXT NOT NULL,
  CONSTRAINT role_permissions_pkey PRIMARY KEY (tenant_id,role_id,permission)
);

CREATE TABLE user_roles (
  tenant_id UUID NOT NULL,
  user_id UUID NOT NULL,
  role_id UUID NOT NULL,
  granted_by UUID,
  granted_at TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT user_roles_pkey PRIMARY KEY (tenant_id,user_id,role_id)
);

CREATE TABLE devices (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL,
  user_id UUID NOT NULL,
  jkt TEXT NOT NULL,
  created_at TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  last_seen_at TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  revoked_at TIMESTAMPTZ(3),
  CONSTRAINT devices_pkey PRIMARY KEY (tenant_id,id)
);

CREATE TABLE sessions (
  tenant_id UUID NOT NULL,
  id TEXT NOT NULL,
  user_id UUID NOT NULL,
  device_id UUID NOT NULL,
  auth_time TIMESTAMPTZ(3) NOT NULL,
  acr TEXT NOT NULL,
  amr TEXT[],
  created_at TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  last_seen_at TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  expires_at TIMESTAMPTZ(3) NOT NULL,
  ended_at TIMESTAMPTZ(3),
  end_reason TEXT,
  CONSTRAINT sessions_pkey PRIMARY KEY (tenant_id,id)
);

CREATE TABLE refresh_tokens (
  tenant_id UUID NOT NULL,
  digest BYTEA NOT NULL,
  session_id TEXT NOT NULL,
  issued_at TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  expires_at TIMESTAMPTZ(3) NOT NULL,
  spent_at TIMESTAMPTZ(3),
  replaced_by BYTEA,
  CONSTRAINT refresh_tokens_pkey PRIMARY KEY (tenant_id,digest)
);

CREATE TABLE used_proofs (
  digest BYTEA NOT NULL,
  expires_at TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT used_proofs_pkey PRIMARY KEY (digest)
);

CREATE TABLE patients (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL,
  data_key_id UUID NOT NULL,
  sealed_demographics BYTEA NOT NULL,
  mrn_digest BYTEA,
  external_digest BYTEA,
  created_at TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  archived_at TIMESTAMPTZ(3),
  CONSTRAINT patients_pkey PRIMARY KEY (tenant_id,id)
);

CREATE TABLE care_team (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL,
  patient_id UUID NOT NULL,
  user_id UUID NOT NULL,
  role TEXT NOT NULL,
  starts_at TIMESTAMPTZ(3) NOT NULL,
  ends_at TIMESTAMPTZ(3),
  assigned_by UUID,
  external_digest BYTEA,
  created_at TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT care_team_pkey PRIMARY KEY (tenant_id,id)
);

CREATE TABLE channels (
  tenant_id UUID NOT NULL,
  id UUID NOT NULL,
  kind TEXT NOT NULL,
  patient_id UUID,
  role_id UUID,
  pair TEXT,
  sealed_title BYTEA,
  data_key_id UUID NOT NULL,
  head BIGINT NOT NULL DEFAULT 0,
  created_by UUID,
  created_at TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  archived_at TIMESTAMPTZ(3),
  CONSTRAINT channels_pkey PRIMARY KEY (tenant_id,id)
);

CREATE TABLE channel_members (
  tenant_id UUID NOT NULL,
  channel_id UUID NOT NULL,
  user_id UUID NOT NULL,
  joined_at TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  left_at TIMESTAMPTZ(3),
  CONSTRAINT channel_members_pkey PRIMARY KEY (tenant_id,channel_id,user_id)
);

CREATE TABLE channel_events (
  tenant_id UUID NOT NULL,
  channel_id UUID NOT NULL,
  seq BIGINT NOT NULL,
  id UUID NOT NULL,
  type TEXT NOT NULL,
  actor_id UUID NOT NULL,
  client_id UUID NOT NULL,
  request_digest BYTEA NOT NULL,
  message_id UUID,
  attributes JSONB NOT NULL DEFAULT '{}',
  body BYTEA,
  at TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT channel_events_pkey PRIMARY KEY (tenant_id,channel_id,seq)
);

CREATE TABLE receipts (
  tenant_id UUID NOT NULL,
  channel_id UUID NOT NULL,
  user_id UUID NOT NULL,
  delivered BIGINT NOT NULL DEFAULT 0,
  read BIGINT NOT NULL DEFAULT 0,
  delivered_at TIMESTAMPTZ(3),
  read_at TIMESTAMPTZ(3),
  CONSTRAINT receipts_pkey PRIMARY KEY (tenant_id,channel_id,user_id)
);

CREATE TABLE audit_outbox (
  tenant_id UUID NOT NULL,
  writer_id UUID NOT NULL,
  writer_seq BIGINT NOT NULL,
  at TIMESTAMPTZ(3) NOT NULL,
  event BYTEA NOT NULL,
  CONSTRAINT audit_outbox_pkey PRIMARY KEY (tenant_id,writer_id,writer_seq)
);

CREATE UNIQUE INDEX tenants_slug_key ON tenants(slug);
CREATE INDEX data_keys_tenant_id_tenant_key_id_idx ON data_keys(tenant_id, tenant_key_id);
CREATE UNIQUE INDEX users_tenant_id_username_key ON users(tenant_id, username);
CREATE UNIQUE INDEX users_tenant_id_external_digest_key ON users(tenant_id, external_digest);
CREATE UNIQUE INDEX roles_tenant_id_name_key ON roles(tenant_id, name);
CREATE INDEX user_roles_tenant_id_role_id_idx ON user_roles(tenant_id, role_id);
CREATE UNIQUE INDEX devices_tenant_id_user_id_jkt_key ON devices(tenant_id, user_id, jkt);
CREATE INDEX sessions_tenant_id_user_id_idx ON sessions(tenant_id, user_id);
CREATE INDEX sessions_tenant_id_device_id_idx ON sessions(tenant_id, device_id);
CREATE INDEX refresh_tokens_tenant_id_session_id_idx ON refresh_tokens(tenant_id, session_id);
CREATE INDEX used_proofs_expires_at_idx ON used_proofs(expires_at);
CREATE UNIQUE INDEX patients_tenant_id_mrn_digest_key ON patients(tenant_id, mrn_digest);
CREATE UNIQUE INDEX patients_tenant_id_external_digest_key ON patients(tenant_id, external_digest);
CREATE INDEX care_team_tenant_id_user_id_idx ON care_team(tenant_id, user_id);
CREATE INDEX care_team_tenant_id_patient_id_idx ON care_team(tenant_id, patient_id);
CREATE UNIQUE INDEX care_team_tenant_id_external_digest_key ON care_team(tenant_id, external_digest);
CREATE INDEX channels_tenant_id_patient_id_idx ON channels(tenant_id, patient_id);
CREATE UNIQUE INDEX channels_tenant_id_pair_key ON channels(tenant_id, pair);
CREATE INDEX channel_members_tenant_id_user_id_idx ON channel_members(tenant_id, user_id);
CREATE UNIQUE INDEX channel_events_tenant_id_id_key ON channel_events(tenant_id, id);
CREATE UNIQUE INDEX channel_events_tenant_id_actor_id_client_id_key ON channel_events(tenant_id, actor_id, client_id);
CREATE INDEX audit_outbox_tenant_id_at_idx ON audit_outbox(tenant_id, at);

ALTER TABLE tenant_keys ADD CONSTRAINT tenant_keys_tenant_id_fkey
  FOREIGN KEY (tenant_id) REFERENCES tenants(id) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE data_keys ADD CONSTRAINT data_keys_tenant_id_tenant_key_id_fkey
  FOREIGN KEY (tenant_id, tenant_key_id) REFERENCES tenant_keys(tenant_id, id) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE users ADD CONSTRAINT users_tenant_id_fkey
  FOREIGN KEY (tenant_id) REFERENCES tenants(id) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE roles ADD CONSTRAINT roles_tenant_id_fkey
  FOREIGN KEY (tenant_id) REFERENCES tenants(id) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE role_permissions ADD CONSTRAINT role_permissions_tenant_id_role_id_fkey
  FOREIGN KEY (tenant_id, role_id) REFERENCES roles(tenant_id, id) ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE user_roles ADD CONSTRAINT user_roles_tenant_id_user_id_fkey
  FOREIGN KEY (tenant_id, user_id) REFERENCES users(tenant_id, id) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE user_roles ADD CONSTRAINT user_roles_tenant_id_role_id_fkey
  FOREIGN KEY (tenant_id, role_id) REFERENCES roles(tenant_id, id) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE devices ADD CONSTRAINT devices_tenant_id_user_id_fkey
  FOREIGN KEY (tenant_id, user_id) REFERENCES users(tenant_id, id) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE sessions ADD CONSTRAINT sessions_tenant_id_user_id_fkey
  FOREIGN KEY (tenant_id, user_id) REFERENCES users(tenant_id, id) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE sessions ADD CONSTRAINT sessions_tenant_id_device_id_fkey
  FOREIGN KEY (tenant_id, device_id) REFERENCES devices(tenant_id, id) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE refresh_tokens ADD CONSTRAINT refresh_tokens_tenant_id_session_id_fkey
  FOREIGN KEY (tenant_id, session_id) REFERENCES sessions(tenant_id, id) ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE patients ADD CONSTRAINT patients_tenant_id_fkey
  FOREIGN KEY (tenant_id) REFERENCES tenants(id) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE patients ADD CONSTRAINT patients_tenant_id_data_key_id_fkey
  FOREIGN KEY (tenant_id, data_key_id) REFERENCES data_keys(tenant_id, id) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE care_team ADD CONSTRAINT care_team_tenant_id_patient_id_fkey
  FOREIGN KEY (tenant_id, patient_id) REFERENCES patients(tenant_id, id) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE care_team ADD CONSTRAINT care_team_tenant_id_user_id_fkey
  FOREIGN KEY (tenant_id, user_id) REFERENCES users(tenant_id, id) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE channels ADD CONSTRAINT channels_tenant_id_fkey
  FOREIGN KEY (tenant_id) REFERENCES tenants(id) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE channels ADD CONSTRAINT channels_tenant_id_patient_id_fkey
  FOREIGN KEY (tenant_id, patient_id) REFERENCES patients(tenant_id, id) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE channels ADD CONSTRAINT channels_tenant_id_role_id_fkey
  FOREIGN KEY (tenant_id, role_id) REFERENCES roles(tenant_id, id) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE channels ADD CONSTRAINT channels_tenant_id_data_key_id_fkey
  FOREIGN KEY (tenant_id, data_key_id) REFERENCES data_keys(tenant_id, id) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE channel_members ADD CONSTRAINT channel_members_tenant_id_channel_id_fkey
  FOREIGN KEY (tenant_id, channel_id) REFERENCES channels(tenant_id, id) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE channel_members ADD CONSTRAINT channel_members_tenant_id_user_id_fkey
  FOREIGN KEY (tenant_id, user_id) REFERENCES users(tenant_id, id) ON DELETE RESTRICT ON UPDATE CASCADE;
