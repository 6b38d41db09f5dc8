import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentBus } from '../../apps/server/src/bus/bus.ts'
import { loadConfig } from '../../apps/server/src/config.ts'
import { DeviceKey } from '../_util/device-key.ts'
import { Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket, type TestSocket } from '../_util/socket.ts'

/** Each a user who is disabled while they hammer. 500 on demand: ROUNDS=500. */
const ROUNDS = Number(process.env['ROUNDS'] ?? 20)

let server: TestServer
let other: TestServer
let admin: Person
beforeAll(async () => {
  const env = { WARDLINE_LIMITS_SIGN_INS_PER_MINUTE: '1000000', WARDLINE_LIMITS_CONNECTIONS_PER_MINUTE: '1000000' }
  const { preAuth } = loadConfig(env)
  server = await startTestServer({ config: { preAuth, stepUpMs: 0 } })
  other = await startTestServer({ config: { preAuth, stepUpMs: 0 }, beside: server, bus: () => silentBus })
  admin = await signedIn(server, 'riverside/admin.reyes')
})
afterAll(async () => {
  await other.stop()
  await server.stop()
})

/** Signs in and opens a socket, as often as it can, until told to stop; gives whatever sockets it got. */
async function hammer(key: DeviceKey, node: TestServer, going: () => boolean): Promise<TestSocket[]> {
  const sockets: TestSocket[] = []
  for (let round = 0; going() && round < 20; round += 1) {
    const person = new Person(node, key)
    if ((await person.signIn('riverside', 'nurse.lind')).status !== 200) continue
    await openSocket(person).then(
      (socket) => sockets.push(socket),
      () => undefined,
    )
  }
  return sockets
}

describe('R-19: whoever is disabled in the middle of signing in again and again', () => {
  test(`holds no session and no socket after it, ${ROUNDS} times (Zulip CVE-2022-24751)`, {
    timeout: 600_000 + ROUNDS * 5_000,
  }, async () => {
    const user = server.users.get('riverside/nurse.lind') ?? ''
    // On a busy machine the answer may be that nothing was done in time, or a token may have run out: then it is asked for again.
    const change = async (disabled: boolean) => {
      for (;;) {
        const answer = await admin.call('PATCH', `/admin/users/${user}`, { body: { disabled } })
        if (answer.status === 401) await admin.refresh()
        else if (answer.status !== 503) return answer
      }
    }
    // Known devices, so that what is refused for the disablement slows down nothing but itself.
    const keys = [new DeviceKey(), new DeviceKey(), new DeviceKey()]
    for (const key of keys) await signedIn(server, 'riverside/nurse.lind', key)
    let opened = 0
    for (let round = 0; round < ROUNDS; round += 1) {
      let going = true
      const hammering = keys.map((key, index) => hammer(key, index % 2 === 0 ? server : other, () => going))
      // At another moment each time: after a sign-in, in the middle of one, between token and socket.
      for (let turn = 0; turn < (round * 7) % 60; turn += 1) await setImmediate()
      const answer = await change(true)
      expect(answer.status).toBe(200)
      going = false
      const sockets = (await Promise.all(hammering)).flat()
      opened += sockets.length
      for (const socket of sockets) expect([4403, 4401]).toContain((await socket.closing()).code)
      const living = 'SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL'
      expect(await server.database.query(living, [user])).toEqual([])
      for (const node of [server, other]) {
        await expect.poll(() => node.ctx.gateway.sockets.count).toBe(0)
      }
      expect((await change(false)).status).toBe(200)
    }
    expect(opened, 'it was a race').toBeGreaterThan(ROUNDS / 4)
  })
})
