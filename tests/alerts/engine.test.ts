import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AlertEngine } from '../../apps/server/src/alerts/engine.ts'
import { type AuditFact, auditAddress, auditId } from '../../apps/server/src/audit/event.ts'
import { type Clock, type ManualClock, manualClock } from '../../apps/server/src/clock.ts'
import { createLogger } from '../../apps/server/src/log.ts'
import type { Database } from '../../apps/server/src/storage/open.ts'
import { createTestDatabase, seedTenant, type TestDatabase } from '../_util/database.ts'
import { createTestLog, type TestLog } from '../_util/sequencer.ts'

/** The rule engine over a real log: read once, raised once, whatever happens in between. */

const STALE_MS = 30_000
const MINUTE_MS = 60_000

let store: TestDatabase
let log: TestLog
let database: Database
let clock: ManualClock
const engines: AlertEngine[] = []
/** What engines complained of. */
const said: string[] = []

beforeAll(async () => {
  store = await createTestDatabase()
  clock = manualClock(Date.UTC(2026, 10, 22, 12))
  log = await createTestLog(store, clock)
  database = await store.open({ clock })
})
afterAll(async () => {
  await log.remove()
  await store.drop()
})

function engine(over: Partial<Database> = {}, time: Clock = clock): AlertEngine {
  const parts = { clock: time, log: createLogger('warn', { write: (line) => void said.push(line) }), staleMs: STALE_MS }
  const one = new AlertEngine({ ...parts, database: { ...database, ...over } })
  engines.push(one)
  return one
}

/** A tenant of its own; the engine begins to read. */
let tenant: string
beforeEach(async () => {
  for (const one of engines.splice(0)) await one.close()
  // What one test has begun is over for the next.
  clock.advance(24 * 60 * MINUTE_MS)
  tenant = (await seedTenant(database, store.keys, clock)).tenantId
  await sequenced()
  const first = engine()
  await settled(first)
  await first.close()
})

/** Lets the log take in all that has happened. */
async function sequenced(): Promise<void> {
  expect(await log.settle()).toMatchObject({ is: 'leading' })
}

/** Lets the engine look until it has read everything. */
async function settled(one: AlertEngine): Promise<void> {
  while ((await one.step()) === 0);
  expect(said.filter((line) => line.includes('alerts.failing'))).toEqual([])
}

const ACTOR = auditId('11111111-1111-4111-8111-111111111111')
const refused: AuditFact = { action: 'channel.subscribe', outcome: 'refused', reason: 'no-care-team', actor: ACTOR }
const replay: AuditFact = { action: 'auth.request', outcome: 'refused', reason: 'proof-replay', actor: ACTOR }

/** Writes events, a second after each other, and has the log take them in. */
async function happen(events: readonly AuditFact[], to: string | null = tenant): Promise<void> {
  for (const event of events) {
    clock.advance(1_000)
    await database.auditOnly(to, event)
  }
  await sequenced()
}

const many = (event: AuditFact, count: number) => Array.from({ length: count }, () => event)

type AlertRowRead = { id: string; kind: string; state: string; count: number; scope: string; address: string | null }
const alertsOf = (id: string) =>
  store.query<AlertRowRead>(
    'SELECT id, kind, state, count, scope, address FROM alerts WHERE tenant_id = $1 ORDER BY raised_at, key',
    [id],
  )

const raisesOf = async (id: string) =>
  (await store.query<{ event: Buffer }>('SELECT event FROM audit_outbox WHERE tenant_id = $1 ORDER BY at', [id]))
    .map(({ event }) => JSON.parse(event.toString()) as AuditFact)
    .filter(({ action }) => action === 'alert.raise')

describe('R-74 an alert', () => {
  it('is raised once, with its events, and that it was is in the audit', async () => {
    const one = engine()
    await happen(many(refused, 9))
    await settled(one)
    expect(await alertsOf(tenant)).toEqual([])
    await happen(many(refused, 3))
    await settled(one)
    await settled(one)
    const [alert] = await alertsOf(tenant)
    expect(alert).toMatchObject({ kind: 'refused-access', state: 'open', count: 12, scope: 'tenant' })
    const raised = { outcome: 'allowed', reason: 'alert-refused-access', alert: alert?.id }
    expect(await raisesOf(tenant)).toMatchObject([raised])
    const events = await database.alertEvents(tenant, alert?.id ?? '', 50)
    expect(events).toHaveLength(12)
    for (const { event } of events) expect(event).toMatchObject(refused)
  })

  it('survives a restart in the middle of what it is about', async () => {
    await happen(many(refused, 6))
    const before = engine()
    await settled(before)
    await before.close()
    await happen(many(refused, 6))
    await settled(engine())
    expect(await alertsOf(tenant)).toMatchObject([{ kind: 'refused-access', count: 12 }])
    expect(await raisesOf(tenant)).toHaveLength(1)
  })

  it('is raised once when whoever raised it died before, and after, it was on disk', async () => {
    await happen(many(refused, 10))
    const dying = (after: boolean) =>
      engine({
        withTenant: async (id, run) => {
          if (after) await database.withTenant(id, run)
          throw new Error('killed')
        },
      })
    for (const after of [false, true]) {
      const one = dying(after)
      await one.step()
      expect(one.leads).toBe(false)
      expect(said.splice(0).join('')).toContain('alerts.failing')
    }
    await settled(engine())
    expect(await alertsOf(tenant)).toMatchObject([{ count: 10 }])
    expect(await raisesOf(tenant)).toHaveLength(1)
  })

  it('is raised by one of two that look; the other takes over', async () => {
    const [one, other] = [engine(), engine()]
    await settled(one)
    await other.step()
    expect([one.leads, other.leads]).toEqual([true, false])
    await happen([replay])
    await settled(one)
    await other.step()
    await one.close()
    await happen(many(replay, 2))
    await settled(other)
    expect(other.leads).toBe(true)
    expect(await alertsOf(tenant)).toMatchObject([{ kind: 'proof-replay', count: 3 }])
    expect(await raisesOf(tenant)).toHaveLength(1)
  })

  it('of who believes that they lead and do not, nothing is taken down', async () => {
    const reader = await database.alertReader(() => undefined)
    const { nextIndex } = await reader.cursor(tenant)
    await happen([refused])
    await settled(engine())
    const late = { from: nextIndex ?? 0, to: (nextIndex ?? 0) + 1, at: null }
    expect(await reader.record(tenant, { move: late, now: clock.now(), windows: [], alerts: [] })).toBe('lost')
    await reader.close()
  })

  it('that goes on after it was closed is open again; one that was acknowledged stays so', async () => {
    const one = engine()
    await happen([replay])
    await settled(one)
    await store.query("UPDATE alerts SET state = 'acknowledged' WHERE tenant_id = $1", [tenant])
    await happen([replay])
    await settled(one)
    expect(await alertsOf(tenant)).toMatchObject([{ state: 'acknowledged', count: 2 }])
    await store.query(
      "UPDATE alerts SET state = 'closed', closed_at = now(), resolution = 'resolved' WHERE tenant_id = $1",
      [tenant],
    )
    await settled(one)
    expect(await alertsOf(tenant)).toMatchObject([{ state: 'closed' }])
    await happen([replay])
    await settled(one)
    expect(await alertsOf(tenant)).toMatchObject([{ state: 'open', count: 3 }])
    expect(await raisesOf(tenant)).toHaveLength(2)
  })

  it('is one more where somebody raises very many of a kind', async () => {
    const ofMany = Array.from({ length: 60 }, (_, n) => ({
      ...replay,
      actor: auditId(`22222222-2222-4222-8222-${String(n).padStart(12, '0')}`),
    }))
    const one = engine()
    await happen(ofMany)
    await settled(one)
    expect(await alertsOf(tenant)).toHaveLength(51)
    expect(await raisesOf(tenant)).toHaveLength(51)
    // And the log is read on when nothing but those comes.
    await happen([{ ...replay, actor: auditId('33333333-3333-4333-8333-333333333333') }])
    await settled(one)
    const repeated = (await raisesOf(tenant)).filter(({ outcome }) => outcome === 'repeated')
    expect(repeated).toMatchObject([{ count: 1 }])
    expect((await alertsOf(tenant)).filter(({ count }) => count > 1)).toHaveLength(1)
  })
})

describe('R-37 tenants', () => {
  it('are each told of their own; what belongs to none is told to all, once', async () => {
    const other = (await seedTenant(database, store.keys, clock)).tenantId
    const one = engine()
    await settled(one)
    await happen([replay], other)
    const { actor: _, ...stranger } = replay
    await happen([{ ...stranger, address: auditAddress('198.51.100.7') }], null)
    await settled(one)
    await settled(one)
    const ofAll = { kind: 'proof-replay', scope: 'installation', address: '198.51.100.7' }
    expect(await alertsOf(tenant)).toMatchObject([ofAll])
    expect(await alertsOf(other)).toMatchObject([{ scope: 'tenant' }, ofAll])
    expect(await raisesOf(other)).toHaveLength(2)
  })

  it('that come while the log stands still are read from their first event on', async () => {
    const one = engine()
    await settled(one)
    const { tenantId } = await seedTenant(database, store.keys, clock)
    await happen([replay], tenantId)
    await settled(one)
    expect(await alertsOf(tenantId)).toEqual([])
    clock.advance(6_000)
    await settled(one)
    expect(await alertsOf(tenantId)).toMatchObject([{ kind: 'proof-replay' }])
  })

  it('that were there before anybody looked are not searched through', async () => {
    const fresh = await createTestDatabase()
    const opened = await fresh.open({ clock })
    const itsLog = await createTestLog(fresh, clock)
    const { tenantId } = await seedTenant(opened, fresh.keys, clock)
    await opened.auditOnly(tenantId, replay)
    await itsLog.settle()
    const one = new AlertEngine({ clock, log: createLogger('silent'), staleMs: STALE_MS, database: opened })
    await settled(one)
    expect(await fresh.query('SELECT FROM alerts')).toEqual([])
    const later = (await seedTenant(opened, fresh.keys, clock)).tenantId
    await opened.auditOnly(later, replay)
    await itsLog.settle()
    clock.advance(MINUTE_MS)
    await settled(one)
    expect(await fresh.query('SELECT kind FROM alerts WHERE tenant_id = $1', [later])).toEqual([
      { kind: 'proof-replay' },
    ])
    await one.close()
    await itsLog.remove()
    await fresh.drop()
  })
})

describe('what the log itself shows', () => {
  it('rows that were taken out before the log had them', async () => {
    clock.advance(1_000)
    for (let n = 0; n < 4; n += 1) await database.auditOnly(tenant, refused)
    await store.query('ALTER TABLE audit_outbox DISABLE TRIGGER ALL')
    await store.query(
      `DELETE FROM audit_outbox o WHERE tenant_id = $1 AND at = $2 AND writer_seq =
         (SELECT max(writer_seq) - 1 FROM audit_outbox x WHERE x.tenant_id = o.tenant_id AND x.writer_id = o.writer_id)`,
      [tenant, new Date(clock.now())],
    )
    await sequenced()
    await settled(engine())
    expect(await alertsOf(tenant)).toMatchObject([{ kind: 'audit-gap', count: 1, scope: 'tenant' }])
  })

  it('that it stands still: everybody is told once, though it stands for long', async () => {
    const one = engine()
    await settled(one)
    await database.auditOnly(tenant, refused)
    clock.advance(STALE_MS)
    await settled(one)
    expect(await alertsOf(tenant)).toEqual([])
    for (let minute = 0; minute < 5; minute += 1) {
      clock.advance(MINUTE_MS)
      await settled(one)
    }
    expect(await alertsOf(tenant)).toMatchObject([{ kind: 'audit-stalled', scope: 'installation', count: 5 }])
    await sequenced()
    clock.advance(MINUTE_MS)
    await sequenced()
    await settled(one)
    expect(await alertsOf(tenant)).toMatchObject([{ count: 5 }])
    expect(await raisesOf(tenant)).toHaveLength(1)
  })

  it('that it gives no sign of life, where nothing happens', async () => {
    const one = engine()
    await settled(one)
    await sequenced()
    clock.advance(2 * MINUTE_MS + STALE_MS + 6_000)
    await settled(one)
    expect(await alertsOf(tenant)).toMatchObject([{ kind: 'audit-stalled' }])
  })

  it('that it gives no sign of life, also where the clock was put back meanwhile', async () => {
    let back = 0
    const one = engine({}, { ...clock, now: () => clock.now() - back })
    await settled(one)
    await sequenced()
    clock.advance(10_000)
    await settled(one)
    back = 60 * MINUTE_MS
    await settled(one)
    clock.advance(2 * MINUTE_MS + STALE_MS + 6_000)
    await settled(one)
    expect(await alertsOf(tenant)).toMatchObject([{ kind: 'audit-stalled' }])
  })
})
