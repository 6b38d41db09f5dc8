import { REFRESH_COOKIE, SOCKET_PATH, SUBPROTOCOL } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { manualClock } from '../../apps/server/src/clock.ts'
import { codeAt } from '../_util/authenticator.ts'
import type { HttpAnswer } from '../_util/https.ts'
import { answerAsStranger, enrolPasskey } from '../_util/passkey.ts'
import { Person, refreshCookieOf, signedIn } from '../_util/person.ts'
import { challengeOf, enrol } from '../_util/second-factor.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket, TestSocket } from '../_util/socket.ts'
import type { SoftwareAuthenticator } from '../_util/software-authenticator.ts'
import { routesForAnyone } from '../matrix/calls.ts'

const clock = manualClock(Date.UTC(2026, 5, 1, 8))
let node: TestServer
let other: TestServer

beforeAll(async () => {
  node = await startTestServer({ clock })
  other = await startTestServer({ beside: node, clock })
})
afterAll(async () => {
  await other.stop()
  await node.stop()
})

/** What somebody holds who is signed in, and half signed in twice. */
type Holdings = {
  readonly who: string
  readonly known: Person
  readonly half: Person
  readonly challenges: readonly [string, string]
  readonly secret: string
  readonly recovery: string
  readonly authenticator: SoftwareAuthenticator
}

async function holdingsOf(who: string): Promise<Holdings> {
  const known = await signedIn(node, who)
  const { secret, recoveryCodes } = await enrol(known)
  await known.call('POST', '/auth/step-up', { body: newCode(secret) })
  await known.refresh()
  const { authenticator } = await enrolPasskey(known)
  const half = new Person(node)
  const challenges = [await challengeOf(half, who), await challengeOf(half, who)] as const
  return { who, known, half, challenges, secret, recovery: recoveryCodes[0] ?? '', authenticator }
}

/** A code that was not used yet: each is good once. */
function newCode(secret: string): { totp: string } {
  clock.advance(30_000)
  return { totp: codeAt(secret, clock.now()) }
}

/** Every way by which a person becomes somebody, or stays it; in an order in which none spoils the next. */
const ways: Readonly<Record<string, (held: Holdings, at: TestServer) => Promise<HttpAnswer | string>>> = {
  'a password': ({ who }, at) => new Person(at).signIn(...(who.split('/') as [string, string])),
  'a code after the password': (held, at) =>
    held.half.secondFactor({ challenge: held.challenges[0], ...newCode(held.secret) }, { at }),
  'a recovery code': ({ half, challenges, recovery }, at) =>
    half.secondFactor({ challenge: challenges[1], recoveryCode: recovery }, { at }),
  async 'a passkey alone'({ authenticator }) {
    const stranger = new Person(node)
    return stranger.signInByPasskey(await answerAsStranger(stranger, authenticator))
  },
  'the access token': ({ known }, at) => known.call('GET', '/me', { at }),
  'a step-up': (held, at) => held.known.call('POST', '/auth/step-up', { at, body: newCode(held.secret) }),
  async 'the lock screen'(held, at) {
    await held.known.call('POST', '/auth/lock', { at })
    return held.known.call('POST', '/auth/unlock', { at, body: newCode(held.secret) })
  },
  'a socket': ({ known }, at) => endOf(known, at),
  'the cookie': ({ known }, at) => known.refresh({ at }),
}

/** The close code with which a socket ends that somebody wants to sign in on, or `open`. */
async function endOf(person: Person, at: TestServer): Promise<string> {
  const socket = new TestSocket(at)
  const { nonce } = await socket.frame('session.challenge')
  socket.send({ type: 'session.authenticate', token: person.token, proof: person.socketProof(nonce, {}, at) })
  const heard = await Promise.race([socket.closing(), socket.frame('session.authenticated').catch(() => null)])
  if (heard !== null && 'type' in heard) socket.cut()
  return heard === null || 'code' in heard ? String((await socket.closing()).code) : 'open'
}

describe('Synapse CVE-2023-32682, Directus GHSA-56p6-qw3c-fq2g, ASVS 6.3.4: who was disabled finds every way closed', () => {
  let out: Holdings
  let sockets: TestSocket[]

  beforeAll(async () => {
    out = await holdingsOf('riverside/physician.okafor')
    sockets = [await openSocket(out.known), await openSocket(out.known, other)]
    const admin = await signedIn(node, 'riverside/admin.reyes')
    await admin.call('PATCH', `/admin/users/${out.known.user.id}`, { body: { disabled: true } })
  })

  test('R-19 what was open is closed', async () => {
    clock.advance(1_001)
    for (const socket of sockets) expect(await socket.closing()).toEqual({ code: 4403, reason: 'revoked' })
  })

  test.each(Object.entries(ways))('%s', async (_way, tried) => {
    for (const at of [node, other]) {
      const answer = await tried(out, at)
      if (typeof answer === 'string') expect(answer).toBe('4401')
      else {
        expect(answer.body).toMatchObject({ status: 401, code: 'unauthenticated' })
        expect(refreshCookieOf(answer) ?? '').toBe('')
      }
    }
  })

  test('there is no other way: whoever adds one adds it here', () => {
    const known = ['login', 'second-factor', 'passkey', 'refresh', 'step-up', 'unlock'].map(
      (way) => `/api/v1/auth/${way}`,
    )
    // Of programs, whose test has this of its own (service-account.test.ts).
    known.push('/api/v1/oauth/token')
    const there = Object.entries(routesForAnyone).filter(([, why]) => /becomes|stays|proves again/.test(why))
    expect(new Set(there.map(([route]) => route.split(' ')[1]))).toEqual(new Set(known))
  })

  test('and all of them are open to who was not', async () => {
    const held = await holdingsOf('riverside/pharmacist.vega')
    for (const [way, tried] of Object.entries(ways)) {
      const answer = await tried(held, other)
      expect(typeof answer === 'string' ? answer : answer.status, way).toBe(way === 'a socket' ? 'open' : 200)
    }
  })
})

describe('Gitpod GHSA-f53g-frr2-jhpf: another site opens a socket in the browser of somebody who is signed in', () => {
  function upgrade(person: Person, origin: string): Promise<string> {
    const { url, ca } = person.server
    const headers = { cookie: `${REFRESH_COOKIE}=${person.cookie}` }
    const socket = new WebSocket(url.replace('https', 'wss') + SOCKET_PATH, [SUBPROTOCOL], { ca, origin, headers })
    return new Promise((resolve) => {
      socket.on('error', () => undefined)
      socket.on('unexpected-response', (_request, response) => resolve(String(response.statusCode)))
      socket.on('message', (data: Buffer) => {
        resolve((JSON.parse(data.toString()) as { type: string }).type)
        socket.terminate()
      })
    })
  }

  test('R-02 is refused, with the cookie too', async () => {
    const nurse = await signedIn(node, 'riverside/nurse.lind')
    for (const origin of ['https://evil.test', 'null', `${node.url}.evil.test`, node.url.replace('https', 'http')])
      expect(await upgrade(nurse, origin), origin).toBe('403')
  })

  test('R-03 R-04 and the cookie is nobody’s sign-in on a page of ours either', async () => {
    const nurse = await signedIn(node, 'riverside/nurse.lind')
    expect(await upgrade(nurse, node.url)).toBe('session.challenge')
    expect((await nurse.bare('GET', '/me', { headers: { cookie: `${REFRESH_COOKIE}=${nurse.cookie}` } })).status).toBe(
      401,
    )
  })
})
