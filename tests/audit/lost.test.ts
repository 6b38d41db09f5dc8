import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import type { Database } from '../../apps/server/src/storage/open.ts'
import { asOwner, createTestDatabase, type TestDatabase } from '../_util/database.ts'
import { createTestLog, type TestLog } from '../_util/sequencer.ts'

/** numbers that never come are declared void in the log, by signature, and never in silence. */

const VOID_AFTER_MS = 600_000
const tenant = randomUUID()
const clock = manualClock(Date.now())
let store: TestDatabase
let database: Database
let log: TestLog

beforeEach(async () => {
  store = await createTestDatabase()
  database = await store.open()
  log = await createTestLog(store, clock)
  return async () => {
    await log.remove()
    await store.drop()
  }
})

const notes = (count: number) =>
  Promise.all(
    Array.from({ length: count }, () => database.auditOnly(tenant, { action: 'socket.connect', outcome: 'refused' })),
  )
const asSuperuser = (sql: string) =>
  asOwner(store.ownerUrl, async (client) => {
    await client.query('ALTER TABLE audit_outbox DISABLE TRIGGER ALL')
    await client.query(sql)
  })
const gaps = () => store.query('SELECT first_seq, last_seq FROM audit_log.gaps ORDER BY 1')
/** Looks at once, and again when gaps have become old. */
async function settleLater(): Promise<void> {
  const sequencer = log.sequencer()
  await sequencer.step()
  clock.advance(VOID_AFTER_MS + 60_000)
  await sequencer.step()
  await sequencer.step()
  await sequencer.close()
}

const TAKEN = `CREATE TABLE taken AS SELECT * FROM audit_outbox WHERE writer_seq IN (3, 4, 6)`
const TAKE = 'DELETE FROM audit_outbox WHERE writer_seq IN (3, 4, 6)'

describe('numbers that were taken out before they were logged', () => {
  it('are a gap for ten minutes, and then void, signed by the log’s key and listed by every verification', async () => {
    await notes(8)
    await asSuperuser(TAKE)
    expect(await log.settle()).toMatchObject({ gaps: 2 })
    expect((await log.verify()).findings).toMatchObject([
      { kind: 'writer-gap', expected: 3, found: 5 },
      { kind: 'writer-gap', expected: 6, found: 7 },
    ])
    await settleLater()
    const report = await log.verify()
    expect(report).toMatchObject({ ok: true, voidCount: 2 })
    expect(report.voids.map((one) => one.void)).toMatchObject([
      { first: 3, last: 4, reason: 'lost', signer: log.origin },
      { first: 6, last: 6, reason: 'lost' },
    ])
    expect(await gaps()).toEqual([])
    await settleLater()
    expect(await log.verify()).toMatchObject({ ok: true, voidCount: 2 })
  })

  it('that are put back in time get a place, out of their order', async () => {
    await notes(8)
    await asSuperuser(TAKEN)
    await asSuperuser(TAKE)
    await log.settle()
    await asSuperuser('INSERT INTO audit_outbox SELECT * FROM taken WHERE writer_seq <> 4')
    await settleLater()
    const report = await log.verify()
    expect(report.voids.map((one) => one.void)).toMatchObject([{ first: 4, last: 4 }])
    expect(report.findings.map(({ kind }) => kind)).toEqual(['reordered', 'reordered'])
    expect(await gaps()).toEqual([])
  })

  it.each(['assigned', 'appended', 'published', 'recorded'] as const)(
    'are declared void once, also when it crashes after it is %s',
    async (where) => {
      await notes(8)
      await asSuperuser(TAKE)
      await log.settle()
      clock.advance(VOID_AFTER_MS + 60_000)
      let seen = 0
      const crashing = log.sequencer({
        // The first time is the heartbeat's, the second the voids'.
        onStep: (step) => {
          if (step === where && ++seen === 2) throw new Error('crash')
        },
      })
      await crashing.step()
      expect(crashing.state.is).toBe('failing')
      await settleLater()
      expect(await log.verify()).toMatchObject({ ok: true, voidCount: 2 })
    },
  )

  it('an invented gap voids nothing that is logged', async () => {
    await notes(8)
    await log.settle()
    await asSuperuser(
      `INSERT INTO audit_log.gaps SELECT tenant_id, writer_id, 2, 3, now() - interval '1 day' FROM audit_outbox LIMIT 1`,
    )
    await settleLater()
    expect(await log.verify()).toMatchObject({ ok: true, voidCount: 0 })
    expect(await gaps()).toEqual([])
  })

  it('the row of a gap that is taken out leaves the gap where it is', async () => {
    await notes(8)
    await asSuperuser(TAKE)
    await log.settle()
    await asSuperuser('DELETE FROM audit_log.gaps')
    await settleLater()
    expect((await log.verify()).findings.map(({ kind }) => kind)).toEqual(['writer-gap', 'writer-gap'])
  })
})

it.each([
  ['the middle', 4],
  ['the end', 8],
])(
  'numbers of %s that were taken out when they had a place and were in no file stop the log: nothing is signed around them',
  async (_, seq) => {
    await notes(8)
    const crashing = log.sequencer({
      onStep: (step) => {
        if (step === 'assigned') throw new Error('crash')
      },
    })
    await crashing.step()
    await crashing.close()
    await asSuperuser(`DELETE FROM audit_outbox WHERE writer_seq = ${seq}`)
    const sequencer = log.sequencer()
    await sequencer.step()
    const [run] = await store.query<{ writer_id: string }>('SELECT writer_id FROM audit_log.runs WHERE own IS NULL')
    const reason = `number ${seq} of writer ${run?.writer_id} has place ${seq - 1} and is gone`
    expect(sequencer.state).toEqual({ is: 'refused', reason })
    expect(await store.query('SELECT size FROM audit_log.head')).toEqual([])
    await sequencer.close()
  },
)
