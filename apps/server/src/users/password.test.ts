import { describe, expect, test } from 'vitest'
import { Refusal } from '../errors.ts'
import { createPasswords, MAX_PASSWORD_LENGTH } from './password.ts'

/** Far below what configuration allows: what is tested here is not its strength. */
const CHEAP = { memoryKiB: 64, iterations: 2, parallelism: 1, concurrency: 2 }

describe('passwords', () => {
  test('R-10: argon2id with the parameters given; right is right and wrong is wrong', async () => {
    const passwords = await createPasswords(CHEAP, 8)
    const stored = await passwords.hash('correct horse')
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=64,p=1,t=2\$/)
    expect(await passwords.verify(stored, 'correct horse', 'anybody')).toEqual({ matches: true, rehashed: null })
    expect(await passwords.verify(stored, 'Correct horse', 'anybody')).toEqual({ matches: false, rehashed: null })
  })

  test('an accent is the same however a keyboard spells it', async () => {
    const passwords = await createPasswords(CHEAP, 8)
    const stored = await passwords.hash('caf\u00e9')
    expect((await passwords.verify(stored, 'cafe\u0301', 'anybody')).matches).toBe(true)
  })

  test('R-10: made anew when the parameters have changed, and only for who knows it', async () => {
    const stored = await (await createPasswords(CHEAP, 8)).hash('secret')
    const stronger = await createPasswords({ ...CHEAP, iterations: 3 }, 8)
    expect((await stronger.verify(stored, 'wrong', 'anybody')).rehashed).toBeNull()
    const { rehashed } = await stronger.verify(stored, 'secret', 'anybody')
    expect(rehashed).toContain('t=3')
    expect(await stronger.verify(rehashed, 'secret', 'anybody')).toEqual({ matches: true, rehashed: null })
  })

  test('R-10: nobody’s password is never right, and costs a hash as well: the same work, by what the processor did', async () => {
    const passwords = await createPasswords({ ...CHEAP, memoryKiB: 8_192, concurrency: 1 }, 8)
    const stored = await passwords.hash('secret')
    // Time of this process alone, its threads included: what else the machine does meanwhile is not in it.
    const workOf = async (of: string | null, password: string) => {
      const before = process.cpuUsage()
      expect((await passwords.verify(of, password, 'anybody')).matches).toBe(false)
      const { user, system } = process.cpuUsage(before)
      return user + system
    }
    const known: number[] = []
    const unknown: number[] = []
    for (let run = 0; run < 21; run += 1) {
      known.push(await workOf(stored, 'wrong'))
      unknown.push(await workOf(null, 'wrong'))
    }
    const median = (values: number[]) => values.sort((a, b) => a - b)[10] ?? 0
    expect(median(unknown) / median(known)).toBeGreaterThan(0.6)
    expect(median(unknown) / median(known)).toBeLessThan(1.7)
    expect(median(known), 'and it is work').toBeGreaterThan(1_000)
  })

  test('a huge one is refused before it is hashed', async () => {
    const passwords = await createPasswords({ ...CHEAP, concurrency: 1 }, 0)
    await expect(passwords.verify(null, 'x'.repeat(MAX_PASSWORD_LENGTH + 1), 'anybody')).rejects.toMatchObject({
      code: 'invalid',
    })
    expect((await passwords.verify(null, 'x'.repeat(MAX_PASSWORD_LENGTH), 'anybody')).matches).toBe(false)
  })

  test('R-10: beyond those that run and those that may wait, one more is turned away at once', async () => {
    const passwords = await createPasswords(CHEAP, 3)
    const outcomes = await Promise.allSettled(Array.from({ length: 9 }, () => passwords.hash('secret')))
    expect(outcomes.map(({ status }) => status)).toEqual([...Array(5).fill('fulfilled'), ...Array(4).fill('rejected')])
    expect((outcomes[8] as PromiseRejectedResult).reason).toBeInstanceOf(Refusal)
    expect((outcomes[8] as PromiseRejectedResult).reason).toMatchObject({ code: 'unavailable', retryAfterMs: 500 })
    await expect(passwords.hash('secret'), 'and then there is room again').resolves.toContain('argon2id')
  })

  test('R-10: who is known goes before strangers, and is not turned away for how many they are', async () => {
    const passwords = await createPasswords({ ...CHEAP, concurrency: 1 }, 3)
    const done: string[] = []
    const give = (name: string, giver: 'known' | 'anybody') =>
      passwords.verify(null, 'secret', giver).then(
        () => done.push(name),
        (refusal: Refusal) => done.push(`${name}: ${refusal.code}`),
      )
    const strangers = ['a', 'b', 'c', 'd', 'e'].map((name) => give(name, 'anybody'))
    await Promise.all([...strangers, give('nurse', 'known')])
    expect(done).toEqual(['e: unavailable', 'a', 'nurse', 'b', 'c', 'd'])
  })
})
