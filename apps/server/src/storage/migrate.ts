import { createHash, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import { DatabaseRefused } from './errors.ts'

const MIGRATIONS_DIR = fileURLToPath(new URL('../../../../prisma/migrations', import.meta.url))

/** The advisory lock that Prisma's own engine takes, so that `prisma migrate` and a starting server wait for each other. */
const PRISMA_MIGRATE_LOCK = 72_707_369

const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ,
  migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`

type Migration = { readonly name: string; readonly sql: string; readonly checksum: string }
type Recorded = { migration_name: string; checksum: string; finished_at: Date | null }

/** The migrations of this build, in the order of their names. */
export function readMigrations(dir = MIGRATIONS_DIR): Migration[] {
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
    .map((name) => {
      const sql = readFileSync(join(dir, name, 'migration.sql'), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    })
}

/** Holds the migration lock of this database while `run` runs: of several servers that start at once, one migrates. */
export async function withMigrationLock<T>(client: pg.Client, run: () => Promise<T>): Promise<T> {
  await client.query('SELECT pg_advisory_lock($1)', [PRISMA_MIGRATE_LOCK])
  try {
    return await run()
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [PRISMA_MIGRATE_LOCK])
  }
}

/**
 * Brings the database to this build's schema and records it as `prisma migrate deploy` would; Prisma's own tools agree
 * with the result. Unlike that, each migration and its record are one transaction: a crash leaves nothing half done.
 *
 * Call it under {@link withMigrationLock}, connected as the owner. Returns the names of those it applied.
 *
 * @throws DatabaseRefused when the database is of a newer build, or its history and this build's have parted
 */
export async function migrate(client: pg.Client, migrations = readMigrations()): Promise<string[]> {
  await client.query(CREATE_TABLE)
  const recorded = await readRecorded(client)
  checkHistory(migrations, recorded)
  const done = new Set(recorded.map((row) => row.migration_name))
  const applied: string[] = []
  for (const migration of migrations) {
    if (done.has(migration.name)) continue
    await apply(client, migration)
    applied.push(migration.name)
  }
  return applied
}

/** For a server that is given no owner: the schema must be there already. @throws DatabaseRefused */
export async function checkMigrated(client: pg.Client, migrations = readMigrations()): Promise<void> {
  const recorded = await readRecorded(client)
  checkHistory(migrations, recorded)
  if (recorded.length < migrations.length) {
    throw new DatabaseRefused(
      'The database is of an older Wardline: start once with WARDLINE_DATABASE_URL set to its owner, who may migrate it.',
    )
  }
}

async function readRecorded(client: pg.Client): Promise<Recorded[]> {
  const { rows } = await client.query<Recorded>(
    'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL',
  )
  return rows
}

function checkHistory(migrations: readonly Migration[], recorded: readonly Recorded[]): void {
  const known = new Map(migrations.map((migration) => [migration.name, migration]))
  for (const { migration_name: name, checksum, finished_at } of recorded) {
    const ours = known.get(name)
    if (ours === undefined) {
      throw new DatabaseRefused(
        `The database was made by a newer Wardline (migration ${name} is not of this version): start the newer version.`,
      )
    }
    if (finished_at === null) {
      throw new DatabaseRefused(
        `Migration ${name} was begun by another tool and did not finish: see "prisma migrate resolve", then start again.`,
      )
    }
    if (ours.checksum !== checksum) {
      throw new DatabaseRefused(
        `Migration ${name} is not the one this database was made with: its file was changed afterwards; restore it.`,
      )
    }
  }
}

async function apply(client: pg.Client, { name, sql, checksum }: Migration): Promise<void> {
  await client.query('BEGIN')
  try {
    await client.query(sql)
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
      [randomUUID(), checksum, name],
    )
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    const why = error instanceof Error ? error.message : 'unknown'
    throw new DatabaseRefused(`Migration ${name} failed and was undone: ${why}.`, { cause: error })
  }
}
