import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { logKeyFiles, prepareNextLogKey } from '../../apps/server/src/audit/sequencer/log-key.ts'
import type { SequencerStep } from '../../apps/server/src/audit/sequencer/sequencer.ts'
import { manualClock } from '../../apps/server/src/clock.ts'
import type { Database } from '../../apps/server/src/storage/open.ts'
import { directoryStore } from '../../packages/transparency-log/src/directory-store.ts'
import { parseVerifierKey, verifyLog } from '../../packages/transparency-log/src/index.ts'
import { createTestDatabase, type TestDatabase } from '../_util/database.ts'
import { createTestLog, type TestLog } from '../_util/sequencer.ts'

/** R-72, issue 5 §3: the log goes over to another key, and whoever holds the first still verifies all of it. */

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
    Array.from({ length: count }, () => database.auditOnly(null, { action: 'socket.connect', outcome: 'refused' })),
  )
const verifyBy = (vkey: string) =>
  verifyLog(directoryStore(log.dir), { origin: log.origin, logKeys: [parseVerifierKey(vkey)], now: clock.now() })
const signers = () => readFileSync(join(log.dir, 'checkpoint'), 'utf8').split('\n\n')[1]?.trim().split('\n').length

describe('the log’s key', () => {
  it('changes while events go on, twice, and each of the three keys verifies everything', async () => {
    const sequencer = log.sequencer()
    const keys = [log.signer.verifier.vkey]
    for (let change = 0; change < 2; change++) {
      await notes(300)
      await log.settle(sequencer)
      keys.push(await prepareNextLogKey(log.keysDir, log.origin))
      clock.advance(1_000)
      await log.settle(sequencer)
      expect(signers()).toBe(2)
    }
    await notes(300)
    await log.settle(sequencer)
    expect(signers()).toBe(1)
    for (const vkey of keys) expect(await verifyBy(vkey)).toMatchObject({ ok: true, entries: 903 })
    expect((await logKeyFiles(log.keysDir, log.origin).current()).verifier.vkey).toBe(keys[2])
    expect(existsSync(join(log.keysDir, 'audit-log.next.key'))).toBe(false)
  })

  it.each(['assigned', 'appended', 'published', 'handed over'] satisfies SequencerStep[])(
    'changes once, also when it crashes after it is %s',
    async (where) => {
      await notes(20)
      await log.settle()
      const vkey = await prepareNextLogKey(log.keysDir, log.origin)
      clock.advance(1_000)
      let looks = 0
      const crashing = log.sequencer({
        // What is taken up at the start has its own strides; the handover's come last.
        onStep: (step) => {
          looks += step === 'recorded' ? 1 : 0
          if (looks > 0 && step === where) throw new Error('crash')
        },
      })
      await crashing.step()
      expect(crashing.state.is).toBe('failing')
      await notes(20)
      clock.advance(1_000)
      await log.settle()
      expect((await logKeyFiles(log.keysDir, log.origin).current()).verifier.vkey).toBe(vkey)
      await notes(5)
      await log.settle()
      for (const key of [vkey, log.signer.verifier.vkey]) expect(await verifyBy(key)).toMatchObject({ ok: true })
    },
  )

  it('a second process that wrote before goes on with the new key', async () => {
    const [first, second] = [log.sequencer(), log.sequencer()]
    await notes(10)
    await log.settle(first)
    await second.step()
    expect(second.state.is).toBe('standby')
    await prepareNextLogKey(log.keysDir, log.origin)
    clock.advance(1_000)
    await log.settle(first)
    await first.close()
    await notes(10)
    await log.settle(second)
    expect(await verifyBy(log.signer.verifier.vkey)).toMatchObject({ ok: true, entries: 23 })
  })
})
