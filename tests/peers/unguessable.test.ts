import { afterAll, beforeAll, expect, test } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { claimsOf, Person, signedIn } from '../_util/person.ts'
import { challengeOf, enrol } from '../_util/second-factor.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { TestSocket } from '../_util/socket.ts'

const clock = manualClock(Date.UTC(2026, 5, 1, 8))
let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ clock })
})
afterAll(() => server.stop())

/** Bits of a base64url text, were it random throughout; a UUID's dashes and version are not. */
const bitsOf = (text: string) => (/^[A-Za-z0-9_-]+$/.test(text) ? text.replaceAll('-', '').length * 6 : 0)

test('ASVS 11.5.1, 6.7.2: what must not be guessed holds 128 random bits and more, and never comes twice', async () => {
  const who = 'riverside/nurse.lind'
  const { secret } = await enrol(await signedIn(server, who))
  expect(secret.length * 5).toBeGreaterThanOrEqual(160)
  const seen: Record<string, string>[] = []
  for (let run = 0; run < 5; run += 1) {
    const other = await signedIn(server, 'riverside/physician.okafor')
    const { jti, sid } = claimsOf(other.token) as { jti: string; sid: string }
    const socket = new TestSocket(server)
    const { nonce } = await socket.frame('session.challenge')
    socket.cut()
    const challenge = await challengeOf(new Person(server), who)
    const [, cookie = ''] = other.cookie.split('.')
    seen.push({ jti, sid, nonce, challenge: challenge.split('.').at(-1) ?? '', cookie, csrf: other.csrf })
  }
  for (const name of Object.keys(seen[0] ?? {})) {
    const values = seen.map((each) => each[name] ?? '')
    expect(new Set(values).size, name).toBe(values.length)
    for (const value of values) expect(bitsOf(value), `${name} ${value}`).toBeGreaterThanOrEqual(128)
    // What is counted up, or made of the time, begins alike.
    expect(new Set(values.map((value) => value.slice(0, 4))).size, name).toBe(values.length)
  }
})
