import { afterAll, beforeAll, expect, test } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { claimsOf, type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'

const HOUR = 3_600_000
const clock = manualClock(Date.UTC(2026, 5, 1, 8))
let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ clock })
})
afterAll(() => server.stop())

const tokensOf = async (who: Person) => {
  const text = 'SELECT spent_at FROM refresh_tokens WHERE session_id = $1'
  return (await server.database.query(text, [String(claimsOf(who.token)['sid'])])).length
}

test('what a session has left behind goes when it is over, and not before: a spent cookie still ends a living one', async () => {
  const past = await signedIn(server, 'riverside/nurse.lind')
  await past.refresh()
  expect(await tokensOf(past)).toBe(2)
  clock.advance(11 * HOUR)
  const living = await signedIn(server, 'riverside/physician.okafor')
  const spent = living.cookie
  await living.refresh()
  clock.advance(3 * HOUR)
  await expect.poll(() => tokensOf(past)).toBe(0)
  expect(await tokensOf(living)).toBe(2)
  expect((await past.refresh()).status).toBe(401)
  expect((await living.refresh({ cookie: spent })).status).toBe(401)
  expect((await living.refresh()).status, 'the family has ended').toBe(401)
})
