import { SOCKET_PATH } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../apps/server/src/clock.ts'
import { auditOf } from '../_util/audit.ts'
import type { DeviceKey, ProofParts } from '../_util/device-key.ts'
import { call } from '../_util/https.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket, TestSocket } from '../_util/socket.ts'
import { type Forger, forgerWith } from './corpus/forger.ts'
import { watchOutbound } from './corpus/outbound.ts'
import { proofs } from './corpus/proofs.ts'
import { tokens } from './corpus/tokens.ts'

let server: TestServer
let nurse: Person
let forger: Forger
let elsewhere: () => string[]
beforeAll(async () => {
  server = await startTestServer()
  nurse = await signedIn(server, 'riverside/nurse.lind')
  forger = forgerWith(server, nurse)
  elsewhere = watchOutbound()
})
afterAll(() => server.stop())

type Shown = { readonly token: string; readonly twist?: ProofParts | string; readonly key?: DeviceKey }

/** What is answered over HTTP, to the last header but those that tell the time and the request. */
async function overHttp({ token, twist = {}, key = nurse.key }: Shown): Promise<string> {
  const about = { method: 'GET', url: `${server.url}/api/v1/me`, at: systemClock.now(), token }
  const dpop = typeof twist === 'string' ? twist : key.proof(about, twist)
  const answer = await call(server, { path: '/api/v1/me', headers: { authorization: `DPoP ${token}`, dpop } })
  const headers = Object.entries(answer.headers).filter(([name]) => !['date', 'x-request-id'].includes(name))
  return JSON.stringify([answer.status, headers.sort(([a], [b]) => a.localeCompare(b)), answer.text])
}

/** What is answered on a socket, and how it ends. */
async function overSocket({ token, twist = {}, key = nurse.key }: Shown): Promise<string> {
  const socket = new TestSocket(server)
  const { nonce } = await socket.frame('session.challenge')
  const about = { method: 'GET', url: `${server.url}${SOCKET_PATH}`, at: systemClock.now(), token, nonce }
  const proof = typeof twist === 'string' ? twist : key.proof(about, twist)
  socket.send({ type: 'session.authenticate', token, proof })
  const closed = await Promise.race([socket.closing(), socket.frame('session.authenticated').catch(() => null)])
  return JSON.stringify([closed, socket.received.slice(1)])
}

const refusal = {
  http: () => call(server, { path: '/api/v1/me' }).then(({ status, text }) => [status, text]),
  socket: JSON.stringify([{ code: 4401, reason: 'unauthenticated' }, []]),
}

describe('R-12, R-16: forged and twisted credentials, over HTTP and on the socket', () => {
  test.each([
    ['tokens', () => tokens.map(([name, forge]) => ({ name, shown: { token: forge(forger) } }))],
    [
      'proofs',
      () =>
        proofs.map(([name, twist]) => ({
          name,
          shown: { token: nurse.token, twist: twist(nurse.key, systemClock.now()) },
        })),
    ],
  ] as const)('all %s get one and the same answer, that of somebody who shows nothing', async (_what, cases) => {
    const [status, text] = await refusal.http()
    const answers = new Map<string, string[]>()
    const sockets: string[] = []
    for (const { name, shown } of cases()) {
      const answer = await overHttp(shown)
      answers.set(answer, [...(answers.get(answer) ?? []), name])
      if ((await overSocket(shown)) !== refusal.socket) sockets.push(name)
    }
    const odd = [...answers].sort(([, a], [, b]) => b.length - a.length).slice(1)
    expect(odd, 'other answers than the one').toEqual([])
    expect([...answers.keys()].map((each) => JSON.parse(each) as [number, unknown, string])[0]).toMatchObject([
      status,
      expect.anything(),
      text,
    ])
    expect(sockets).toEqual([])
    expect((await nurse.call('GET', '/me')).status, 'and the right ones go on').toBe(200)
    const socket = await openSocket(nurse)
    socket.cut()
  })

  test('so do tokens that were good: of an ended session, a disabled user, somebody else, another organisation', async () => {
    const gone = await signedIn(server, 'riverside/pharmacist.vega')
    await gone.call('POST', '/auth/logout', { headers: { 'x-csrf-token': gone.csrf } })
    const clerk = await signedIn(server, 'riverside/clerk.moss')
    const admin = await signedIn(server, 'riverside/admin.reyes')
    await admin.call('PATCH', `/admin/users/${clerk.user.id}`, { body: { disabled: true } })
    const other = await signedIn(server, 'lakeside/physician.haddad')
    const shown: Shown[] = [
      { token: gone.token, key: gone.key },
      { token: clerk.token, key: clerk.key },
      { token: admin.token },
      { token: other.token },
      { token: nurse.token, key: other.key },
    ]
    const [status, text] = await refusal.http()
    for (const each of shown) {
      expect(JSON.parse(await overHttp(each))).toMatchObject([status, expect.anything(), text])
      expect(await overSocket(each)).toBe(refusal.socket)
    }
    const mismatches = () => auditOf(server, 'riverside', { reason: 'device-mismatch', actor: nurse.user.id })
    await expect
      .poll(async () => (await mismatches()).map(({ action }) => action).sort())
      .toEqual(expect.arrayContaining(['auth.request', 'socket.authenticate']))
  })

  test('a proof that came before is none, on the other transport neither', async () => {
    const jti = 'once-and-not-again-in-this-corpus'
    const first = await nurse.call('GET', '/me', { twisted: { claims: { jti } } })
    expect(first.status).toBe(200)
    const [status, text] = await refusal.http()
    const again = await overHttp({ token: nurse.token, twist: { claims: { jti } } })
    expect(JSON.parse(again)).toMatchObject([status, expect.anything(), text])
    const audited = () => auditOf(server, 'riverside', { reason: 'proof-replay', actor: nurse.user.id })
    await expect.poll(audited).toMatchObject([{ action: 'auth.request', outcome: 'refused', device: nurse.key.jkt }])
  })

  test('one of 15,000 characters: the same over HTTP; on a socket it is too large, which is said before it is read', async () => {
    const token = `${forger.token.split('.')[0]}.${'A'.repeat(14_000)}.AAAA`
    const [status, text] = await refusal.http()
    expect(JSON.parse(await overHttp({ token, twist: 'x' }))).toMatchObject([status, expect.anything(), text])
    expect(await overSocket({ token, twist: 'x' })).toBe(JSON.stringify([{ code: 1009, reason: 'too-large' }, []]))
  })

  test('nobody was asked for a key, nothing was looked up, and nothing failed', () => {
    expect(elsewhere()).toEqual([])
    expect(server.logged.filter((line) => /internal|failed/.test(line))).toEqual([])
  })
})
