import { randomUUID } from 'node:crypto'
import { DEFAULT_LIMITS, page, signingKey } from '@wardline/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { PUBLISH_MS } from '../../apps/server/src/keys/signing-keys.ts'
import { auditOf } from '../_util/audit.ts'
import { addGroup } from '../_util/channels.ts'
import { call } from '../_util/https.ts'
import { claimsOf, headerOf, type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket, type TestSocket } from '../_util/socket.ts'

const clock = manualClock(Date.UTC(2026, 5, 1, 8))
const PEOPLE = ['physician.okafor', 'nurse.lind', 'pharmacist.vega', 'clerk.moss'].map((name) => `riverside/${name}`)
const SOCKETS_EACH = 50
/** Below the 30 s after which a peer that says nothing is gone. */
const STEP_MS = 25_000

let server: TestServer
let other: TestServer
beforeAll(async () => {
  const config = { limits: { ...DEFAULT_LIMITS, socketsPerUser: SOCKETS_EACH } }
  server = await startTestServer({ clock, config })
  other = await startTestServer({ clock, config, beside: server })
})
afterAll(async () => {
  await other.stop()
  await server.stop()
})

const kidOf = (person: Person) => headerOf(person.token)['kid']
const published = async (at: TestServer) => {
  const { body } = await call(at, { path: '/.well-known/jwks.json' })
  return (body as { keys: { kid: string }[] }).keys.map(({ kid }) => kid)
}

type Line = { readonly socket: TestSocket; readonly at: TestServer; renewed: number }

/** Moves the clock on, and renews whatever the server asks to be renewed, as the SDK does. */
async function live(ms: number, lines: ReadonlyMap<Person, readonly Line[]>): Promise<void> {
  for (let passed = 0; passed < ms; passed += STEP_MS) {
    clock.advance(STEP_MS)
    for (const [person, theirs] of lines) {
      await Promise.all(theirs.map(({ socket }) => socket.ask({ type: 'session.ping' })))
      const asked = theirs.flatMap((line) => {
        const frames = line.socket.received.filter((frame) => frame.type === 'session.renew-required')
        const nonce = frames[line.renewed]?.nonce
        return nonce === undefined ? [] : [{ line, nonce }]
      })
      if (asked.length === 0) continue
      expect((await person.refresh({ at: server })).status).toBe(200)
      for (const { line, nonce } of asked) {
        line.renewed += 1
        const frame = {
          type: 'session.renew',
          token: person.token,
          proof: person.socketProof(nonce, {}, line.at),
        } as const
        expect(await line.socket.ask(frame)).toMatchObject({ type: 'session.renewed' })
      }
    }
  }
}

test('R-13: keys rotate under 200 live sockets, and none is dropped', { timeout: 240_000 }, async () => {
  const channel = await addGroup(server, ...PEOPLE)
  const lines = new Map<Person, Line[]>()
  for (const who of PEOPLE) {
    const person = await signedIn(server, who)
    const theirs = Array.from({ length: SOCKETS_EACH }, async (_, index) => {
      const at = index % 2 === 0 ? server : other
      const socket = await openSocket(person, at)
      await socket.ask({ type: 'channel.subscribe', channel: channel.id, after: 0 })
      return { socket, at, renewed: 0 }
    })
    lines.set(person, await Promise.all(theirs))
  }
  const [first] = [...lines.keys()] as [Person]
  const admin = await signedIn(server, 'riverside/admin.reyes')
  const [before] = await published(server)

  const rotated = await admin.call('POST', '/admin/keys/rotate')
  expect(rotated.status).toBe(201)
  const next = signingKey.parse(rotated.body)
  expect(next).toMatchObject({ state: 'next', activeFrom: new Date(clock.now() + PUBLISH_MS).toISOString() })
  expect((await admin.call('POST', '/admin/keys/rotate')).status, 'one that waits is enough').toBe(409)
  clock.advance(1_000)
  for (const node of [server, other]) expect(await published(node), 'before it signs').toEqual([before, next.kid])

  await live(PUBLISH_MS - 60_000, lines)
  expect(kidOf(first)).toBe(before)
  await live(240_000, lines)
  for (const person of lines.keys()) expect(kidOf(person)).toBe(next.kid)
  await live(300_000, lines)
  expect(await published(other), 'when its last token has ended').toEqual([next.kid])

  const [writer] = lines.get(first) as [Line]
  const post = { type: 'message.post', channel: channel.id, clientId: randomUUID(), body: 'all here' } as const
  expect(await writer.socket.ask(post)).toMatchObject({ type: 'message.accepted' })
  const all = [...lines.values()].flat()
  expect(all).toHaveLength(200)
  await Promise.all(all.map(({ socket }) => socket.until(() => socket.events(channel.id).length === 1)))
  expect(all.every(({ socket, renewed }) => socket.closed === null && renewed >= 2)).toBe(true)

  const shown = page(signingKey).parse(
    (await (await signedIn(server, 'riverside/auditor.chen')).call('GET', '/admin/keys')).body,
  )
  expect(shown.items).toEqual([{ ...next, state: 'signing' }])
  expect(await auditOf(server, 'riverside', { action: 'key.rotate', outcome: 'allowed' })).toMatchObject([
    { actor: admin.user.id, key: expect.any(String) },
  ])
  for (const { socket } of all) socket.cut()
})

test('R-13: a token by the old key is good until it expires', async () => {
  const person = await signedIn(server, 'riverside/nurse.lind')
  const kid = kidOf(person)
  await server.ctx.signingKeys.rotate({ atOnce: true })
  clock.advance(1_000)
  const after = await signedIn(other, 'riverside/nurse.lind')
  expect(kidOf(after)).not.toBe(kid)
  clock.advance(298_000)
  expect((await person.call('GET', '/me', { at: other })).status).toBe(200)
  clock.advance(10_000)
  expect((await person.call('GET', '/me', { at: other })).status).toBe(401)
})

test('R-38: who may not rotate keys does not, and it is written down', async () => {
  const nurse = await signedIn(server, 'riverside/nurse.lind')
  for (const [method, path] of [
    ['GET', '/admin/keys'],
    ['POST', '/admin/keys/rotate'],
  ] as const) {
    expect((await nurse.call(method, path)).status).toBe(403)
  }
  const refused = await auditOf(server, 'riverside', {
    actor: nurse.user.id,
    session: String(claimsOf(nurse.token)['sid']),
    outcome: 'refused',
  })
  expect(refused.map(({ action }) => action)).toEqual(['key.read', 'key.rotate'])
})
