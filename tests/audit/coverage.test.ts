import diagnostics from 'node:diagnostics_channel'
import { API_BASE, DEFAULT_LIMITS, SOCKET_PATH } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AuditEvent } from '../../apps/server/src/audit/event.ts'
import { manualClock } from '../../apps/server/src/clock.ts'
import type { App } from '../../apps/server/src/http/app-type.ts'
import { type MatrixCase, matrix } from '../../packages/policy/src/matrix/index.ts'
import { call } from '../_util/https.ts'
import { signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket, type TestSocket } from '../_util/socket.ts'
import { askOverHttp } from '../matrix/ask.ts'
import { type Call, calls, routesForAnyone } from '../matrix/calls.ts'
import { notAsked } from '../matrix/cells.ts'
import { frames } from '../matrix/frames.ts'
import { type Asking, buildWorld, type World } from '../matrix/world.ts'
import { FRAMES_LEAVE, ROUTES_LEAVE } from './leaves.ts'

/**
 * whatever is asked leaves its event. Every route of the server and every frame of the protocol is walked, allowed (here), refused by
 * policy (tests/matrix, which counts them), refused as somebody nobody knows, and refused as malformed (here).
 */

const clock = manualClock(Date.now())
const limits = { ...DEFAULT_LIMITS, requestsPerSecond: 10_000, requestBurst: 10_000 }
const PERIOD_MS = 60_000
const routes = new Set<string>()
let server: TestServer
let world: World

function listen(message: unknown): void {
  const { fastify } = message as { fastify: Pick<App, 'addHook'> }
  fastify.addHook('onRoute', ({ method, url }) => {
    for (const each of [method].flat()) if (each !== 'HEAD') routes.add(`${each} ${url}`)
  })
}

beforeAll(async () => {
  diagnostics.subscribe('fastify.initialization', listen)
  server = await startTestServer({ clock, config: { limits } })
  diagnostics.unsubscribe('fastify.initialization', listen)
  world = await buildWorld(server, ['on-team', 'member', 'stranger'])
})
afterAll(() => server.stop())

type Row = { readonly key: string; readonly event: AuditEvent }

async function rows(): Promise<Row[]> {
  const found = await server.database.query<{ key: string; event: Buffer }>(
    `SELECT writer_id || '/' || writer_seq AS key, event FROM audit_outbox`,
  )
  return found.map(({ key, event }) => ({ key, event: JSON.parse(event.toString()) as AuditEvent }))
}

/** The events that came while something was done. */
async function eventsOf(run: () => Promise<unknown>): Promise<AuditEvent[]> {
  const before = new Set((await rows()).map(({ key }) => key))
  await run()
  return (await rows()).filter(({ key }) => !before.has(key)).map(({ event }) => event)
}

/** Who may ask this, and how they stand to it. */
function allowedTo(action: string, subject: string): { asking: Asking; cell: MatrixCase } | undefined {
  for (const cell of matrix) {
    if (cell.action !== action || cell.subject !== subject || !cell.expected.allowed || notAsked(cell) !== null)
      continue
    const asking = world.people.find(({ role, standing }) => role === cell.role && standing === cell.standing)
    if (asking !== undefined) return { asking, cell }
  }
  return undefined
}

describe('what is allowed leaves its event, with who it was', () => {
  const asked = Object.entries(calls).flatMap(([action, bySubject]) =>
    Object.entries(bySubject).flatMap(([subject, all]) => all.map((one) => [one.route, action, subject, one] as const)),
  )
  // Reading first: some of what is written ends somebody's session.
  const order = (one: Call) => (one.route.startsWith('GET') ? 0 : one.route.includes('session') ? 2 : 1)

  it('over HTTP: each route that policy is asked about', async () => {
    const silent: string[] = []
    const reached = new Set<string>()
    for (const [route, action, subject, one] of asked.toSorted((a, b) => order(a[3]) - order(b[3]))) {
      const { asking, cell } = allowedTo(action, subject) ?? {}
      if (asking === undefined || cell === undefined) continue
      const found = await eventsOf(async () => {
        const answer = await askOverHttp(asking, cell, one)
        if (answer === 'allowed') reached.add(route)
      })
      if (!reached.has(route)) continue
      const wanted: readonly string[] = ROUTES_LEAVE[route] ?? [action]
      const own = found.filter(({ actor }) => actor === asking.id('self'))
      if (!own.some((event) => wanted.includes(event.action))) {
        silent.push(`${route} (${action} ${subject}): ${own.map((event) => event.action).join(', ') || 'nothing'}`)
      }
    }
    expect(silent).toEqual([])
    expect([...new Set(asked.map(([route]) => route))].filter((route) => !reached.has(route))).toEqual([])
  })

  it('over the socket: each frame', async () => {
    const silent: string[] = []
    for (const [type, leaves] of Object.entries(FRAMES_LEAVE)) {
      const known = frames[type as keyof typeof frames]
      if (typeof leaves === 'string' || typeof known === 'string' || known === undefined) continue
      const cell = matrix.find(
        (each) => each.action === known.action && allowedTo(each.action, each.subject) !== undefined,
      )
      const { asking } = (cell && allowedTo(cell.action, cell.subject)) ?? {}
      if (cell === undefined || asking === undefined) {
        silent.push(`${type}: nobody may send it`)
        continue
      }
      const found = await eventsOf(async () => {
        const socket = await openSocket(asking.person)
        const frame = known.frame(asking.id(cell.subject))
        // What was delivered is no look at it: what was read is.
        if (frame.type === 'receipt.mark') socket.send({ ...frame, read: 1 })
        else await socket.ask(frame)
        await socket.ask({ type: 'session.ping' })
        await closed(socket)
      })
      if (!found.some(({ action, actor }) => leaves.includes(action) && actor === asking.id('self'))) {
        silent.push(`${type}: ${found.map(({ action }) => action).join(', ')}`)
      }
    }
    expect(silent).toEqual([])
    expect(Object.keys(frames).filter((type) => FRAMES_LEAVE[type] === undefined)).toEqual([])
  })

  it('a connection, from its handshake to its close', async () => {
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    const found = await eventsOf(async () => {
      const socket = await openSocket(nurse)
      await closed(socket)
    })
    const own = found.filter(({ connection }) => connection !== undefined)
    expect(own.map(({ action }) => action)).toEqual(expect.arrayContaining(['socket.authenticate', 'socket.close']))
    expect(new Set(own.map(({ connection }) => connection)).size).toBe(1)
    const signed = own.find(({ action }) => action === 'socket.authenticate')
    expect(signed).toMatchObject({ address: '127.0.0.1', actor: nurse.user.id, outcome: 'allowed' })
  })
})

describe('what is refused leaves its event', () => {
  const known = () => [...routes].map((route) => route.split(' ') as [method: string, path: string])
  const api = () => known().filter(([method, path]) => path.startsWith(API_BASE) && method !== 'OPTIONS')

  /** All of a kind, those that were summed up included. */
  async function counted(run: () => Promise<unknown>): Promise<Map<string, number>> {
    clock.advance(PERIOD_MS)
    const found = await eventsOf(async () => {
      await run()
      clock.advance(PERIOD_MS)
      // The sums are written in their own time; an ordinary event behind them says that they are.
      await server.ctx.database.auditOnly(null, { action: 'server.drain', outcome: 'allowed' })
      for (const tenant of server.tenants.values()) {
        await server.ctx.database.auditOnly(tenant, { action: 'server.drain', outcome: 'allowed' })
      }
    })
    const sums = new Map<string, number>()
    for (const { action, outcome, reason, count } of found) {
      const kind = `${action} ${outcome} ${reason ?? ''}`
      sums.set(kind, (sums.get(kind) ?? 0) + (count ?? 1))
    }
    return sums
  }

  it('every route, to somebody without credentials', async () => {
    const closedRoutes = api().filter(([method, path]) => !isForAnyone(method, path))
    expect(closedRoutes.length).toBeGreaterThan(30)
    const sums = await counted(async () => {
      for (const [method, path] of closedRoutes) {
        const headers = { origin: server.url }
        const { status } = await call(server, { method, path: path.replaceAll(/:\w+/g, '0'), headers })
        expect(status, `${method} ${path}`).toBe(401)
      }
    })
    expect(sums.get('auth.request refused no-credentials')).toBe(closedRoutes.length)
  })

  it('every route that is for anyone and changes something, to somebody who sends nothing', async () => {
    const open = api().filter(([method, path]) => isForAnyone(method, path) && method !== 'GET')
    const sums = await counted(async () => {
      for (const [method, path] of open) {
        const headers = { origin: server.url, 'content-type': 'application/json' }
        const { status } = await call(server, { method, path, headers, body: '{}' })
        expect(status, `${method} ${path}`).toBeGreaterThanOrEqual(400)
      }
    })
    const all = [...sums].filter(([kind]) => kind.includes(' refused '))
    expect(
      all.reduce((sum, [, count]) => sum + count, 0),
      JSON.stringify(all),
    ).toBe(open.length)
  })

  it('every route that takes a body, to somebody who sends another', async () => {
    const admin = await signedIn(server, 'riverside/admin.reyes')
    const withBody = api().filter(
      ([method, path]) => ['POST', 'PATCH', 'PUT'].includes(method) && !path.includes('/auth/'),
    )
    let refused = 0
    const sums = await counted(async () => {
      for (const [method, path] of withBody) {
        const inside = path.slice(API_BASE.length).replaceAll(/:\w+/g, '00000000-0000-4000-8000-000000000000')
        const { status } = await admin.call(method, inside, { body: { 'no such field': 1 } })
        if (status === 400) refused += 1
      }
    })
    expect(refused).toBeGreaterThan(withBody.length / 2)
    const malformed = [...sums].filter(([kind]) => /refused (schema|not-json|state)/.test(kind))
    expect(
      malformed.reduce((sum, [, count]) => sum + count, 0),
      JSON.stringify([...sums]),
    ).toBe(refused)
  })

  it('every frame that is malformed', async () => {
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    const types = Object.keys(frames).filter((type) => type !== 'session.renew')
    let refused = 0
    const sums = await counted(async () => {
      const socket = await openSocket(nurse)
      for (const type of types) {
        socket.send({ type, id: 'x', nonsense: true } as never)
        const answer = await socket.ask({ type: 'session.ping' }).catch(() => undefined)
        if (answer === undefined) break
      }
      refused = socket.received.filter((frame) => frame.type === 'error').length
      await closed(socket)
    })
    expect(refused).toBe(types.length)
    expect(sums.get('request.invalid refused schema')).toBe(types.length)
  })
})

describe('[P8] who is refused cannot fill the log', () => {
  it.each([
    ['calls without credentials', () => call(server, { method: 'GET', path: `${API_BASE}/me` })],
    ['calls to nowhere', () => call(server, { method: 'GET', path: `${API_BASE}/nowhere/${Math.random()}` })],
    ['sockets without a subprotocol', () => call(server, { method: 'GET', path: SOCKET_PATH, headers: UPGRADE })],
  ])('300 %s in a minute are a handful of rows, and the count of all of them', async (_, ask) => {
    clock.advance(PERIOD_MS)
    let all = 0
    const found = await eventsOf(async () => {
      for (let n = 0; n < 300; n++) {
        const { status } = await ask()
        if (status >= 400) all += 1
      }
      clock.advance(PERIOD_MS)
      await server.ctx.database.auditOnly(null, { action: 'server.drain', outcome: 'allowed' })
    })
    const refused = found.filter(({ outcome }) => outcome === 'refused')
    expect(all).toBe(300)
    expect(refused.length).toBeLessThan(30)
    expect(refused.reduce((sum, { count }) => sum + (count ?? 1), 0)).toBe(300)
  })
})

const isForAnyone = (method: string, path: string): boolean => routesForAnyone[`${method} ${path}`] !== undefined

const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
}

async function closed(socket: TestSocket): Promise<void> {
  socket.cut()
  const { connectionId } = await socket.frame('session.challenge')
  await expect
    .poll(async () =>
      (await rows()).some(({ event }) => event.action === 'socket.close' && event.connection === connectionId),
    )
    .toBe(true)
}
