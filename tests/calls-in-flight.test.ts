import { get } from 'node:https'
import { API_BASE, DEFAULT_LIMITS } from '@wardline/protocol'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { auditOf } from './_util/audit.ts'
import { type Person, signedIn } from './_util/person.ts'
import { startTestServer, type TestServer } from './_util/server.ts'

let server: TestServer
let nurse: Person
/** The same user's other sign-in. */
let elsewhere: Person
beforeAll(async () => {
  server = await startTestServer({ config: { limits: { ...DEFAULT_LIMITS, callsInFlight: 2 } } })
  nurse = await signedIn(server, 'riverside/nurse.lind')
  elsewhere = await signedIn(server, 'riverside/nurse.lind')
})
afterAll(() => server.stop())

/** A call of the nurse's, to hang up on. */
function begin(path: string) {
  const url = `${server.url}${API_BASE}${path}`
  const dpop = nurse.key.proof({ method: 'GET', url, at: server.clock.now(), token: nurse.token })
  const headers = { authorization: `DPoP ${nurse.token}`, dpop }
  return get(url, { ca: server.ca, agent: false, headers }).on('error', () => undefined)
}

const connected = (count: number) => expect.poll(() => server.ctx.gateway.door.open).toBe(count)

/** While the database keeps whoever asks for second factors waiting. */
async function whileStuck<T>(run: () => Promise<T>): Promise<T> {
  const owner = new pg.Client({ connectionString: server.database.ownerUrl })
  await owner.connect()
  try {
    await owner.query('BEGIN; LOCK TABLE recovery_codes IN ACCESS EXCLUSIVE MODE')
    return await run()
  } finally {
    await owner.end()
  }
}

describe('R-51 calls of a user in flight', () => {
  test('who hangs up before it is known who they are keeps no place', async () => {
    const { access } = server.ctx
    const load = access.load.bind(access)
    // More of them than there are places.
    for (let each = 0; each < 4; each += 1) {
      await new Promise<void>((resolve) => {
        vi.spyOn(access, 'load').mockImplementationOnce(async (...who) => {
          early.destroy()
          await connected(0)
          const snapshot = await load(...who)
          // The call goes on first.
          setImmediate(resolve)
          return snapshot
        })
        const early = begin('/me')
      })
    }
    expect((await elsewhere.call('GET', '/me')).status).toBe(200)
  })

  test('are no more than may be, from wherever they ask, and those count that they hung up on', async () => {
    const other = await signedIn(server, 'riverside/physician.okafor')
    const { stuck } = await whileStuck(async () => {
      const stuck = nurse.call('GET', '/me/factors')
      const hungUp = begin('/me/factors')
      const waiting = "SELECT FROM pg_locks WHERE relation = 'recovery_codes'::regclass AND NOT granted"
      await expect.poll(async () => (await server.database.query(waiting)).length).toBe(2)
      hungUp.destroy()
      await connected(1)
      expect((await elsewhere.call('GET', '/me')).body).toMatchObject({ code: 'rate-limited', retryAfterMs: 1_000 })
      expect((await other.call('GET', '/me')).status).toBe(200)
      // In an object, or it would be waited for here.
      return { stuck }
    })
    expect((await stuck).status).toBe(200)
    await expect.poll(async () => (await elsewhere.call('GET', '/me')).status).toBe(200)
    // Both have ended: there are two places again.
    const both = await Promise.all([nurse.call('GET', '/me'), elsewhere.call('GET', '/me')])
    expect(both.map(({ status }) => status)).toEqual([200, 200])
    await expect.poll(() => auditOf(server, 'riverside', { reason: 'in-flight' })).not.toHaveLength(0)
  })
})
