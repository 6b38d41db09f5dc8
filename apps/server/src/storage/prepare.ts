import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { KeyProvider } from '../keys/root-key.ts'
import { checkAppRole, connectOwner, ensureAppRole, ensureSequencerRole } from './app-role.ts'
import { DatabaseRefused } from './errors.ts'
import { checkMigrated, migrate, withMigrationLock } from './migrate.ts'

/** The one row that says which installation a database belongs to. */
export type Installation = {
  readonly id: string
  /** Of the root key that opens what this database holds. */
  readonly rootKeyFingerprint: string
}

export type Prepared = {
  /** For the server's own login role, with its password. */
  readonly appUrl: string
  /** For the sequencer's, which reads the audit outbox and writes the places of the audit log. */
  readonly sequencerUrl: string
  readonly installation: Installation
}

export type PrepareOptions = {
  /** Of a role that owns the tables and may create roles. */
  readonly ownerUrl: string
  /** Of a login role that the operator made; then none is made here. */
  readonly appUrl?: string | null
  /** The same for the sequencer. */
  readonly sequencerUrl?: string | null
  readonly keys: KeyProvider
}

/** The oldest PostgreSQL whose SQL we use. */
const MIN_SERVER_VERSION = 140_000

/**
 * Makes a database ready, at each start: migrations, the installation row, the server's own role. Several servers may do so
 * at once; one works while the others wait.
 *
 * @throws DatabaseRefused in one line: out of reach, too old or too new, made with another root key, roles with too much or
 * too little power
 */
export async function prepareDatabase(options: PrepareOptions): Promise<Prepared> {
  const { ownerUrl, keys } = options
  const owner = await connectOwner(ownerUrl)
  try {
    await checkServer(owner)
    return await withMigrationLock(owner, async () => {
      await migrate(owner)
      await owner.query('GRANT SELECT ON _prisma_migrations TO wardline_app')
      await owner.query('SELECT audit_log.make_months()')
      const installation = await ensureInstallation(owner, keys.fingerprint)
      const role = [owner, ownerUrl, installation.id, keys.derive] as const
      const appUrl = options.appUrl ?? (await ensureAppRole(...role))
      const sequencerUrl = options.sequencerUrl ?? (await ensureSequencerRole(...role))
      return { appUrl, sequencerUrl, installation }
    })
  } finally {
    await owner.end()
  }
}

/**
 * Checks, as the application's role itself, that the database fits this build and this root key and that the role is
 * walled in. Returns the installation. @throws DatabaseRefused
 */
export async function checkPrepared(app: pg.Client, fingerprint?: string): Promise<Installation> {
  await checkAppRole(app)
  await checkMigrated(app)
  const installation = await readInstallation(app)
  if (installation === undefined)
    throw new DatabaseRefused('The database has no installation row: start once with WARDLINE_DATABASE_URL.')
  if (fingerprint !== undefined) checkFingerprint(installation, fingerprint)
  return installation
}

async function checkServer(owner: pg.Client): Promise<void> {
  const { rows } = await owner.query<{ version: string; encoding: string }>(
    `SELECT current_setting('server_version_num') AS version, current_setting('server_encoding') AS encoding`,
  )
  const [server] = rows
  if (Number(server?.version) < MIN_SERVER_VERSION) {
    throw new DatabaseRefused('The database server is too old: Wardline needs PostgreSQL 14 or later.')
  }
  if (server?.encoding !== 'UTF8') {
    throw new DatabaseRefused(`The database is encoded in ${server?.encoding}: make one with ENCODING 'UTF8'.`)
  }
}

async function ensureInstallation(owner: pg.Client, fingerprint: string): Promise<Installation> {
  await owner.query('INSERT INTO installation (id, root_key_fingerprint) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    randomUUID(),
    fingerprint,
  ])
  const installation = await readInstallation(owner)
  if (installation === undefined) throw new DatabaseRefused('The database keeps no installation row.')
  checkFingerprint(installation, fingerprint)
  return installation
}

async function readInstallation(client: pg.Client): Promise<Installation | undefined> {
  const { rows } = await client.query<Installation>(
    'SELECT id, root_key_fingerprint AS "rootKeyFingerprint" FROM installation',
  )
  return rows[0]
}

function checkFingerprint({ rootKeyFingerprint }: Installation, fingerprint: string): void {
  if (rootKeyFingerprint === fingerprint) return
  throw new DatabaseRefused(
    `The root key (${fingerprint.slice(0, 16)}…) is not the one this database was made with (${rootKeyFingerprint.slice(0, 16)}…): restore root.key, or point WARDLINE_KEYS_DIR to it.`,
  )
}
