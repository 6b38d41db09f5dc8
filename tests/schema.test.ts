import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asOwner, createTestDatabase, type TestDatabase } from './_util/database.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PRISMA = fileURLToPath(new URL('../node_modules/prisma/build/index.js', import.meta.url))

let store: TestDatabase

beforeAll(async () => {
  store = await createTestDatabase()
})
afterAll(() => store.drop())

/** What `prisma migrate diff` says of this database against schema.prisma: its exit code and words. */
async function diff(url: string): Promise<{ code: number; text: string }> {
  const args = [
    PRISMA,
    'migrate',
    'diff',
    '--from-config-datasource',
    '--to-schema',
    'prisma/schema.prisma',
    '--exit-code',
  ]
  const env = { ...process.env, WARDLINE_DATABASE_URL: url, NO_COLOR: '1' }
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT, env })
    return { code: 0, text: stdout }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, text: stdout + stderr }
  }
}

/** The same after a change that is undone. */
async function diffAfter(change: string, undo: string): Promise<{ code: number; text: string }> {
  await store.query(change)
  try {
    return await diff(store.ownerUrl)
  } finally {
    await store.query(undo)
  }
}

describe('schema.prisma and the migrated database', () => {
  it('are the same', async () => {
    // The words as well as the code: an engine that did nothing exits with 0 too.
    expect(await diff(store.ownerUrl)).toEqual({ code: 0, text: expect.stringContaining('No difference detected') })
  })

  it.each([
    [
      'a column of another type',
      'ALTER TABLE users ALTER title TYPE varchar(10)',
      'ALTER TABLE users ALTER title TYPE text',
      'title',
    ],
    ['a column too many', 'ALTER TABLE users ADD extra text', 'ALTER TABLE users DROP extra', 'extra'],
    [
      'an index that is missing',
      'DROP INDEX sessions_tenant_id_user_id_idx',
      'CREATE INDEX sessions_tenant_id_user_id_idx ON sessions (tenant_id, user_id)',
      'sessions',
    ],
    [
      'a column that may be null',
      'ALTER TABLE channels ALTER kind DROP NOT NULL',
      'ALTER TABLE channels ALTER kind SET NOT NULL',
      'kind',
    ],
  ])('differ by %s, and it is seen', async (_, change, undo, word) => {
    expect(await diffAfter(change, undo)).toEqual({ code: 2, text: expect.stringContaining(word) })
  })

  it('agree with Prisma’s own record of migrations', async () => {
    const args = [PRISMA, 'migrate', 'status']
    const env = { ...process.env, WARDLINE_DATABASE_URL: store.ownerUrl, NO_COLOR: '1' }
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT, env })
    expect(stdout).toContain('Database schema is up to date')
  })
})

/** Tables that belong to no tenant, each for its reason (schema.prisma). A new one is a decision: it is made here. */
const SHARED = ['_prisma_migrations', 'installation', 'used_proofs']

describe('R-37 the walls', () => {
  it('stand around every table but the shared ones', async () => {
    const tables = await store.query<{ name: string; walled: boolean }>(
      `SELECT relname AS name, relrowsecurity AS walled FROM pg_class
       WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1`,
    )
    expect(tables.filter((table) => !table.walled).map((table) => table.name)).toEqual(SHARED)
    const open = await store.query<{ name: string }>(
      `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
       WHERE a.attname = 'tenant_id' AND c.relkind IN ('r', 'p') AND NOT c.relrowsecurity
         AND has_any_column_privilege('wardline_app', c.oid, 'SELECT, INSERT, UPDATE')`,
    )
    expect(open).toEqual([])
    const walls = await store.query<{ name: string; wall: string }>(
      `SELECT tablename AS name, concat_ws(' / ', cmd, permissive, qual, with_check) AS wall FROM pg_policies
       WHERE schemaname = 'public' AND roles && '{wardline_app,public}'::name[] ORDER BY 1`,
    )
    expect(walls.map((row) => row.name)).toEqual(tables.filter((table) => table.walled).map((table) => table.name))
    for (const { name, wall } of walls) {
      const column = name === 'tenants' ? 'id' : 'tenant_id'
      const same = `(${column} = (NULLIF(current_setting('wardline.tenant'::text, true), ''::text))::uuid)`
      expect(wall, name).toBe(`ALL / PERMISSIVE / ${same} / ${same}`)
    }
  })

  it('are looked over by other roles for reading alone', async () => {
    const others = await store.query<{ name: string; cmd: string }>(
      `SELECT tablename AS name, cmd FROM pg_policies
       WHERE schemaname = 'public' AND NOT roles && '{wardline_app}'::name[] AND cmd <> 'SELECT'`,
    )
    expect(others).toEqual([])
  })

  it('lead every key: tenant_id comes first in each primary key and foreign key', async () => {
    const keys = await store.query<{ name: string; first: string; kind: string }>(
      `SELECT k.conname AS name, k.contype AS kind, a.attname AS first
       FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
       WHERE k.connamespace = 'public'::regnamespace AND k.contype IN ('p', 'f') ORDER BY 1`,
    )
    const others = keys.filter((key) => key.first !== 'tenant_id').map((key) => key.name)
    expect(others).toEqual(['_prisma_migrations_pkey', 'installation_pkey', 'tenants_pkey', 'used_proofs_pkey'])
    expect(keys.filter((key) => key.kind === 'f').length).toBeGreaterThan(15)
  })

  it('the application’s role owns nothing, has no power, and is let in by nothing but its grants', async () => {
    const [role] = await store.query<{ powers: boolean; owned: string; create: boolean; foreign: string }>(
      `SELECT bool_or(r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication) AS powers,
              (SELECT count(*) FROM pg_class c JOIN pg_roles o ON o.oid = c.relowner WHERE o.rolname LIKE 'wardline\\_app%') AS owned,
              bool_or(has_schema_privilege(r.oid, 'public', 'CREATE')) AS create,
              (SELECT count(*) FROM pg_class c, aclexplode(c.relacl) g
               WHERE c.relnamespace = 'public'::regnamespace AND g.grantee = 0) AS foreign
       FROM pg_roles r WHERE r.rolname LIKE 'wardline\\_app%'`,
    )
    expect(role).toEqual({ powers: false, owned: '0', create: false, foreign: '0' })
  })

  it('no function that looks over them is there but the two', async () => {
    const definers = await store.query<{ name: string }>(
      `SELECT proname AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef ORDER BY 1`,
    )
    expect(definers.map((row) => row.name)).toEqual(['wardline_find_tenant', 'wardline_list_tenants'])
    const open = await store.query<{ name: string }>(
      `SELECT proname AS name FROM pg_proc p WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'wardline%'
       AND proname <> 'wardline_refuse_change'
       AND (proacl IS NULL OR EXISTS (SELECT FROM aclexplode(proacl) g WHERE g.grantee = 0))`,
    )
    expect(open).toEqual([])
  })
})

describe('R-72 what was written stays as it was written', () => {
  const asApp = (sql: string) => asOwner(store.appUrl, (client) => client.query(sql))

  it.each(['audit_outbox', 'channel_events'])('the application cannot change, delete or empty %s', async (table) => {
    for (const sql of [`UPDATE ${table} SET at = now()`, `DELETE FROM ${table}`, `TRUNCATE ${table}`]) {
      await expect(asApp(sql), sql).rejects.toThrow(/permission denied/)
    }
    await expect(asApp(`ALTER TABLE ${table} DISABLE TRIGGER ALL`)).rejects.toThrow(/must be owner/)
    await expect(asApp(`DROP TABLE ${table}`)).rejects.toThrow(/must be owner/)
  })

  it('the owner’s own UPDATE, DELETE and TRUNCATE of audit rows are stopped, replication’s role or not', async () => {
    await store.query(
      "INSERT INTO audit_outbox VALUES ('00000000-0000-0000-0000-000000000000', '00000000-0000-4000-8000-000000000000', 1, now(), 'x')",
    )
    const changes = ["UPDATE audit_outbox SET event = 'y'", 'DELETE FROM audit_outbox', 'TRUNCATE audit_outbox']
    for (const sql of changes) {
      await expect(store.query(sql), sql).rejects.toThrow(/kept as they were written/)
      const replica = asOwner(store.ownerUrl, async (client) => {
        await client.query("SET session_replication_role = 'replica'")
        await client.query(sql)
      })
      await expect(replica, sql).rejects.toThrow(/kept as they were written/)
    }
    expect(await store.query("SELECT convert_from(event, 'UTF8') AS event FROM audit_outbox")).toEqual([{ event: 'x' }])
  })

  it('deletes are granted only where a row is no record of anything', async () => {
    const granted = await store.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.role_table_grants
       WHERE grantee = 'wardline_app' AND privilege_type = 'DELETE' ORDER BY 1`,
    )
    expect(granted.map((row) => row.name)).toEqual([
      'alert_deliveries',
      'alert_windows',
      'audit_filters',
      'open_sockets',
      'refresh_tokens',
      'revoked_tokens',
      'role_permissions',
      'roles',
      'set_up_codes',
      'sign_in_challenges',
      'sign_in_failures',
      'sign_in_places',
      'socket_nodes',
      'used_proofs',
      'user_roles',
    ])
    const other = await store.query(
      `SELECT FROM information_schema.role_table_grants
       WHERE grantee = 'wardline_app' AND privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')`,
    )
    expect(other).toEqual([])
  })
})
