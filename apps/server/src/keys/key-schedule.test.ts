import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { AuditFact } from '../audit/event.ts'
import { type ManualClock, manualClock } from '../clock.ts'
import { fileSigningProvider } from './file-signing-provider.ts'
import { auditKeyId, keepSigningKeys } from './key-schedule.ts'
import { openSigningKeys, PUBLISH_MS, type SigningKeys } from './signing-keys.ts'

const DAY = 86_400_000
const root = mkdtempSync(join(tmpdir(), 'wardline-schedule-'))
let folders = 0
let clock: ManualClock
let signingKeys: SigningKeys
let facts: AuditFact[]

beforeEach(async () => {
  clock = manualClock()
  facts = []
  const provider = fileSigningProvider(join(root, String(folders++)))
  signingKeys = await openSigningKeys(provider, () => clock.now(), 305_000, fail)
})
afterAll(() => rmSync(root, { recursive: true }))

function fail(error: unknown): never {
  throw error
}

/** As a node runs it, whose clock is moved on by so many hours; each look is finished before the next hour. */
async function runFor(hours: number, days: number): Promise<void> {
  const audit = async (fact: AuditFact) => void facts.push(fact)
  let stop = keepSigningKeys({ signingKeys, clock, days, audit, onFault: fail })
  for (let hour = 0; hour < hours; hour += 1) {
    clock.advance(DAY / 24)
    await stop()
    stop = keepSigningKeys({ signingKeys, clock, days, audit, onFault: fail })
  }
  await stop()
}

describe('R-13: signing keys by schedule', () => {
  test('a key signs for its days, the next is published in time, and the old one is destroyed', async () => {
    const [first] = await signingKeys.list()
    await runFor(29 * 24, 30)
    expect(await signingKeys.list()).toEqual([first])
    await runFor(24, 30)
    const [second, ...older] = await signingKeys.list()
    expect(older).toEqual([{ ...first, state: 'signing' }])
    expect(second).toMatchObject({ state: 'next', activeFrom: clock.now() + PUBLISH_MS })
    await runFor(1, 30)
    expect(await signingKeys.list()).toEqual([{ ...second, state: 'signing' }])
    const nobody = { actor: '00000000-0000-0000-0000-000000000000', outcome: 'allowed' }
    expect(facts).toEqual([
      { ...nobody, action: 'key.rotate', key: auditKeyId(second?.kid ?? '') },
      { ...nobody, action: 'key.destroy', key: auditKeyId(first?.kid ?? '') },
    ])
  })

  test('0 days: never by itself', async () => {
    const before = await signingKeys.list()
    clock.advance(4_000 * DAY)
    await runFor(2, 0)
    expect(await signingKeys.list()).toEqual(before)
    expect(facts).toEqual([])
  })
})
