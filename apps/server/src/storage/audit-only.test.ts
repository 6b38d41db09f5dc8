import { randomUUID } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { manualClock } from '../clock.ts'
import { auditQueue } from './audit-only.ts'
import type { Connection } from './connection.ts'
import { StorageUnavailable } from './errors.ts'
import type { Lanes } from './lanes.ts'

const WAITING = 40
const BATCH = 5
const [FLOODS, ...QUIET] = Array.from({ length: 4 }, () => randomUUID())
/** What a quiet tenant has waiting at most. */
const FEW = 3

const settle = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}

/** A queue whose statements are answered, or fail, when the test says so. */
function setUp() {
  const statements: ((failed: boolean) => void)[] = []
  const run = () =>
    new Promise<void>((resolve, reject) => {
      statements.push((failed) => (failed ? reject(new Error('away')) : resolve()))
    })
  const lanes = { run } as unknown as Lanes<Connection>
  return { statements, queue: auditQueue(lanes, manualClock(), { waiting: WAITING, batch: BATCH }) }
}

it('R-52 of tenants who have few events waiting none is refused, however another floods, and there are never more than may be', async () => {
  const step = fc.oneof(
    fc.record({ flood: fc.integer({ min: 1, max: 2 * WAITING }) }),
    fc.record({ quiet: fc.nat(QUIET.length - 1) }),
    fc.record({ failed: fc.boolean() }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
      const { statements, queue } = setUp()
      const waiting = new Map<string, number>()
      const full: string[] = []
      const say = (tenant: string) => {
        waiting.set(tenant, (waiting.get(tenant) ?? 0) + 1)
        const over = (error?: unknown) => {
          waiting.set(tenant, (waiting.get(tenant) ?? 0) - 1)
          if (error instanceof StorageUnavailable && error.cause === undefined) full.push(tenant)
        }
        queue.auditOnly(tenant, { action: 'auth.login', outcome: 'refused' }).then(() => over(), over)
      }
      for (const each of steps) {
        if ('flood' in each) for (let count = 0; count < each.flood; count += 1) say(FLOODS ?? '')
        else if ('failed' in each) statements.shift()?.(each.failed)
        else {
          const quiet = QUIET[each.quiet] ?? ''
          if ((waiting.get(quiet) ?? 0) < FEW) say(quiet)
        }
        await settle()
        const sum = [...waiting.values()].reduce((all, one) => all + one, 0)
        expect(sum).toBeLessThanOrEqual(WAITING)
        expect(waiting.get(FLOODS ?? '') ?? 0).toBeLessThanOrEqual(WAITING / 2)
      }
      for (; statements.length > 0; await settle()) statements.shift()?.(false)
      expect(full.filter((tenant) => tenant !== FLOODS)).toEqual([])
      // What was written, or was not, takes no place any more.
      const before = full.length
      for (let count = 0; count < WAITING / 2; count += 1) say(FLOODS ?? '')
      await settle()
      expect(full).toHaveLength(before)
    }),
  )
})
