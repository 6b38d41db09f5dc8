import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { auditId } from '../../apps/server/src/audit/event.ts'
import type { SequencerStep } from '../../apps/server/src/audit/sequencer/sequencer.ts'
import { manualClock } from '../../apps/server/src/clock.ts'
import type { Database } from '../../apps/server/src/storage/open.ts'
import { SequencerStore } from '../../apps/server/src/storage/sequencer-store.ts'
import { directoryStore } from '../../packages/transparency-log/src/directory-store.ts'
import { parseLeaf, type TileStore, tilePath } from '../../packages/transparency-log/src/index.ts'
import { asOwner, createTestDatabase, type TestDatabase } from '../_util/database.ts'
import { createTestLog, type TestLog } from '../_util/sequencer.ts'

let store: TestDatabase
let database: Database
let log: TestLog
const clock = manualClock(Date.now())

beforeEach(async () => {
  store = await createTestDatabase()
  database = await store.open()
  log = await createTestLog(store, clock)
  return async () => {
    await log.remove()
    await store.drop()
  }
})

const tenants = Array.from({ length: 3 }, () => randomUUID())
const note = (tenant: string | null = null) =>
  database.auditOnly(tenant, { action: 'socket.connect', outcome: 'refused', user: auditId(randomUUID()) })
const notes = (count: number) => Promise.all(Array.from({ length: count }, (_, i) => note(tenants[i % 3])))

/** The order of the log, as the database has it. */
const places = () => store.query('SELECT * FROM audit_log.runs ORDER BY first_index')

describe('the sequencer', () => {
  it('R-72 gives every event one place, and signs a checkpoint over them', async () => {
    await notes(700)
    expect(await log.settle()).toMatchObject({ is: 'leading', size: 701, gaps: 0 })
    expect(await log.verify()).toMatchObject({ ok: true, entries: 701, rootsMatched: 1 })
  })

  it('comes again at once where one writer has more than a look takes, and not where it has just that little', async () => {
    const write = (writer: string, count: number) =>
      asOwner(store.ownerUrl, (client) =>
        client.query("INSERT INTO audit_outbox SELECT $1, $2, n, now(), '{}' FROM generate_series(1, $3::int) n", [
          tenants[0],
          writer,
          count,
        ]),
      )
    const sequencer = log.sequencer()
    await write(randomUUID(), 1_500)
    expect(await sequencer.step()).toBeGreaterThan(0)
    await write(randomUUID(), 2_500)
    expect(await sequencer.step()).toBe(0)
    expect(await sequencer.step()).toBeGreaterThan(0)
    expect(sequencer.state).toMatchObject({ is: 'leading', size: 4_001 })
  })

  it('finds what commits late, under whatever writer and time', async () => {
    await notes(3)
    const sequencer = log.sequencer()
    await log.settle(sequencer)
    const late = randomUUID()
    await asOwner(store.ownerUrl, async (client) => {
      const insert = (seq: number, days: number) =>
        client.query("INSERT INTO audit_outbox VALUES ($1, $2, $3, now() - $4 * interval '1 day', '{}')", [
          tenants[0],
          late,
          seq,
          days,
        ])
      await client.query('BEGIN')
      await insert(1, 3)
      await notes(5)
      await log.settle(sequencer)
      expect((await log.verify()).entries).toBe(9)
      await client.query('COMMIT')
      await insert(2, 5)
      clock.advance(60_000)
      await log.settle(sequencer)
      expect(await log.verify()).toMatchObject({ ok: true, entries: 12 })
      // Older than what a quick look looks for: before one that is not it would be a gap, alone it waits for the sweep.
      await insert(3, 100)
      await insert(4, 0)
      await log.settle(sequencer)
      expect(await log.verify()).toMatchObject({ ok: true, entries: 14 })
      await insert(5, 100)
      await sequencer.step()
      expect((await log.verify()).entries).toBe(14)
      clock.advance(60_000)
      await log.settle(sequencer)
      expect(sequencer.state).toMatchObject({ gaps: 0 })
      expect(await log.verify()).toMatchObject({ ok: true, entries: 16 })
    })
  })

  it('a heartbeat each minute, also when nothing happens', async () => {
    const sequencer = log.sequencer()
    for (let minute = 0; minute < 3; minute++) {
      for (let look = 0; look < 5; look++) await sequencer.step()
      clock.advance(60_000)
    }
    const report = await log.verify()
    expect(report).toMatchObject({ ok: true, entries: 3, lastHeartbeatAt: clock.now() - 60_000 })
    const bundle = readFileSync(`${log.dir}/${tilePath({ level: 'entries', index: 0, width: 3 })}`)
    expect(parseLeaf(bundle.subarray(2, 2 + bundle.readUInt16BE(0)))).toMatchObject({ kind: 'heartbeat', seq: 1 })
  })

  it('one leads, the other stands by and takes over', async () => {
    const [first, second] = [log.sequencer(), log.sequencer()]
    await notes(10)
    await log.settle(first)
    await second.step()
    expect(second.state).toEqual({ is: 'standby' })
    await first.close()
    await notes(10)
    await log.settle(second)
    expect(await log.verify()).toMatchObject({ ok: true, entries: 22 })
  })

  it('two that both believe to lead cannot give out one place twice', async () => {
    await notes(4)
    await log.settle()
    const other = await SequencerStore.connect(log.sequencerUrl)
    const run = { firstIndex: 4, count: 1, tenantId: randomUUID(), writerId: randomUUID(), firstSeq: 1, own: null }
    await expect(other.assign([run])).rejects.toThrow(/unique|duplicate/)
    await expect(other.assign([{ ...run, firstIndex: 7 }])).rejects.toThrow(/foreign key/)
    await other.close()
  })

  it('a number that was taken out of the outbox is told, and is seen in the log', async () => {
    await notes(6)
    await asOwner(store.ownerUrl, async (client) => {
      await client.query('ALTER TABLE audit_outbox DISABLE TRIGGER ALL')
      await client.query('DELETE FROM audit_outbox WHERE tenant_id = $1 AND writer_seq = 1', [tenants[0]])
    })
    expect(await log.settle()).toMatchObject({ gaps: 1 })
    expect((await log.verify()).findings).toMatchObject([{ kind: 'writer-gap', expected: 1, found: 2 }])
  })

  it('its role can read the outbox and write places, and nothing else', async () => {
    const as = (sql: string) => asOwner(log.sequencerUrl, (client) => client.query(sql))
    for (const table of ['users', 'patients', 'channel_events', 'tenants', 'sessions', 'data_keys']) {
      await expect(as(`SELECT FROM ${table}`), table).rejects.toThrow(/permission denied/)
    }
    for (const sql of [
      'INSERT INTO audit_outbox SELECT * FROM audit_outbox',
      'DELETE FROM audit_outbox',
      'UPDATE audit_log.runs SET count = 2',
      'DELETE FROM audit_log.runs',
      'TRUNCATE audit_log.runs',
    ]) {
      await expect(as(sql), sql).rejects.toThrow(/permission denied/)
    }
    await expect(store.query('DELETE FROM audit_log.runs')).resolves.toEqual([])
    await log.settle()
    await expect(store.query('DELETE FROM audit_log.runs')).rejects.toThrow(/kept as they were written/)
  })
})

describe('when a log cannot be gone on with', () => {
  it('a new one is begun, under another key, with all that the database has', async () => {
    await notes(30)
    await log.settle()
    const next = await createTestLog(store, clock)
    const refused = next.sequencer()
    await refused.step()
    expect(refused.state.is).toBe('refused')
    await refused.close()
    await asOwner(store.ownerUrl, (client) => client.query(readFileSync('prisma/begin-new-audit-log.sql', 'utf8')))
    await notes(3)
    expect(await next.settle()).toMatchObject({ is: 'leading', size: 34, gaps: 0 })
    expect(await next.verify()).toMatchObject({ ok: true, entries: 34 })
    await expect(store.query('DELETE FROM audit_log.runs')).rejects.toThrow(/kept as they were written/)
    await next.remove()
  })
})

describe('a clock that is put back', () => {
  it('sends it to sleep for no longer, and it goes on with all that it does by the clock', async () => {
    let at = Date.now()
    let backBy = 0
    const put = { now: () => at }
    const sequencer = log.sequencer({
      clock: put,
      // In the middle of a look: what it took must not come out as minus an hour.
      onStep: (step) => {
        if (step === 'published') at -= backBy
      },
    })
    await note()
    await sequencer.step()
    backBy = 3_600_000
    await note()
    expect(await sequencer.step()).toBeLessThanOrEqual(450)
    backBy = 0
    const before = (await log.verify()).entries
    await sequencer.step()
    expect(await log.verify()).toMatchObject({ ok: true, entries: before + 1, lastHeartbeatAt: at })
    // A writer whose beginning lies days back is only found by the sweep.
    await asOwner(store.ownerUrl, (client) =>
      client.query("INSERT INTO audit_outbox VALUES ($1, $2, 1, now() - interval '3 days', '{}')", [
        tenants[0],
        randomUUID(),
      ]),
    )
    at += 60_000
    await log.settle(sequencer)
    expect((await log.verify()).entries).toBe(before + 3)
  })

  it('lets the index say that it is whole up to no time that is still to come', async () => {
    let at = Date.now()
    const sequencer = log.sequencer({ clock: { now: () => at } })
    await note()
    await log.settle(sequencer)
    at -= 3_600_000
    await note()
    await log.settle(sequencer)
    const [state] = await store.query<{ at: string }>(
      'SELECT extract(epoch FROM safe_at) * 1000 AS at FROM audit_log.indexed',
    )
    expect(Number(state?.at)).toBeLessThanOrEqual(at)
  })
})

describe('a crash', () => {
  const steps: SequencerStep[] = ['assigned', 'appended', 'published', 'recorded']

  it.each(steps)('after the places are %s leaves a log that goes on as it was', async (where) => {
    await notes(300)
    const crashing = log.sequencer({
      onStep: (step) => {
        if (step === where) throw new Error('crash')
      },
    })
    await crashing.step()
    expect(crashing.state.is).toBe('failing')
    const before = await places()
    await notes(40)
    await log.settle()
    expect((await places()).slice(0, before.length)).toEqual(before)
    expect(await log.verify()).toMatchObject({ ok: true, findings: [] })
  })

  it('of the disk, which is full: it says so, and goes on when there is room', async () => {
    let isFull = false
    const tiles = directoryStore(log.dir)
    const full = (): Promise<void> => Promise.reject(Object.assign(new Error('no room'), { code: 'ENOSPC' }))
    const sequencer = log.sequencer({
      tiles: { ...tiles, writeAll: (files) => (isFull ? full() : (tiles.writeAll?.(files) ?? full())) },
    })
    await notes(5)
    await log.settle(sequencer)
    isFull = true
    await notes(300)
    await sequencer.step()
    expect(sequencer.state).toEqual({ is: 'failing', reason: 'ENOSPC' })
    expect(await log.verify()).toMatchObject({ ok: true, entries: 6 })
    isFull = false
    await log.settle(sequencer)
    expect(await log.verify()).toMatchObject({ ok: true, entries: 307 })
  })

  it('before or after any one write to the files, 200 times, loses and doubles nothing', {
    timeout: 600_000,
  }, async () => {
    let writes = 0
    let crashAt = 0
    const shaky = (): TileStore => {
      // Without `writeAll`, so that each file is a write of its own.
      const { writeAll: _, ...inner } = directoryStore(log.dir)
      return {
        ...inner,
        async write(path, bytes) {
          writes += 1
          if (writes === crashAt && crashAt % 2 === 0) throw new Error('crash before')
          await inner.write(path, bytes)
          if (writes === crashAt) throw new Error('crash after')
        },
      }
    }
    let crashes = 0
    for (let round = 0; round < 200; round++) {
      await notes(1 + ((round * 7) % 13))
      writes = 0
      crashAt = 1 + (round % 5)
      const one = log.sequencer({ tiles: shaky() })
      await one.step()
      if (one.state.is === 'failing') crashes += 1
      expect(one.state.is).not.toBe('refused')
      await one.close()
      clock.advance(20_000)
    }
    await log.settle()
    expect(crashes).toBeGreaterThan(100)
    const report = await log.verify()
    expect(report).toMatchObject({ ok: true, findings: [] })
    const [outbox] = await store.query<{ n: string }>('SELECT count(*) AS n FROM audit_outbox')
    const [own] = await store.query<{ n: string }>('SELECT count(*) AS n FROM audit_log.runs WHERE own IS NOT NULL')
    expect(report.entries).toBe(Number(outbox?.n) + Number(own?.n))
  })
})
