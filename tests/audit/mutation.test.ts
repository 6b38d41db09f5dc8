import { randomUUID } from 'node:crypto'
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compareDatabase } from '../../apps/server/src/audit/compare/database.ts'
import { auditId } from '../../apps/server/src/audit/event.ts'
import { manualClock } from '../../apps/server/src/clock.ts'
import { CompareStore } from '../../apps/server/src/storage/compare-store.ts'
import { directoryStore } from '../../packages/transparency-log/src/directory-store.ts'
import {
  eventLeaf,
  type FindingKind,
  generateNoteKey,
  openLog,
  parseSignerKey,
  readEntries,
  verifyLog,
} from '../../packages/transparency-log/src/index.ts'
import { asOwner, createTestDatabase, type TestDatabase } from '../_util/database.ts'
import { createTestLog, type TestLog } from '../_util/sequencer.ts'

/** Requirement R-72: whoever owns the database, or the files, or both, and changes anything at all, is found, and by the right name. */

const EVENTS = 1_500
const clock = manualClock(Date.now())
let store: TestDatabase
let log: TestLog
let size: number
/** Yesterday's backup of the log's folder, and the checkpoint that an auditor took home then. */
let yesterday: string
let kept: Buffer

const tenants = [randomUUID(), randomUUID()]

beforeAll(async () => {
  store = await createTestDatabase()
  log = await createTestLog(store, clock)
  const database = await store.open()
  const write = (count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, i) =>
        database.auditOnly(tenants[i % 2] ?? null, {
          action: 'patient.read',
          outcome: 'allowed',
          actor: auditId(randomUUID()),
          patient: auditId(randomUUID()),
          connection: auditId(randomUUID()),
        }),
      ),
    )
  await write(EVENTS / 2)
  const sequencer = log.sequencer()
  await log.settle(sequencer)
  yesterday = `${log.dir}.yesterday`
  cpSync(log.dir, yesterday, { recursive: true })
  kept = readFileSync(join(log.dir, 'checkpoint'))
  clock.advance(120_000)
  await write(EVENTS / 2)
  await log.index(sequencer)
  await sequencer.close()
  size = await entryCount()
  // Everything is indexed, so that the index has no excuse.
  const [state] = await store.query<{ n: string }>('SELECT next_index AS n FROM audit_log.indexed')
  if (Number(state?.n) !== size) throw new Error('the index is behind')
})
afterAll(async () => {
  await log.remove()
  await store.drop()
})

async function entryCount(): Promise<number> {
  return (await log.verify()).entries
}

describe('the database’s owner, every guard switched off', () => {
  /** Runs as superuser without triggers or constraints, looks what is found, and puts everything back. */
  async function foundAfter(...changes: string[]): Promise<string[]> {
    const tables = [
      'audit_outbox',
      'audit_log.runs',
      'audit_log.head',
      'audit_log.events',
      'audit_log.hours',
      'audit_log.days',
      'audit_log.indexed',
    ]
    const copy = (table: string) => `mutation_copy_${table.replace('.', '_')}`
    await asOwner(store.ownerUrl, async (client) => {
      for (const table of tables) await client.query(`CREATE TABLE ${copy(table)} AS TABLE ${table}`)
      await withoutGuards(client)
      for (const change of changes) await client.query(change)
    })
    const own = await CompareStore.connect(log.sequencerUrl)
    try {
      const tiles = directoryStore(log.dir)
      const { findings } = await compareDatabase({ store: own, tiles, size, logKeys: [log.signer.verifier] })
      return [...new Set(findings.map(({ kind, where }) => `${where} ${kind}`))].toSorted()
    } finally {
      await own.close()
      await asOwner(store.ownerUrl, async (client) => {
        for (const table of tables) {
          await withoutGuards(client)
          const columns = await client.query<{ name: string }>(
            `SELECT attname AS name FROM pg_attribute WHERE attrelid = '${table}'::regclass AND attnum > 0
             AND NOT attisdropped AND attgenerated = ''`,
          )
          const names = columns.rows.map(({ name }) => name).join(', ')
          await client.query(`DELETE FROM ${table}`)
          await client.query(`INSERT INTO ${table} (${names}) SELECT ${names} FROM ${copy(table)}`)
          await client.query(`DROP TABLE ${copy(table)}`)
        }
      })
    }
  }

  async function withoutGuards(client: { query(sql: string): Promise<unknown> }): Promise<void> {
    await client.query('SET session_replication_role = replica')
    const parts = await client.query(
      "SELECT oid::regclass::text AS name FROM pg_class WHERE relnamespace = 'audit_parts'::regnamespace AND relkind = 'r'",
    )
    for (const table of [
      'audit_outbox',
      'audit_log.runs',
      ...(parts as { rows: { name: string }[] }).rows.map(({ name }) => name),
    ])
      await client.query(`ALTER TABLE ${table} DISABLE TRIGGER ALL`)
  }

  // One row of each kind, by its place in the log.
  const row = (n: number) =>
    `(tenant_id, writer_id, writer_seq) = (SELECT tenant_id, writer_id, writer_seq FROM audit_outbox ORDER BY tenant_id, writer_id, writer_seq OFFSET ${n} LIMIT 1)`
  const run = 'first_index = (SELECT min(first_index) FROM audit_log.runs WHERE own IS NULL AND count > 3)'
  const beat = 'first_index = (SELECT max(first_index) FROM audit_log.runs WHERE own IS NOT NULL)'
  const indexed = 'leaf_index = 9'
  const other = randomUUID()

  it('finds nothing where nothing was changed', async () => {
    expect(await foundAfter()).toEqual([])
  })

  it.each([
    [
      'event',
      `UPDATE audit_outbox SET event = replace(convert_from(event, 'UTF8'), 'allowed', 'refused')::bytea WHERE ${row(7)}`,
      ['audit_outbox changed'],
    ],
    ['at', `UPDATE audit_outbox SET at = at + interval '1 ms' WHERE ${row(7)}`, ['audit_outbox changed']],
    [
      'writer_id',
      `UPDATE audit_outbox SET writer_id = '${other}' WHERE ${row(7)}`,
      ['audit_outbox missing', 'audit_outbox writer-gap'],
    ],
    [
      'writer_seq',
      `UPDATE audit_outbox SET writer_seq = 100000 WHERE ${row(7)}`,
      ['audit_outbox missing', 'audit_outbox writer-gap'],
    ],
    [
      'tenant_id',
      `UPDATE audit_outbox SET tenant_id = '${other}' WHERE ${row(7)}`,
      ['audit_outbox missing', 'audit_outbox writer-gap'],
    ],
  ])('column %s of an event', async (_, change, found) => {
    expect(await foundAfter(change)).toEqual(found)
  })

  it('an event deleted, the last one, all of a tenant, and all of them', async () => {
    expect(await foundAfter(`DELETE FROM audit_outbox WHERE ${row(7)}`)).toEqual(['audit_outbox missing'])
    const last =
      '(tenant_id, writer_id, writer_seq) IN (SELECT tenant_id, writer_id, max(writer_seq) FROM audit_outbox GROUP BY 1, 2)'
    expect(await foundAfter(`DELETE FROM audit_outbox WHERE ${last}`)).toEqual(['audit_outbox missing'])
    expect(await foundAfter(`DELETE FROM audit_outbox WHERE tenant_id = '${tenants[0]}'`)).toEqual([
      'audit_outbox missing',
    ])
    expect(await foundAfter('TRUNCATE audit_outbox')).toEqual(['audit_outbox missing'])
  })

  it('two events that change places', async () => {
    const swap = `UPDATE audit_outbox a SET event = b.event, at = b.at FROM (
      SELECT tenant_id, writer_id, writer_seq, lead(event) OVER w AS next_event, lag(event) OVER w AS last_event, at, row_number() OVER w AS n,
        coalesce(CASE WHEN row_number() OVER w = 8 THEN lead(event) OVER w END, CASE WHEN row_number() OVER w = 9 THEN lag(event) OVER w END) AS event
      FROM audit_outbox WINDOW w AS (ORDER BY tenant_id, writer_id, writer_seq)) b
      WHERE (a.tenant_id, a.writer_id, a.writer_seq) = (b.tenant_id, b.writer_id, b.writer_seq) AND b.event IS NOT NULL`
    expect(await foundAfter(swap)).toContain('audit_outbox reordered')
    expect(await foundAfter(swap)).not.toContain('audit_outbox changed')
  })

  it('an event put in: before the first number, and far behind the last', async () => {
    const put = (seq: string) =>
      `INSERT INTO audit_outbox SELECT tenant_id, writer_id, ${seq}, at, event FROM audit_outbox WHERE ${row(7)}`
    expect(await foundAfter(put('0'))).toEqual(['audit_outbox changed'])
    expect(await foundAfter(put('100000'))).toEqual(['audit_outbox writer-gap'])
  })

  it.each([
    ['first_index', `UPDATE audit_log.runs SET first_index = 50000 WHERE ${run}`, 'audit_log.runs missing'],
    ['count', `UPDATE audit_log.runs SET count = count - 1 WHERE ${run}`, 'audit_log.runs missing'],
    ['tenant_id', `UPDATE audit_log.runs SET tenant_id = '${other}' WHERE ${run}`, 'audit_log.runs changed'],
    ['writer_id', `UPDATE audit_log.runs SET writer_id = '${other}' WHERE ${run}`, 'audit_log.runs changed'],
    ['first_seq', `UPDATE audit_log.runs SET first_seq = first_seq + 90000 WHERE ${run}`, 'audit_log.runs changed'],
    [
      'own',
      `UPDATE audit_log.runs SET own = replace(convert_from(own, 'UTF8'), '"at":', '"at":1')::bytea WHERE ${beat}`,
      'audit_log.runs changed',
    ],
    [
      'own of a run of events',
      `UPDATE audit_log.runs SET own = '{}', count = 1 WHERE ${run}`,
      'audit_log.runs changed',
    ],
  ])('column %s of a place', async (_, change, found) => {
    expect(await foundAfter(change)).toContain(found)
  })

  it('a place deleted, the last one, and all of them', async () => {
    expect(await foundAfter(`DELETE FROM audit_log.runs WHERE ${run}`)).toContain('audit_log.runs missing')
    const last = 'DELETE FROM audit_log.runs WHERE first_index = (SELECT max(first_index) FROM audit_log.runs)'
    expect(await foundAfter(last)).toEqual(
      expect.arrayContaining(['audit_log.runs missing', 'audit_log.runs truncated']),
    )
    expect(await foundAfter('TRUNCATE audit_log.runs')).toContain('audit_log.runs truncated')
  })

  it.each([
    ['size', 'UPDATE audit_log.head SET size = size - 1', ['audit_log.head changed', 'audit_log.head forked']],
    [
      'root',
      "UPDATE audit_log.head SET root = decode(repeat('00', 32), 'hex')",
      ['audit_log.head changed', 'audit_log.head forked'],
    ],
    ['note', "UPDATE audit_log.head SET note = 'x'", ['audit_log.head changed']],
    ['vkey', "UPDATE audit_log.head SET vkey = 'x'", ['audit_log.head changed']],
    ['(the row itself)', 'DELETE FROM audit_log.head', ['audit_log.head missing']],
  ])('column %s of what was signed', async (_, change, found) => {
    expect(await foundAfter(change)).toEqual(found)
  })

  it.each([
    ['tenant_id', `'${other}'`],
    ['at', "at + interval '1 ms'"],
    ['writer_id', `'${other}'`],
    ['writer_seq', 'writer_seq + 1'],
    ['action', "'auth.login'"],
    ['outcome', "'refused'"],
    ['actor', `'${other}'`],
    ['patient', 'NULL'],
    ['connection', 'NULL'],
    ['attempts', 'attempts + 1'],
    ['is_list', 'NOT is_list'],
  ])('column %s of the index', async (column, value) => {
    const change = `UPDATE audit_log.events SET ${column} = ${value} WHERE ${indexed}`
    const counted = ['tenant_id', 'action', 'outcome'].includes(column)
      ? ['audit_log.days changed', 'audit_log.hours changed']
      : []
    expect(await foundAfter(change)).toEqual([...counted, 'audit_log.events changed'].toSorted())
  })

  it.each(
    ['hour', 'day'].flatMap((unit) => [
      [unit, 'tenant_id', `'${other}'`],
      [unit, unit, `${unit} - interval '1 ${unit}'`],
      [unit, 'action', "'auth.login'"],
      [unit, 'outcome', "'refused'"],
      [unit, 'count', 'count + 1'],
    ]),
  )('of the %ss, column %s', async (unit, column, value) => {
    const key = `tenant_id, ${unit}, action, outcome`
    const one = `(${key}) = (SELECT ${key} FROM audit_log.${unit}s LIMIT 1)`
    const found = [`audit_log.${unit}s changed`]
    expect(await foundAfter(`UPDATE audit_log.${unit}s SET ${column} = ${value} WHERE ${one}`)).toEqual(found)
    if (column === 'count') expect(await foundAfter(`DELETE FROM audit_log.${unit}s WHERE ${one}`)).toEqual(found)
  })

  it('a row of the index moved, deleted or put in, and an index that says it is whole when it is not', async () => {
    const moved = `UPDATE audit_log.events SET leaf_index = 90000 WHERE ${indexed}`
    expect(await foundAfter(moved)).toEqual(['audit_log.events missing'])
    expect(await foundAfter(`DELETE FROM audit_log.events WHERE ${indexed}`)).toContain('audit_log.events missing')
    const columns = 'leaf_index, at, writer_id, writer_seq, action, outcome, attempts, is_list'
    const put = `INSERT INTO audit_log.events (tenant_id, ${columns}) SELECT '${other}', ${columns} FROM audit_log.events WHERE ${indexed}`
    expect(await foundAfter(put)).toContain('audit_log.events changed')
    const further = 'UPDATE audit_log.indexed SET next_index = next_index + 1'
    expect(await foundAfter(further)).toEqual(['audit_log.indexed changed'])
    const whole = [
      'DELETE FROM audit_log.events WHERE leaf_index >= 700',
      "UPDATE audit_log.indexed SET next_index = 700, safe_at = 'infinity'",
    ]
    expect(await foundAfter(...whole)).toContain('audit_log.indexed changed')
  })

  it('every column of every table is in this test, or proves nothing and is named here', async () => {
    const columns = await store.query<{ name: string }>(
      `SELECT c.relname || '.' || a.attname AS name FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
       WHERE (c.relnamespace = 'audit_log'::regnamespace OR c.oid = 'audit_outbox'::regclass)
         AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1`,
    )
    const tested = [
      ...['tenant_id', 'writer_id', 'writer_seq', 'at', 'event'].map((name) => `audit_outbox.${name}`),
      ...['first_index', 'count', 'tenant_id', 'writer_id', 'first_seq', 'own'].map((name) => `runs.${name}`),
      ...['size', 'root', 'note', 'vkey'].map((name) => `head.${name}`),
      ...['next_index', 'safe_at'].map((name) => `indexed.${name}`),
      ...['tenant_id', 'hour', 'action', 'outcome', 'count'].map((name) => `hours.${name}`),
      ...['tenant_id', 'day', 'action', 'outcome', 'count'].map((name) => `days.${name}`),
      ...[
        'tenant_id',
        'leaf_index',
        'at',
        'writer_id',
        'writer_seq',
        'action',
        'outcome',
        'actor',
        'patient',
        'connection',
        'attempts',
        'is_list',
      ].map((name) => `events.${name}`),
    ]
    // Computed from others, or true and nothing else.
    const proveNothing = [
      ...['runs.next_index', 'runs.follows', 'head.one', 'indexed.one'],
      // What waits to be declared void. Without it a gap is never excused, and an invented one is not believed (lost.test.ts).
      ...['tenant_id', 'writer_id', 'first_seq', 'last_seq', 'seen_at'].map((name) => `gaps.${name}`),
    ]
    expect(columns.map(({ name }) => name)).toEqual([...tested, ...proveNothing].toSorted())
  })
})

describe('the files’ owner', () => {
  /** Does it to a copy of the log, and gives what the verifier calls it, the gravest first. */
  async function foundIn(
    change: (dir: string) => void | Promise<void>,
    over: { known?: Buffer[]; now?: number; maxHeartbeatAgeMs?: number } = {},
  ): Promise<FindingKind[]> {
    const dir = `${log.dir}.mutated`
    cpSync(log.dir, dir, { recursive: true })
    try {
      await change(dir)
      const trust = { origin: log.origin, logKeys: [log.signer.verifier], now: clock.now(), ...over }
      return [...new Set((await verifyLog(directoryStore(dir), trust)).findings.map(({ kind }) => kind))]
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  }
  const rewrite = (path: string, change: (bytes: Buffer) => Buffer) => {
    chmodSync(path, 0o644)
    writeFileSync(path, change(readFileSync(path)))
  }
  const flip = (at: number) => (bytes: Buffer) => {
    bytes[at] = (bytes[at] ?? 0) ^ 1
    return bytes
  }
  const filesOf = (dir: string): string[] =>
    readdirSync(dir, { recursive: true, encoding: 'utf8' })
      .filter((name) => !name.startsWith('.') && statSync(join(dir, name)).isFile())
      .toSorted()
  const entriesOf = async () => {
    const entries: Uint8Array[] = []
    for await (const entry of readEntries(directoryStore(log.dir), size)) if (entry !== undefined) entries.push(entry)
    return entries
  }
  /** Another history, written to the folder with a key, as whoever has stolen one would. */
  async function rewriteHistory(dir: string, entries: readonly Uint8Array[], skey: string): Promise<void> {
    rmSync(dir, { recursive: true, force: true })
    const forged = await openLog(directoryStore(dir), { origin: log.origin, signers: [parseSignerKey(skey)] })
    await forged.append(entries)
    await forged.publish()
  }

  it('changes nothing, and nothing is found', async () => {
    expect(await foundIn(() => undefined, { known: [kept] })).toEqual([])
  })

  it('any bit of any file that counts', async () => {
    const head = new Set(['checkpoint'])
    for (const name of filesOf(log.dir)) {
      // A partial tile whose full form, or whose wider form, is there is not read by anyone.
      const found = await foundIn((dir) => rewrite(join(dir, name), flip(40)))
      if (name.includes('.p/') && found.length === 0) continue
      expect(found[0], name).toBe(head.has(name) ? 'bad-signature' : 'changed')
    }
    const bundle = 'tile/entries/002'
    for (const at of [0, 2, 100, 1_000, 20_000]) {
      expect((await foundIn((dir) => rewrite(join(dir, bundle), flip(at)))).length, String(at)).toBeGreaterThan(0)
    }
  })

  it('a file deleted', async () => {
    expect(await foundIn((dir) => rmSync(join(dir, 'tile/entries/001')))).toContain('missing')
    expect(await foundIn((dir) => rmSync(join(dir, 'tile/0/001')))).toContain('missing')
    expect((await foundIn((dir) => rmSync(join(dir, 'checkpoint'))))[0]).toBe('missing')
  })

  it('two entries that change places, or two bundles', async () => {
    const swapBundles = (dir: string) => {
      const [a, b] = [join(dir, 'tile/entries/001'), join(dir, 'tile/entries/003')]
      const [first, second] = [readFileSync(a), readFileSync(b)]
      rewrite(a, () => second)
      rewrite(b, () => first)
    }
    expect(await foundIn(swapBundles)).toEqual(['reordered'])
  })

  it('yesterday’s copy put back: by a later checkpoint, by its age, and by the sequencer itself', async () => {
    const restore = (dir: string) => {
      rmSync(dir, { recursive: true, force: true })
      cpSync(yesterday, dir, { recursive: true })
    }
    const today = readFileSync(join(log.dir, 'checkpoint'))
    expect((await foundIn(restore, { known: [today] }))[0]).toBe('truncated')
    expect(await foundIn(restore, { maxHeartbeatAgeMs: 60_000 })).toEqual(['stale'])
    const dir = `${log.dir}.restored`
    restore(dir)
    const sequencer = log.sequencer({ tiles: directoryStore(dir) })
    await sequencer.step()
    expect(sequencer.state).toMatchObject({ is: 'refused' })
    expect(readFileSync(join(dir, 'checkpoint'))).toEqual(kept)
    rmSync(dir, { recursive: true, force: true })
  })

  it('signed again with another key of the same name', async () => {
    const entries = await entriesOf()
    const other = generateNoteKey(log.origin).skey
    expect((await foundIn((dir) => rewriteHistory(dir, entries, other)))[0]).toBe('bad-signature')
  })

  it('rewritten and signed with the stolen key of the log: by the checkpoint that the auditor kept', async () => {
    const entries = await entriesOf()
    const writer = randomUUID()
    const forged = entries.with(3, eventLeaf(Buffer.from('{"action":"patient.read"}'), 1, writer))
    const rewriteIt = (dir: string) => rewriteHistory(dir, forged, log.skey)
    expect(await foundIn(rewriteIt, { known: [kept] })).toContain('forked')
    // And cut off: the numbers of the writers run on, so only the later checkpoint tells.
    const cut = (dir: string) => rewriteHistory(dir, entries.slice(0, 500), log.skey)
    expect((await foundIn(cut, { known: [kept] }))[0]).toBe('truncated')
    // An entry left out of the rewritten history leaves a gap that needs no checkpoint to be seen.
    const without = (dir: string) => rewriteHistory(dir, entries.toSpliced(3, 1), log.skey)
    expect(await foundIn(without)).toEqual(['writer-gap'])
  })
})

describe('both, where the sequencer goes on', () => {
  it('a database put back to before what was signed is refused', async () => {
    const other = await createTestDatabase()
    try {
      const stale = log.sequencer({ databaseUrl: (await createTestLog(other, clock)).sequencerUrl })
      await stale.step()
      expect(stale.state).toMatchObject({ is: 'refused', reason: expect.stringContaining('put back') })
    } finally {
      await other.drop()
    }
  })

  it('a head on the sequencer’s own disk that contradicts the log is refused, and nothing is signed', async () => {
    const before = readFileSync(join(log.dir, 'checkpoint'))
    const head = readFileSync(log.headFile)
    writeFileSync(log.headFile, head.toString().replace(/"root":"./, '"root":"_'))
    const sequencer = log.sequencer()
    await sequencer.step()
    expect(sequencer.state.is).toBe('refused')
    expect(readFileSync(join(log.dir, 'checkpoint'))).toEqual(before)
    writeFileSync(log.headFile, head)
  })
})
