import { randomUUID } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compareDatabase } from '../../apps/server/src/audit/compare/database.ts'
import { type AuditFact, auditId, encodeAuditEvent } from '../../apps/server/src/audit/event.ts'
import { archiveAudit } from '../../apps/server/src/audit/retention/archive.ts'
import { type PurgeOptions, purgeAudit } from '../../apps/server/src/audit/retention/purge.ts'
import { manualClock } from '../../apps/server/src/clock.ts'
import { AuditRetentionStore } from '../../apps/server/src/storage/audit-retention.ts'
import { CompareStore } from '../../apps/server/src/storage/compare-store.ts'
import type { Database } from '../../apps/server/src/storage/open.ts'
import { directoryStore } from '../../packages/transparency-log/src/directory-store.ts'
import {
  COSIGNATURE,
  generateNoteKey,
  overlay,
  parseNote,
  parseSignerKey,
  readPruned,
  signNote,
  verifyLog,
  writePruned,
} from '../../packages/transparency-log/src/index.ts'
import { indexPath } from '../../packages/transparency-log/src/tile-path.ts'
import { asOwner, createTestDatabase, type TestDatabase } from '../_util/database.ts'
import { createTestLog, type TestLog } from '../_util/sequencer.ts'

/** Six years: months that are past their retention, archived and under no hold go, and the tree stays what it was. */

const DAY_MS = 86_400_000
const PER_MONTH = 600
const now = Date.now()
const clock = manualClock(now)
/** The beginning of a month, so many years ago and months later. */
const month = (years: number, later = 0) => {
  const today = new Date(now)
  return Date.UTC(today.getUTCFullYear() - years, today.getUTCMonth() + later, 1)
}
const tenant = randomUUID()
const other = randomUUID()
const patient = randomUUID()
/** Months with events: three that are over six years old, one that is five years old. */
const OLD = [month(8), month(8, 1), month(7)]
const LATE = month(5)

let store: TestDatabase
let database: Database
let log: TestLog
let retention: AuditRetentionStore
let archiveDir: string

beforeAll(async () => {
  store = await createTestDatabase()
  await store.query('ALTER TABLE audit_outbox DETACH PARTITION audit_parts.outbox_first')
  await store.query('ALTER TABLE audit_log.events DETACH PARTITION audit_parts.events_first')
  for (const from of [...OLD, LATE]) await store.query('SELECT audit_log.make_month($1)', [new Date(from)])
  for (const [id, slug] of [
    [tenant, 'a'],
    [other, 'b'],
  ] as const) {
    await store.query('INSERT INTO tenants (id, slug, name) VALUES ($1, $2, $2)', [id, slug])
  }
  database = await store.open()
  log = await createTestLog(store, clock)
  for (const [i, from] of OLD.entries()) await write(from, i === 0 ? [tenant, other] : [tenant])
  await sequenced()
  // A checkpoint kept from that time, as witnesses leave it: nothing that holds an entry back.
  const tiles = directoryStore(log.dir)
  const note = parseNote((await tiles.read('checkpoint')) ?? new Uint8Array(0))
  const witness = parseSignerKey(generateNoteKey('witness.example', COSIGNATURE).skey)
  const cosigned = signNote(note?.text ?? '', [witness], 1_790_000_000, note?.signatures)
  await tiles.write(`checkpoints/${indexPath(Number(note?.text.split('\n')[1]) || 0)}`, cosigned)
  await write(LATE, [tenant])
  await sequenced()
  retention = await AuditRetentionStore.connect(store.ownerUrl)
  archiveDir = join(mkdtempSync(join(tmpdir(), 'wardline-archive-')), 'archive')
})
afterAll(async () => {
  await retention.close()
  await log.remove()
  rmSync(join(archiveDir, '..'), { recursive: true, force: true })
  await store.drop()
})

/** Events of one month, one writer for each tenant. */
async function write(from: number, tenants: readonly string[]): Promise<void> {
  for (const of of tenants) {
    const rows = Array.from({ length: PER_MONTH }, (_, n) => {
      const fact: AuditFact = {
        action: 'patient.read',
        outcome: 'allowed',
        actor: auditId(randomUUID()),
        patient: auditId(n === 7 ? patient : randomUUID()),
      }
      const at = from + n * 1_000
      return { seq: n + 1, at: new Date(at), event: encodeAuditEvent(auditId(of), at, fact) }
    })
    await store.query(
      `INSERT INTO audit_outbox SELECT $1, $2, * FROM unnest($3::bigint[], $4::timestamptz[], $5::bytea[])`,
      [of, randomUUID(), rows.map((row) => row.seq), rows.map((row) => row.at), rows.map((row) => row.event)],
    )
  }
}

async function sequenced(): Promise<void> {
  await log.index()
  await store.query('UPDATE audit_log.indexed SET safe_at = $1', [new Date(now)])
}

const options = (more: Partial<PurgeOptions> = {}): PurgeOptions => ({
  store: retention,
  database,
  log: directoryStore(log.dir),
  logDir: log.dir,
  archiveDir,
  origin: log.origin,
  logKeys: [log.signer.verifier],
  signer: log.signer,
  before: month(7, 1),
  now,
  ...more,
})
const outbox = async () => {
  const [row] = await store.query<{ n: string }>('SELECT count(*) AS n FROM audit_outbox WHERE tenant_id = ANY($1)', [
    [tenant, other],
  ])
  return Number(row?.n)
}
const archive = (before: number, from: number, dir = archiveDir) =>
  archiveAudit({ store: retention, database, log: directoryStore(log.dir), archive: directoryStore(dir), before, from })

async function foundInDatabase(): Promise<string[]> {
  const own = await CompareStore.connect(log.sequencerUrl)
  try {
    const tiles = directoryStore(log.dir)
    const logKeys = [log.signer.verifier]
    const { head } = await log.verify()
    const pruned = await readPruned(tiles, log.origin, logKeys)
    const { findings } = await compareDatabase({ store: own, tiles, size: head?.size ?? 0, logKeys, pruned })
    return findings.map(({ kind, where, sentence }) => `${where} ${kind} ${sentence}`)
  } finally {
    await own.close()
  }
}

async function verified(dirs: readonly string[] = [log.dir], minimumIndex = 0) {
  const trust = { origin: log.origin, logKeys: [log.signer.verifier], now, minimumIndex }
  const { ok, findings, entries } = await verifyLog(overlay(dirs.map((dir) => directoryStore(dir))), trust)
  return { ok, kinds: [...new Set(findings.map(({ kind }) => kind))], entries }
}

describe('R-76 the audit is kept for six years', () => {
  it('an event goes to the part of its month, and each part is guarded like the whole', async () => {
    const [first = 0] = OLD
    const name = new Date(first).toISOString().slice(0, 7).replace('-', '_')
    const rows = await store.query<{ n: string }>(`SELECT count(*) AS n FROM audit_parts.outbox_${name}`)
    expect(Number(rows[0]?.n)).toBe(2 * PER_MONTH)
    for (const sql of ['DELETE FROM', 'TRUNCATE']) {
      await expect(store.query(`${sql} audit_parts.outbox_${name}`), sql).rejects.toThrow(/kept as they were written/)
    }
    await expect(store.query(`UPDATE audit_parts.outbox_${name} SET event = 'x'`)).rejects.toThrow(/kept as they/)
  })

  it('each part of the index is vacuumed when a little of it is new: what it answers alone it need not look up', async () => {
    const parts = await store.query<{ options: string[] | null }>(
      `SELECT c.reloptions AS options FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
       WHERE i.inhparent = 'audit_log.events'::regclass`,
    )
    expect(parts.length).toBeGreaterThan(OLD.length)
    const options = ['autovacuum_vacuum_scale_factor=0.01', 'autovacuum_vacuum_insert_scale_factor=0.02']
    for (const part of parts) expect(part.options).toEqual(options)
  })

  it('an archive is a log of its own, which verifies alone and is a beginning of the other', async () => {
    const { size } = await archive(month(7, 1), 0)
    expect(size).toBeGreaterThanOrEqual(4 * PER_MONTH)
    expect(await verified([archiveDir])).toMatchObject({ ok: true, entries: size })
    expect(await archive(month(7, 1), 0)).toEqual({ from: 0, size })
    await expect(archive(month(7, 1), size)).rejects.toThrow('archived already')
  })

  it('nothing goes without an archive that verifies, reaches far enough, and is this log’s', async () => {
    const nothing = { ...options(), archiveDir: `${archiveDir}.nothing` }
    await expect(purgeAudit(nothing)).rejects.toThrow('does not verify')
    const spoiled = `${archiveDir}.spoiled`
    cpSync(archiveDir, spoiled, { recursive: true })
    rmSync(join(spoiled, 'tile', 'entries', '001'))
    await expect(purgeAudit({ ...options(), archiveDir: spoiled })).rejects.toThrow('does not verify')
    const another = generateNoteKey(log.origin)
    await expect(purgeAudit({ ...options(), logKeys: [parseSignerKey(another.skey).verifier] })).rejects.toThrow(
      'verify',
    )
    expect(await outbox()).toBe(5 * PER_MONTH)
  })

  it('nor what is under a legal hold, or is to be kept longer: nor anything younger', async () => {
    const all = options({ dryRun: true, before: month(0) })
    for (const held of [null, patient]) {
      // A patient's row wants keys that this test has no use for.
      await asOwner(store.ownerUrl, async (client) => {
        await client.query('SET session_replication_role = replica')
        const values = [held === null ? other : tenant, randomUUID(), held]
        await client.query(
          'INSERT INTO audit_holds (tenant_id, id, patient_id, placed_by, placed_at) VALUES ($1, $2, $3, $2, now())',
          values,
        )
      })
      const why = { why: 'hold', tenant: held === null ? other : tenant, patient: held }
      expect(await purgeAudit(all)).toMatchObject({ months: [], kept: { why } })
      await store.query('UPDATE audit_holds SET released_at = now(), released_by = id')
    }
    await store.query('INSERT INTO audit_policies (tenant_id, retention_years) VALUES ($1, 8)', [tenant])
    const longer = await purgeAudit(all)
    expect(longer.kept?.why).toEqual({ why: 'retention', tenant, years: 8 })
    expect(longer.months.length).toBeLessThan(OLD.length)
    await store.query('DELETE FROM audit_policies')
    const six = await purgeAudit(all)
    expect(six.months).toHaveLength(OLD.length)
    expect(six.kept).toMatchObject({ month: { until: month(5, 1) }, why: { why: 'retention', years: 6 } })
    expect(await outbox()).toBe(5 * PER_MONTH)
  })

  it('what is past its retention and archived goes, and the tree is the same; the log says that it went', async () => {
    expect(await foundInDatabase()).toEqual([])
    const before = await verified()
    const { months, events, pruned } = await purgeAudit(options())
    expect(months).toHaveLength(3)
    expect(events).toBe(4 * PER_MONTH)
    expect(await outbox()).toBe(PER_MONTH)
    const left = readdirSync(join(log.dir, 'tile', 'entries')).map((name) => Number.parseInt(name, 10))
    expect(Math.min(...left)).toBe((pruned?.index ?? 0) / 256)
    expect(readdirSync(join(log.dir, 'tile', '0'))).toContain('000')

    await sequenced()
    const index = pruned?.index ?? 0
    expect(index).toBeGreaterThan(4 * PER_MONTH - 256)
    expect(await verified([log.dir], index)).toMatchObject({ ok: true })
    expect(await verified([log.dir, archiveDir])).toMatchObject({ ok: true })
    expect((await verified([log.dir, archiveDir])).entries).toBeGreaterThan(before.entries)
    expect(await foundInDatabase()).toEqual([])
    const said = await store.query<{ event: Buffer }>('SELECT event FROM audit_outbox WHERE at > $1 ORDER BY at', [
      new Date(now - DAY_MS),
    ])
    const facts = said.map(({ event }) => JSON.parse(String(event)) as unknown)
    expect(facts).toContainEqual(expect.objectContaining({ action: 'audit.archive', seq: 0 }))
    expect(facts).toContainEqual(expect.objectContaining({ action: 'audit.purge', count: events, seq: index }))
  })

  it('what was merely removed is still found, and nobody without the log’s key can say that it was purged', async () => {
    const pruned = await readPruned(directoryStore(log.dir), log.origin, [log.signer.verifier])
    const copy = `${log.dir}.removed`
    cpSync(log.dir, copy, { recursive: true })
    const next = String((pruned?.index ?? 0) / 256).padStart(3, '0')
    rmSync(join(copy, 'tile', 'entries', next))
    const forger = parseSignerKey(generateNoteKey(log.origin).skey)
    await writePruned(directoryStore(copy), log.origin, { index: (pruned?.index ?? 0) + 256, before: now }, forger)
    expect(await readPruned(directoryStore(copy), log.origin, [log.signer.verifier])).toEqual(pruned)
    expect(await verified([copy], pruned?.index)).toMatchObject({ ok: false, kinds: ['missing'] })
    rmSync(copy, { recursive: true })
  })

  it('a purge that was broken off is gone on with; the next archive begins where the last ended', async () => {
    expect(await purgeAudit(options())).toMatchObject({ months: [], pruned: null })
    const pruned = await readPruned(directoryStore(log.dir), log.origin, [log.signer.verifier])
    const second = `${archiveDir}.second`
    const from = pruned?.index ?? 0
    const { size } = await archive(month(5, 1), from, second)
    expect(size).toBeGreaterThanOrEqual(5 * PER_MONTH)
    expect(await verified([second], from)).toMatchObject({ ok: true })
    expect(await verified([second, archiveDir])).toMatchObject({ ok: true, entries: size })
  })
})
