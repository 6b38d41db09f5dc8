import { expect, it } from 'vitest'
import { type AuditFact, auditAddress } from '../../apps/server/src/audit/event.ts'
import { manualClock } from '../../apps/server/src/clock.ts'
import { Strangers } from '../../apps/server/src/gateway/strangers.ts'

/** R-70, [P8]: refusals from ever more addresses are counted, and cost no more rows than those of a few hundred. */
it('100,000 addresses in a minute leave some thousand rows at most, and the count of all of them', () => {
  const clock = manualClock(Date.now())
  const written: AuditFact[] = []
  const strangers = new Strangers(
    clock,
    (_, fact) => void written.push(fact),
    () => undefined,
  )
  for (let n = 0; n < 100_000; n++) {
    const address = auditAddress(`10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`)
    strangers.limited(address, 'connections')
    if (n % 3 === 0) strangers.limited(address, 'connections')
  }
  clock.advance(60_000)
  strangers.close()
  expect(written.length).toBeLessThan(1_000)
  expect(written.reduce((sum, { count }) => sum + (count ?? 1), 0)).toBe(100_000 + 33_334)
})
