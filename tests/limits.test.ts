import { once } from 'node:events'
import { Agent, get } from 'node:https'
import { connect } from 'node:net'
import tls from 'node:tls'
import {
  API_BASE,
  DEFAULT_LIMITS,
  DEFAULT_PRE_AUTH,
  limits,
  type PreAuthLimits,
  type SignedInLimits,
} from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ManualClock, manualClock } from '../apps/server/src/clock.ts'
import { auditOf } from './_util/audit.ts'
import { call } from './_util/https.ts'
import { Person, signedIn } from './_util/person.ts'
import { startTestServer, type TestServer } from './_util/server.ts'
import { openSocket, TestSocket } from './_util/socket.ts'

/** Two people, so that what one transport has used up of a user is not missing on the other. */
const NURSE = 'riverside/nurse.lind'
const PHYSICIAN = 'riverside/physician.okafor'

/** How an attempt ended: `done`, an error code of the contract over either transport, a close code, or `reset` by TCP. */
type Outcome = string

type World = { readonly server: TestServer; readonly who: string; person(): Promise<Person> }
type Row = {
  readonly limit: keyof typeof limits.shape
  readonly set: Partial<SignedInLimits & PreAuthLimits>
  /** What is tried, in order; each as many times as are `taken`, and once more. */
  readonly socket: (world: World) => Promise<() => Promise<Outcome>>
  readonly http: (world: World) => Promise<() => Promise<Outcome>>
  readonly taken: number
  readonly beyond: { readonly socket: Outcome; readonly http: Outcome }
  readonly audited: { readonly tenant: string | null; readonly reason: string }
}

let base: TestServer
let clock: ManualClock
beforeAll(async () => {
  clock = manualClock(Date.now())
  base = await startTestServer({ clock })
})
afterAll(() => base.stop())

const codeOf = (body: unknown) => (body as { code?: string } | undefined)?.code ?? 'done'

/** A call of somebody's, or of nobody's, as an outcome. */
const outcomeOf = (answer: Promise<{ body: unknown }>): Promise<Outcome> =>
  answer.then(
    ({ body }) => codeOf(body),
    () => 'reset',
  )

/** What was left open: ends with its server. */
const left: { destroy(): void }[] = []

/** Asks for a socket and leaves it open: whether there is one. */
function upgrade(server: TestServer): Promise<Outcome> {
  const socket = new TestSocket(server)
  left.push({ destroy: () => socket.cut() })
  return new Promise((resolve) => {
    socket.ws.on('unexpected-response', (_request, response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      response.on('end', () => resolve(codeOf(JSON.parse(text))))
    })
    socket.ws.once('error', () => resolve('reset'))
    void socket.frame('session.challenge').then(
      () => resolve('done'),
      () => resolve('reset'),
    )
  })
}

/** A TCP connection that stays open and says nothing: whether it may. */
function connectTcp(server: TestServer): Promise<Outcome> {
  const socket = connect({ port: Number(new URL(server.url).port), host: '127.0.0.1' })
  left.push(socket)
  return new Promise((resolve) => {
    socket.once('error', () => resolve('reset'))
    socket.once('close', () => resolve('reset'))
    const { door } = server.ctx.gateway
    const { open } = door
    socket.once('connect', () => {
      const look = () => (door.open > open ? resolve('done') : socket.closed || setImmediate(look))
      look()
    })
  })
}

const about = (server: TestServer) => outcomeOf(call(server, { path: `${API_BASE}/about` }))

/** A sign-in that says nothing counts as one all the same. */
const signIn = async (server: TestServer) => {
  const headers = { origin: server.url }
  const outcome = await outcomeOf(call(server, { method: 'POST', path: `${API_BASE}/auth/login`, headers, body: {} }))
  return outcome === 'invalid' ? 'done' : outcome
}

const pings = async ({ person, server }: World) => {
  const socket = await openSocket(await person(), server)
  return async () => codeOf(await socket.ask({ type: 'session.ping' }))
}
const calls = async ({ person }: World) => {
  const somebody = await person()
  return () => outcomeOf(somebody.call('GET', '/me'))
}
/** The same, in turns by two sockets or two sign-ins of one user. */
const inTurns = (of: typeof pings) => async (world: World) => {
  const [one, two] = [await of(world), await of(world)]
  let turn = 0
  return () => ((turn += 1) % 2 === 0 ? two() : one())
}
const stranger = (attempt: (server: TestServer) => Promise<Outcome>) => (world: World) =>
  Promise.resolve(() => attempt(world.server))

const ROWS: readonly Row[] = [
  {
    limit: 'requestBurst',
    set: { requestsPerSecond: 1, requestBurst: 5 },
    socket: pings,
    http: calls,
    taken: 5,
    beyond: { socket: 'rate-limited', http: 'rate-limited' },
    audited: { tenant: 'riverside', reason: 'rate' },
  },
  {
    limit: 'userRequestBurst',
    set: { userRequestsPerSecond: 1, userRequestBurst: 6 },
    socket: inTurns(pings),
    http: inTurns(calls),
    taken: 6,
    beyond: { socket: 'rate-limited', http: 'rate-limited' },
    audited: { tenant: 'riverside', reason: 'rate' },
  },
  {
    limit: 'callsPerMinute',
    set: { callsPerMinute: 4 },
    socket: stranger(upgrade),
    http: stranger(about),
    taken: 4,
    beyond: { socket: 'rate-limited', http: 'rate-limited' },
    audited: { tenant: null, reason: 'rate' },
  },
  {
    limit: 'pendingSocketsPerAddress',
    set: { pendingSocketsPerAddress: 2 },
    socket: stranger(upgrade),
    http: stranger(about),
    taken: 2,
    beyond: { socket: 'rate-limited', http: 'done' },
    audited: { tenant: null, reason: 'pending-sockets' },
  },
  {
    limit: 'unknownConnectionsPerAddress',
    set: { unknownConnectionsPerAddress: 3 },
    socket: stranger(upgrade),
    http: stranger(connectTcp),
    taken: 3,
    beyond: { socket: 'reset', http: 'reset' },
    audited: { tenant: null, reason: 'connections' },
  },
  {
    limit: 'unknownConnections',
    set: { unknownConnections: 3 },
    socket: stranger(upgrade),
    http: stranger(connectTcp),
    taken: 3,
    beyond: { socket: 'reset', http: 'reset' },
    audited: { tenant: null, reason: 'overloaded' },
  },
  {
    limit: 'handshakesPerMinute',
    set: { handshakesPerMinute: 3 },
    socket: stranger(upgrade),
    http: stranger(about),
    taken: 3,
    beyond: { socket: 'reset', http: 'reset' },
    audited: { tenant: null, reason: 'connections' },
  },
  {
    limit: 'signInsPerMinute',
    set: { signInsPerMinute: 2 },
    socket: stranger(upgrade),
    http: stranger(signIn),
    taken: 2,
    beyond: { socket: 'done', http: 'rate-limited' },
    audited: { tenant: null, reason: 'sign-ins' },
  },
]

/** Limits that have a test of their own, because they are of time, of size, or of one transport: where it is. */
const ELSEWHERE: Readonly<Partial<Record<keyof typeof limits.shape, string>>> = {
  frameBytes: 'tests/gateway/limits.test.ts, tests/hostile.test.ts',
  firstFrameBytes: 'tests/hostile.test.ts',
  fragments: 'below',
  bodyLength: 'tests/gateway/limits.test.ts',
  requestsPerSecond: 'with requestBurst',
  userRequestsPerSecond: 'apps/server/src/limits/user-rates.test.ts',
  subscriptions: 'tests/gateway/limits.test.ts',
  inFlight: 'tests/gateway/limits.test.ts',
  callsInFlight: 'tests/calls-in-flight.test.ts',
  socketsPerUser: 'below, and apps/server/src/gateway/sockets.test.ts',
  heartbeatMs: 'apps/server/src/gateway/health.test.ts',
  idleMs: 'apps/server/src/gateway/health.test.ts',
  renewGraceMs: 'tests/gateway/renewal.test.ts',
  pollMs: 'tests/gateway/revocation.test.ts',
  bufferBytes: 'tests/gateway/backpressure.test.ts',
  laggingMs: 'tests/gateway/backpressure.test.ts',
  holdOffMs: 'below',
  faultsPerMinute: 'below',
  connections: 'apps/server/src/limits/door.test.ts',
  handshakeMs: 'tests/hostile.test.ts',
  headersMs: 'tests/hostile.test.ts',
  requestMs: 'tests/hostile.test.ts',
  stallMs: 'below',
  headBytes: 'below',
  requestBytes: 'below',
  pendingSockets: 'apps/server/src/gateway/admission.test.ts',
  authenticateMs: 'tests/gateway/opening.test.ts',
  connectionsPerMinute: 'tests/gateway/upgrade.test.ts',
  refreshesPerMinute: 'as signInsPerMinute',
  waitingSignIns: 'apps/server/src/users/password.test.ts',
}

test('no limit is without its test', () => {
  const held = [...ROWS.map(({ limit }) => limit), ...Object.keys(ELSEWHERE)]
  expect(held.toSorted()).toEqual(Object.keys(limits.shape).toSorted())
})

/** Another node with these limits; the people are those of the first. */
async function withLimits(set: Row['set'], run: (server: TestServer) => Promise<void>): Promise<void> {
  const pick = <T extends object>(defaults: T) => ({
    ...defaults,
    ...Object.fromEntries(Object.entries(set).filter(([name]) => name in defaults)),
  })
  const config = { limits: pick(DEFAULT_LIMITS), preAuth: pick(DEFAULT_PRE_AUTH) }
  const server = await startTestServer({ beside: base, clock, config })
  try {
    await run(server)
  } finally {
    for (const each of left.splice(0)) each.destroy()
    await server.stop()
  }
}

describe('[P8] R-05 R-51 one table, both transports', () => {
  const both = ['socket', 'http'] as const
  const rows = ROWS.flatMap((row) => both.map((transport) => [row.limit, transport, row] as const))
  test.each(rows)('%s over %s', async (_limit, transport, row) => {
    const { tenant, reason } = row.audited
    const hits = async () => (await auditOf(base, tenant, { reason })).length
    await withLimits(row.set, async (server) => {
      const before = await hits()
      const who = transport === 'socket' ? NURSE : PHYSICIAN
      const person = async () => signedIn(server, who)
      const attempt = await row[transport]({ server, who, person })
      for (let each = 0; each < row.taken; each += 1) expect(await attempt(), `${each}`).toBe('done')
      expect(await attempt()).toBe(row.beyond[transport])
      if (row.beyond[transport] !== 'done') await expect.poll(hits).toBeGreaterThan(before)
    })
  })
})

test('R-51 who goes on and on over either transport is held off on both, on all nodes, and let in again', async () => {
  const set = {
    requestsPerSecond: 1,
    requestBurst: 4,
    userRequestsPerSecond: 1,
    userRequestBurst: 4,
    holdOffMs: 90_000,
  }
  await withLimits(set, async (server) => {
    const [abuser, other] = [await signedIn(server, NURSE), await signedIn(server, PHYSICIAN)]
    const socket = await openSocket(abuser, server)
    for (let each = 0; each < 40; each += 1) socket.raw(`{"type":"session.ping","id":"${each}"}`)
    expect((await socket.closing()).code).toBe(4429)
    expect(socket.received.at(-1)).toMatchObject({ type: 'error', code: 'rate-limited', retryAfterMs: 90_000 })
    expect((await abuser.call('GET', '/me')).body).toMatchObject({ code: 'rate-limited', retryAfterMs: 90_000 })
    const again = new TestSocket(server)
    const { nonce } = await again.frame('session.challenge')
    again.send({ type: 'session.authenticate', token: abuser.token, proof: abuser.socketProof(nonce, {}, server) })
    expect((await again.closing()).code).toBe(4429)
    // The other node hears of it.
    await expect.poll(async () => (await abuser.call('GET', '/me', { at: base })).status).toBe(429)
    expect((await other.call('GET', '/me')).status).toBe(200)
    // And whoever floods HTTP.
    for (let each = 0; each < 20; each += 1) await other.call('GET', '/me')
    expect((await other.call('GET', '/me')).body).toMatchObject({ retryAfterMs: 90_000 })
    clock.advance(90_000)
    for (const person of [abuser, other]) expect((await person.call('GET', '/me')).status).toBe(200)
  })
})

test('R-05 strangers who ask too fast write no lines of the log, and few events', async () => {
  await withLimits({ callsPerMinute: 3 }, async (server) => {
    for (let each = 0; each < 3; each += 1) expect(await about(server)).toBe('done')
    for (let each = 0; each < 20; each += 1) expect(await about(server)).toBe('rate-limited')
    expect(server.logged.filter((line) => line.includes('request.answered'))).toHaveLength(3)
  })
})

test('R-05 R-70 of nobody’s cookies the first few are in the audit, and then their number', async () => {
  await withLimits({}, async (server) => {
    const stranger = new Person(server)
    const events = () => auditOf(base, null, { action: 'auth.request', reason: 'no-credentials' })
    const before = (await events()).length
    const refreshed = () => outcomeOf(stranger.bare('POST', '/auth/refresh', {}))
    for (let each = 0; each < 30; each += 1) expect(await refreshed()).toBe('unauthenticated')
    await expect.poll(async () => (await events()).length).toBe(before + 5)
    expect(await auditOf(base, null, { action: 'auth.refresh' })).toEqual([])
    clock.advance(60_000)
    await expect.poll(async () => (await events()).at(-1)?.count).toBe(25)
  })
})

test('[P8] what is too large is refused at the size that the operator has set', async () => {
  await withLimits({ headBytes: 2_000, requestBytes: 300, fragments: 3 }, async (server) => {
    const person = await signedIn(server, NURSE)
    const asked = (size: number) => outcomeOf(person.call('POST', '/channels', { body: { title: 'x'.repeat(size) } }))
    expect(await asked(280)).toBe('invalid')
    expect(await asked(300)).toBe('too-large')
    const headers = { 'x-long': 'x'.repeat(2_000) }
    expect(await outcomeOf(call(server, { path: `${API_BASE}/about`, headers }))).toBe('too-large')
    const socket = await openSocket(person, server)
    for (let each = 0; each <= 3; each += 1) socket.ws.send('{', { fin: false })
    expect((await socket.closing()).code).toBe(1008)
  })
})

test('R-05 who leaves answers unread does not keep their connection', async () => {
  await withLimits({ stallMs: 200, callsPerMinute: 1_000_000 }, async (server) => {
    const { door } = server.ctx.gateway
    const socket = tls.connect({
      port: Number(new URL(server.url).port),
      host: '127.0.0.1',
      ca: server.ca,
      servername: 'localhost',
    })
    left.push(socket)
    socket.on('error', () => undefined)
    socket.pause()
    const asked = `GET ${API_BASE}/about HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(100)
    // Until neither side's kernel takes any more; who is then cut off need not notice, for they do not read.
    const ask = () => {
      while (!socket.closed && socket.write(asked));
    }
    socket.on('drain', ask)
    await once(socket, 'secureConnect')
    expect(door.open).toBe(1)
    ask()
    await expect.poll(() => door.open).toBe(0)
  })
})

/** What a call is answered with on a connection that stays open. */
function statusOf({ key, token }: Person, server: TestServer, agent: Agent): Promise<number | undefined> {
  const url = `${server.url}${API_BASE}/me`
  const headers = { authorization: `DPoP ${token}`, dpop: key.proof({ method: 'GET', url, at: clock.now(), token }) }
  return new Promise((resolve, reject) => {
    get(url, { agent, headers }, (answer) => answer.resume().on('end', () => resolve(answer.statusCode))).on(
      'error',
      reject,
    )
  })
}

test('R-51 an address of nothing but faults is held off; whoever is signed in there goes on', async () => {
  await withLimits({ faultsPerMinute: 5, holdOffMs: 30_000 }, async (server) => {
    const nurse = await signedIn(server, NURSE)
    const socket = await openSocket(nurse, server)
    const line = new Agent({ ca: server.ca, keepAlive: true, maxSockets: 1 })
    const me = () => statusOf(nurse, server, line)
    expect(await me()).toBe(200)
    const bad = { path: `${API_BASE}/me`, headers: { authorization: 'DPoP a.b.c', dpop: 'a.b.c' } }
    for (let each = 0; each < 6; each += 1) expect(await outcomeOf(call(server, bad))).toBe('unauthenticated')
    expect(await about(server)).toBe('reset')
    expect(await upgrade(server)).toBe('reset')
    expect(await socket.ask({ type: 'session.ping' })).toMatchObject({ type: 'done' })
    expect(await me()).toBe(200)
    line.destroy()
    await expect.poll(() => auditOf(base, null, { reason: 'held-off' })).not.toHaveLength(0)
    clock.advance(30_000)
    expect(await about(server)).toBe('done')
    socket.cut()
  })
})

test('R-51 R-82 one socket too many closes the oldest, on whichever node it is', async () => {
  await withLimits({ socketsPerUser: 2 }, (here) =>
    withLimits({ socketsPerUser: 2 }, async (there) => {
      const person = await signedIn(here, 'riverside/pharmacist.vega')
      const sockets = []
      for (const at of [here, there, there]) {
        clock.advance(1)
        sockets.push(await openSocket(person, at))
      }
      expect(await sockets[0]?.closing()).toEqual({ code: 4409, reason: 'replaced' })
      for (const socket of sockets.slice(1)) {
        expect(await socket.ask({ type: 'session.ping' })).toMatchObject({ type: 'done' })
        socket.cut()
      }
    }),
  )
})
