import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { manualClock } from '../clock.ts'
import { StorageUnavailable } from '../storage/errors.ts'
import { createUsedProofs } from './used-proofs.ts'

function table() {
  const rows = new Set<string>()
  const state = { asked: 0, away: false, forgotten: 0 }
  return {
    state,
    useProof: (digest: Uint8Array) => {
      state.asked += 1
      if (state.away) return Promise.reject(new StorageUnavailable('away'))
      const name = Buffer.from(digest).toString('hex')
      const first = !rows.has(name)
      rows.add(name)
      return Promise.resolve(first)
    },
    forgetProofs: () => {
      state.forgotten += 1
      return Promise.resolve(0)
    },
  }
}

const proof = () => ({ jkt: 'j'.repeat(43), digest: randomBytes(32), expiresAt: 0 })
const noFault = (error: unknown) => {
  throw error
}

describe('R-16: a proof is used once', () => {
  test('on this node, and on another that shares the table', async () => {
    const rows = table()
    const clock = manualClock()
    const one = createUsedProofs(rows, clock, noFault)
    const other = createUsedProofs(rows, clock, noFault)
    const shown = proof()
    expect(await one.use(shown)).toBe(true)
    expect(await other.use(shown)).toBe(false)
    expect(await one.use(shown)).toBe(false)
    expect(rows.state.asked, 'a flood of one proof costs no query').toBe(2)
  })

  test('of fifty at once, one', async () => {
    const used = createUsedProofs(table(), manualClock(), noFault)
    const shown = proof()
    const answers = await Promise.all(Array.from({ length: 50 }, () => used.use(shown)))
    expect(answers.filter(Boolean)).toHaveLength(1)
  })

  test('what this node forgets, the table still knows', async () => {
    const clock = manualClock()
    const used = createUsedProofs(table(), clock, noFault)
    const shown = proof()
    await used.use(shown)
    for (let turn = 0; turn < 3; turn += 1) {
      clock.advance(80_000)
      await used.use(proof())
    }
    expect(await used.use(shown)).toBe(false)
  })

  test('what cannot be remembered is not let through, and may come again', async () => {
    const rows = table()
    const used = createUsedProofs(rows, manualClock(), noFault)
    const shown = proof()
    rows.state.away = true
    await expect(used.use(shown)).rejects.toThrow(StorageUnavailable)
    rows.state.away = false
    expect(await used.use(shown)).toBe(true)
  })

  test('the table is swept now and then, until it is closed', () => {
    const rows = table()
    const clock = manualClock()
    const used = createUsedProofs(rows, clock, noFault)
    clock.advance(600_000)
    expect(rows.state.forgotten).toBe(2)
    used.close()
    expect(clock.pending).toBe(0)
  })
})
