import { generateKeyPairSync, randomUUID } from 'node:crypto'
import type { ServerFrameOf } from '@wardline/protocol'
import { serviceAccount } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditOf } from '../_util/audit.ts'
import { addGroup, type TestChannel } from '../_util/channels.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket, type TestSocket } from '../_util/socket.ts'

let node: TestServer
let other: TestServer
let admin: Person
let nurse: Person
let physician: Person
beforeAll(async () => {
  node = await startTestServer({ config: { stepUpMs: 0 } })
  other = await startTestServer({ config: { stepUpMs: 0 }, beside: node })
  admin = await signedIn(node, 'riverside/admin.reyes')
  nurse = await signedIn(node, 'riverside/nurse.lind')
  physician = await signedIn(node, 'riverside/physician.okafor')
})
afterAll(async () => {
  await other.stop()
  await node.stop()
})

const disable = (id: string, disabled: boolean) => admin.call('PATCH', `/admin/users/${id}`, { body: { disabled } })

async function addService(): Promise<string> {
  const { kty, crv, x, y } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  const body = {
    username: 'lab-feed',
    displayName: 'Laboratory',
    roles: ['nurse'],
    scope: 'directory:read',
    key: { kty, crv, x, y },
  }
  return serviceAccount.parse((await admin.call('POST', '/admin/services', { body })).body).id
}

async function reading(person: Person, { id: channel }: TestChannel, at: TestServer): Promise<TestSocket> {
  const socket = await openSocket(person, at)
  await socket.ask({ type: 'channel.subscribe', channel })
  await socket.frame('channel.live')
  return socket
}

const told = (socket: TestSocket, which: (frame: ServerFrameOf<'presence.changed'>) => boolean) =>
  socket.frame('presence.changed', (frame) => frame.user === nurse.user.id && which(frame))

describe('R-47 who covers', () => {
  test('is another person here who can sign in: whoever is not is refused as nobody, and each time it is audited', async () => {
    const channel = await addGroup(node, 'riverside/nurse.lind', 'riverside/physician.okafor')
    const [socket, colleague] = [await reading(nurse, channel, node), await reading(physician, channel, node)]
    const { connectionId } = await socket.frame('session.challenge')
    const gone = node.users.get('riverside/pharmacist.vega') ?? ''
    expect((await disable(gone, true)).status).toBe(200)
    const nobodies = [
      randomUUID(),
      node.users.get('lakeside/physician.haddad') ?? '',
      gone,
      await addService(),
      nurse.user.id,
    ]
    const answers = []
    for (const cover of nobodies) {
      const { replyTo: _, ...answer } = (await socket.ask({ type: 'presence.set', status: 'busy', cover })) as {
        replyTo?: string
      }
      answers.push(answer)
    }
    const refused = { type: 'error', code: 'not-found', message: expect.any(String), retry: 'never' }
    expect(answers).toEqual(nobodies.map(() => refused))
    await expect
      .poll(() => auditOf(node, 'riverside', { connection: connectionId, action: 'presence.set', outcome: 'refused' }))
      .toMatchObject(nobodies.map(() => ({ actor: nurse.user.id, reason: 'not-found' })))
    await disable(gone, false)
    // What was refused was not said: of the nurse the first thing that is told is this.
    const cover = physician.user.id
    expect(await socket.ask({ type: 'presence.set', status: 'off-duty', cover })).toMatchObject({ type: 'done' })
    expect(await told(colleague, () => true)).toMatchObject({ status: 'off-duty', cover })
    for (const each of [socket, colleague]) each.cut()
  })

  test('is said no more, on either node, once they are disabled; the status stands', async () => {
    const channel = await addGroup(node, 'riverside/nurse.lind', 'riverside/physician.okafor')
    const [socket, here, there] = [
      await openSocket(nurse),
      await reading(physician, channel, node),
      await reading(physician, channel, other),
    ]
    const cover = node.users.get('riverside/pharmacist.vega') ?? ''
    await socket.ask({ type: 'presence.set', status: 'busy', cover })
    for (const each of [here, there]) await told(each, (frame) => frame.cover === cover)
    expect((await disable(cover, true)).status).toBe(200)
    for (const each of [here, there]) {
      expect(await told(each, (frame) => frame.status === 'busy' && frame.cover === null)).toMatchObject({
        until: null,
      })
    }
    const late = await reading(physician, channel, other)
    expect(await told(late, () => true)).toMatchObject({ status: 'busy', cover: null })
    await disable(cover, false)
    for (const each of [socket, here, there, late]) each.cut()
  })
})
