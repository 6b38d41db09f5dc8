import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { manualClock } from '../clock.ts'
import { CHALLENGE_MS, type ChallengeFor, createPasskeyChallenges } from './passkey-challenges.ts'

const clock = manualClock(Date.UTC(2026, 5, 1, 8))
const used = new Set<string>()
const usedProofs = {
  use: async ({ digest }: { digest: Buffer }) => {
    const before = used.size
    used.add(digest.toString('hex'))
    return used.size > before
  },
}
const challenges = createPasskeyChallenges(Buffer.alloc(32, 1), usedProofs, clock)

const word = fc.stringMatching(/^[A-Za-z0-9_-]{1,43}$/)
const use: fc.Arbitrary<ChallengeFor> = fc.oneof(
  fc.record({ use: fc.constant('sign-in' as const), jkt: word }),
  fc.record({
    use: fc.constant('second-factor' as const),
    jkt: word,
    tenant: fc.uuid(),
    challenge: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  }),
  fc.record({
    use: fc.constantFrom('enrol' as const, 'confirm' as const),
    jkt: word,
    tenant: fc.uuid(),
    user: fc.uuid(),
    session: word,
  }),
)

describe('R-11 challenges for passkeys', () => {
  test('are good for what they were given out for, and for nothing else', () => {
    fc.assert(
      fc.property(use, use, (one, other) => {
        const challenge = challenges.issue(one)
        expect(challenges.isFor(challenge, one)).toBe(true)
        if (JSON.stringify(one) !== JSON.stringify(other)) expect(challenges.isFor(challenge, other)).toBe(false)
      }),
    )
  })

  test('no bit of one can be changed', () => {
    const given: ChallengeFor = { use: 'sign-in', jkt: 'a' }
    const bytes = Buffer.from(challenges.issue(given), 'base64url')
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(challenges.isFor(changed.toString('base64url'), given)).toBe(false)
    }
    expect(challenges.isFor('', given)).toBe(false)
    expect(challenges.isFor(Buffer.concat([bytes, bytes]).toString('base64url'), given)).toBe(false)
  })

  test('each is another, good once, for five minutes, and none of another installation', async () => {
    const given: ChallengeFor = { use: 'sign-in', jkt: 'a' }
    const challenge = challenges.issue(given)
    expect(challenges.issue(given)).not.toBe(challenge)
    expect(await challenges.spend(challenge)).toBe(true)
    expect(await challenges.spend(challenge)).toBe(false)
    const elsewhere = createPasskeyChallenges(Buffer.alloc(32, 2), usedProofs, clock)
    expect(elsewhere.isFor(challenge, given)).toBe(false)
    clock.advance(CHALLENGE_MS - 1)
    expect(challenges.isFor(challenge, given)).toBe(true)
    clock.advance(1)
    expect(challenges.isFor(challenge, given)).toBe(false)
  })
})
