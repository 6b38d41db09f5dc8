import { performance } from 'node:perf_hooks'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { Person } from '../_util/person.ts'
import { PASSWORD, startTestServer, type TestServer } from '../_util/server.ts'

const clock = manualClock(Date.UTC(2026, 5, 1, 8))
/** Hashes that are work, so that one that is left out would be seen; less of it than in earnest. */
const argon2 = { memoryKiB: 8_192, iterations: 2, parallelism: 1, concurrency: 2 }
let server: TestServer

beforeAll(async () => {
  server = await startTestServer({ clock, config: { argon2 } })
  const riverside = server.tenants.get('riverside')
  const change = async (what: string, username: string) =>
    server.database.query(`UPDATE users SET ${what} WHERE username = $1 AND tenant_id = $2`, [username, riverside])
  await change('disabled_at = now()', 'clerk.moss')
  await change(`kind = 'service'`, 'pharmacist.vega')
  await change('password_hash = NULL', 'physician.okafor')
})
afterAll(() => server.stop())

/** Whoever asks is not to find out which of these it was. */
const kinds = {
  'a wrong password': ['riverside', 'nurse.lind', 'wrong'],
  'nobody of that name': ['riverside', 'nobody', PASSWORD],
  'no such organisation': ['nowhere', 'nurse.lind', PASSWORD],
  'a disabled user, with the right password': ['riverside', 'clerk.moss', PASSWORD],
  'a program': ['riverside', 'pharmacist.vega', PASSWORD],
  'somebody without a password': ['riverside', 'physician.okafor', PASSWORD],
} as const
type Kind = keyof typeof kinds
const names = Object.keys(kinds) as Kind[]

/** What is answered, but for what tells the time and the request; and how long that took, in ms. */
async function fail(kind: Kind): Promise<{ answer: string; ms: number }> {
  // A series of failures is over after an hour: each is the first.
  clock.advance(3_600_001)
  const [tenant, username, password] = kinds[kind]
  const person = new Person(server)
  const began = performance.now()
  const { status, headers, text } = await person.signIn(tenant, username, { password })
  const ms = performance.now() - began
  const said = Object.entries(headers).filter(([name]) => !['date', 'x-request-id'].includes(name))
  return { answer: JSON.stringify([status, said.sort(([a], [b]) => a.localeCompare(b)), text]), ms }
}

type Methods = Record<string, (...args: unknown[]) => unknown>

/** Every call of the database and every hash, in order. */
async function workOf(kind: Kind): Promise<string[]> {
  const steps: string[] = []
  const spies = [server.ctx.database, server.ctx.passwords].flatMap((part) => {
    const methods = part as unknown as Methods
    return Object.keys(methods)
      .filter((name) => typeof methods[name] === 'function')
      .map((name) => {
        const method = methods[name]?.bind(part)
        return vi.spyOn(methods, name).mockImplementation((...args) => {
          // What time brings goes on beside it.
          if (!/^(forget|list)/.test(name)) steps.push(name)
          return method?.(...args)
        })
      })
  })
  try {
    await fail(kind)
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
  return steps
}

/** How often a value of the one is above one of the other: a half where both come from one distribution (Mann and Whitney). */
function shareAbove(some: readonly number[], others: readonly number[]): number {
  const above = some.flatMap((one) => others.map((other) => (one > other ? 1 : one === other ? 0.5 : 0)))
  return above.reduce<number>((sum, each) => sum + each, 0) / above.length
}

describe('R-10, ASVS 6.3.8: a sign-in that fails says nothing of why', () => {
  test('not by its answer, to the last header', async () => {
    const answers = new Set<string>()
    for (const kind of names) answers.add((await fail(kind)).answer)
    expect([...answers]).toHaveLength(1)
  })

  test('not by what the server does for it', async () => {
    const wanted = ['useProof', 'findTenant', 'readTenant', 'signInWaits', 'verify', 'signInFailed', 'auditOnly']
    for (const kind of names) expect(await workOf(kind), kind).toEqual(wanted)
  })

  test('not by how long it takes: of each kind sixteen, in turns, and none is longer than another more often than by chance', {
    timeout: 300_000,
  }, async () => {
    const compared: readonly Kind[] = [
      'a wrong password',
      'nobody of that name',
      'a disabled user, with the right password',
    ]
    const times = new Map<Kind, number[]>(compared.map((kind) => [kind, []]))
    for (let round = 0; round < 17; round += 1) {
      const order = compared.map((_, place) => compared[(place + round) % compared.length] as Kind)
      for (const kind of order) {
        const { ms } = await fail(kind)
        // The first of each pays for what is made once.
        if (round > 0) times.get(kind)?.push(ms)
      }
    }
    const wrong = times.get('a wrong password') ?? []
    for (const kind of compared) {
      const share = shareAbove(times.get(kind) ?? [], wrong)
      // Chance alone strays by 0.1, however busy the machine: the samples are taken in turns. Without the hash it is 0 or 1.
      expect(Math.abs(share - 0.5), `${kind}: ${share.toFixed(2)}`).toBeLessThan(0.4)
    }
  })
})
