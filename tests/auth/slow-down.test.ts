import { problem } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { loadConfig } from '../../apps/server/src/config.ts'
import { auditOf } from '../_util/audit.ts'
import { DeviceKey } from '../_util/device-key.ts'
import { Person, signedIn } from '../_util/person.ts'
import { PASSWORD, startTestServer, type TestServer } from '../_util/server.ts'

const clock = manualClock(Date.UTC(2026, 5, 1, 8))
const FREE = 10
const HOUR = 3_600_000
let server: TestServer
let other: TestServer

beforeAll(async () => {
  // A proxy, so that everybody can come from an address of their own.
  const { preAuth, trustedProxies } = loadConfig({
    WARDLINE_LIMITS_SIGN_INS_PER_MINUTE: '100000',
    WARDLINE_TRUSTED_PROXIES: '127.0.0.1',
  })
  server = await startTestServer({ clock, config: { trustedProxies, preAuth } })
  other = await startTestServer({ beside: server, clock, config: { trustedProxies, preAuth } })
})
afterAll(async () => {
  await other.stop()
  await server.stop()
})

type Try = { tenant?: string; who?: string; from?: string; key?: DeviceKey; at?: TestServer; right?: boolean }

/** One try: its status, and how long it is to wait. */
async function attempt({
  tenant = 'riverside',
  who = 'nurse.lind',
  from = '198.51.100.7',
  key = new DeviceKey(),
  at = server,
  right = false,
}: Try) {
  const person = new Person(at, key)
  const headers = { 'x-forwarded-for': from, 'x-forwarded-proto': 'https' }
  const answer = await person.signIn(tenant, who, { headers, ...(right ? {} : { password: 'wrong' }) })
  const wait = answer.status === 429 ? (problem.parse(answer.body).retryAfterMs ?? 0) : 0
  return { status: answer.status, wait, text: answer.text }
}

async function attempts(count: number, how: Try): Promise<number[]> {
  const statuses: number[] = []
  for (let done = 0; done < count; done += 1) statuses.push((await attempt(how)).status)
  return statuses
}

describe('R-10: who guesses at an account', () => {
  test('waits longer and longer, on all nodes together, and a right password does not help meanwhile', async () => {
    expect(await attempts(FREE / 2, {})).toEqual(Array(FREE / 2).fill(401))
    expect(await attempts(FREE / 2, { at: other })).toEqual(Array(FREE / 2).fill(401))
    for (const wait of [1_000, 2_000, 4_000, 8_000]) {
      for (const at of [server, other]) expect(await attempt({ at })).toMatchObject({ status: 429, wait })
      expect(await attempt({ right: true }), 'R-10: no oracle').toMatchObject({ status: 429, wait })
      clock.advance(wait)
      expect((await attempt({})).status).toBe(401)
    }
    for (let more = 0; more < 12; more += 1) {
      clock.advance(15 * 60_000)
      await attempt({})
    }
    expect((await attempt({})).wait, 'and no longer than a quarter of an hour').toBe(15 * 60_000)
    const events = await auditOf(server, 'riverside', { action: 'auth.login', reason: 'attempts' })
    expect(events[0]).toMatchObject({
      outcome: 'refused',
      address: '198.51.100.7',
      actor: server.users.get('riverside/nurse.lind'),
    })
  })

  test('is told the same of a name that is nobody’s, and of an organisation that is not there', async () => {
    const from = '198.51.100.8'
    const asked = [{ who: 'physician.okafor' }, { who: 'nobody.at-all' }, { tenant: 'nowhere' }]
    for (const each of asked) expect(await attempts(FREE, { ...each, from })).toEqual(Array(FREE).fill(401))
    const said = []
    for (const each of asked) said.push(await attempt({ ...each, from }))
    expect(said[0]).toMatchObject({ status: 429, wait: 1_000 })
    expect(said).toEqual([said[0], said[0], said[0]])
  })

  test('does not keep its person out: neither at a device that is known, nor at a new one elsewhere', async () => {
    const ward = new DeviceKey()
    clock.advance(2 * HOUR)
    expect((await attempt({ right: true, key: ward, from: '203.0.113.5' })).status).toBe(200)
    await attempts(FREE + 5, {})
    expect((await attempt({})).status, 'the one who guesses waits').toBe(429)
    expect((await attempt({ right: true, key: ward, from: '203.0.113.5' })).status).toBe(200)
    expect((await attempt({ right: true, key: ward })).status, 'even from where it is guessed').toBe(200)
    expect((await attempt({ right: true, from: '203.0.113.5' })).status, 'a workstation never used before').toBe(200)
  })

  test('from many networks at once is slowed down as one, and its person, where the account is known, is not', async () => {
    clock.advance(2 * HOUR)
    for (let network = 0; network < 50; network += 1) await attempt({ from: `198.51.${network}.1` })
    expect((await attempt({ from: '192.0.2.200' })).status, 'another stranger').toBe(429)
    expect((await attempt({ right: true, from: '203.0.113.5' })).status, 'a new device on the ward').toBe(200)
    clock.advance(60_000)
    expect((await attempt({ from: '192.0.2.200' })).status, 'a minute at most').toBe(401)
  })

  test('on a device of its own has a count of its own, and a minute at most', async () => {
    clock.advance(2 * HOUR)
    const ward = new DeviceKey()
    await attempt({ right: true, key: ward, from: '203.0.113.5' })
    await attempts(FREE, { key: ward, from: '203.0.113.5' })
    for (let more = 0; more < 10; more += 1) {
      clock.advance(60_000)
      await attempt({ key: ward, from: '203.0.113.5' })
    }
    expect((await attempt({ key: ward, from: '203.0.113.5' })).wait).toBe(60_000)
    clock.advance(60_000)
    expect((await attempt({ right: true, key: ward, from: '203.0.113.5' })).status).toBe(200)
    expect(await attempts(FREE, { key: ward, from: '203.0.113.5' }), 'and is done with it').toEqual(
      Array(FREE).fill(401),
    )
  })

  test('with many guesses at once gains nothing by it: what is right after others failed has to wait', async () => {
    clock.advance(2 * HOUR)
    const { passwords } = server.ctx
    const verify = passwords.verify.bind(passwords)
    let release = () => undefined as void
    const othersFailed = new Promise<void>((resolve) => {
      release = resolve
    })
    const slow = vi.spyOn(passwords, 'verify').mockImplementation(async (stored, password, giver) => {
      if (password === PASSWORD) await othersFailed
      return verify(stored, password, giver)
    })
    const how = { who: 'clerk.moss', from: '192.0.2.77' }
    const right = attempt({ ...how, right: true })
    await expect.poll(() => slow.mock.calls.length).toBe(1)
    await attempts(FREE, how)
    release()
    expect((await right).status).toBe(429)
    slow.mockRestore()
  })

  test('is forgotten an hour after the last failure, and nothing that was typed is kept', async () => {
    await attempt({ who: 'typed.a-password-here', from: '192.0.2.99' })
    // Every node forgets by itself, each hour.
    clock.advance(2 * HOUR)
    await expect.poll(() => server.database.query('SELECT 1 FROM sign_in_failures')).toEqual([])
    const places = await server.database.query<{ row: string }>('SELECT p::text AS row FROM sign_in_places p')
    expect(places.length).toBeGreaterThan(0)
    expect(JSON.stringify(places)).not.toMatch(/lind|203\.0/)
  })

  test('nothing of it touches who is signed in', async () => {
    const nurse = await signedIn(server, 'riverside/pharmacist.vega')
    await attempts(FREE + 5, { who: 'pharmacist.vega', key: nurse.key })
    expect((await nurse.call('GET', '/me', { headers: { 'x-forwarded-proto': 'https' } })).status).toBe(200)
  })
})
