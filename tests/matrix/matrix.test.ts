import diagnostics from 'node:diagnostics_channel'
import { API_BASE, DEFAULT_LIMITS, DEFAULT_PRE_AUTH, SOCKET_PATH } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { App } from '../../apps/server/src/http/app-type.ts'
import { type MatrixCase, matrix } from '../../packages/policy/src/matrix/index.ts'
import { auditOf } from '../_util/audit.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { Askers, askOverHttp } from './ask.ts'
import { askedElsewhere, calls, routesForAnyone } from './calls.ts'
import {
  type Answer,
  actionsOfFrames,
  answersTo,
  cellsOver,
  NOT_NAMED,
  NOT_OFFERED,
  nameOf,
  notAsked,
} from './cells.ts'
import { frames } from './frames.ts'
import { inTurns } from './in-turns.ts'
import { Refused } from './refused.ts'
import { buildWorld, type World } from './world.ts'

/** More than this test asks: it is about what may be asked, and not how often. */
const limits = {
  ...DEFAULT_LIMITS,
  requestsPerSecond: 10_000,
  requestBurst: 10_000,
  userRequestsPerSecond: 10_000,
  userRequestBurst: 10_000,
}
const preAuth = {
  ...DEFAULT_PRE_AUTH,
  pendingSocketsPerAddress: 1_000,
  pendingSockets: 1_000,
  connectionsPerMinute: 10_000,
  signInsPerMinute: 10_000,
  refreshesPerMinute: 10_000,
  waitingSignIns: 1_000,
  handshakesPerMinute: 100_000,
  callsPerMinute: 100_000,
  faultsPerMinute: 100_000,
}
const routes = new Set<string>()
const refused = new Refused()
const answers = { http: new Map<string, Answer[]>(), socket: new Map<string, Answer>() }
let server: TestServer
let world: World
let askers: Askers

function listen(message: unknown): void {
  const { fastify } = message as { fastify: Pick<App, 'addHook'> }
  fastify.addHook('onRoute', ({ method, url }) => {
    for (const each of [method].flat()) if (each !== 'HEAD') routes.add(`${each} ${url}`)
  })
}

beforeAll(async () => {
  diagnostics.subscribe('fastify.initialization', listen)
  server = await startTestServer({ config: { limits, preAuth } })
  diagnostics.unsubscribe('fastify.initialization', listen)
  world = await buildWorld(server)
  askers = new Askers(server)
})
afterAll(() => server.stop())

/** Asks for each cell in turn for one asker, several askers at once, and compares the answers with the table. */
async function compare(cells: readonly MatrixCase[], ask: (cell: MatrixCase) => Promise<Answer[]>): Promise<void> {
  const wrong: string[] = []
  const askerOf = ({ role, standing }: MatrixCase) => `${role} ${standing}`
  await inTurns(Map.groupBy(cells, askerOf).values(), async (ofOne) => {
    for (const cell of ofOne) {
      const wanted = answersTo(cell)
      const given = await ask(cell)
      if (!given.every((answer) => wanted.includes(answer))) {
        wrong.push(`${nameOf(cell)}: ${given.join(', ')}, not ${wanted.join(' or ')}`)
      }
    }
  })
  expect(wrong).toEqual([])
}

describe('[R-30] [R-31] [R-38] what the table says is what HTTP answers', () => {
  async function askAll(cell: MatrixCase): Promise<Answer[]> {
    const asking = world.asking(cell)
    const given: Answer[] = []
    for (const call of calls[cell.action]?.[cell.subject] ?? []) {
      const answer = await askOverHttp(asking, cell, call)
      // A list refuses by what is not in it: there is no code to compare and nothing to write down.
      if (call.lists === true && answer === 'not-found' && !cell.expected.allowed) continue
      given.push(answer)
      if (answer !== 'allowed') refused.expect(asking, cell, cell.action, call.firstAsks)
    }
    answers.http.set(nameOf(cell), given)
    return given
  }

  for (const [action, cells] of cellsOver('http')) {
    test(`${action}: ${cells.length} cells`, () => compare(cells, askAll))
  }
})

describe('[R-30] [R-31] [R-38] what the table says is what the socket answers', () => {
  for (const [action, cells] of cellsOver('socket')) {
    test(`${action}: ${cells.length} cells`, async () => {
      const frame = Object.values(frames).find((each) => typeof each !== 'string' && each.action === action)
      if (frame === undefined || typeof frame === 'string') throw new Error('not a frame')
      await compare(cells, async (cell) => {
        const asking = world.asking(cell)
        const answer = await askers.ask(asking, cell, frame)
        answers.socket.set(nameOf(cell), answer)
        if (answer !== 'allowed') refused.expect(asking, cell, frame.frame('').type)
        return [answer]
      })
    })
  }

  test('and where both can be asked, it is what HTTP answers', () => {
    const both = [...answers.socket].filter(([cell]) => answers.http.has(cell))
    expect(both.length).toBeGreaterThan(150)
    const other = both.filter(([cell, answer]) => answers.http.get(cell)?.some((each) => each !== answer))
    expect(other.map(([cell]) => cell)).toEqual([])
  })
})

test('[R-70] each refusal is in the audit once, with the table’s reason', async () => {
  await askers.close()
  expect(refused.size).toBeGreaterThan(1_000)
  await expect.poll(() => refused.differences(server, world.people), { timeout: 20_000, interval: 500 }).toEqual([])
})

test('[R-33] who is disabled is refused as that, whatever they ask, and it is in the audit', async () => {
  const events = await auditOf(server, 'riverside', { outcome: 'refused' })
  const disabled = new Set(
    world.people.filter(({ standing }) => standing === 'disabled').map((each) => each.id('self')),
  )
  const theirs = events.filter(({ actor }) => disabled.has(actor ?? ''))
  const kinds = new Set(theirs.map(({ action, reason }) => `${action} ${reason}`))
  expect([...kinds].sort()).toEqual(['auth.request user-disabled', 'socket.authenticate user-disabled'])
})

describe('nothing is left out', () => {
  test('every cell is asked over a transport, or the lists say why not', () => {
    expect(matrix.filter((cell) => notAsked(cell) === null && !isAsked(cell)).map(nameOf)).toEqual([])
  })

  test('what the lists say cannot be asked is not asked', () => {
    const offered = new Set<string>([...Object.keys(calls), ...actionsOfFrames])
    expect(Object.keys(NOT_OFFERED).filter((action) => offered.has(action))).toEqual([])
    const named = matrix.filter(isAsked).map(({ action, subject }) => `${action} ${subject}`)
    expect(Object.keys(NOT_NAMED).filter((name) => named.includes(name))).toEqual([])
  })

  test('every route of the server is in the matrix, or for anyone', () => {
    const asked = Object.values(calls).flatMap((bySubject) => Object.values(bySubject).flat())
    const inMatrix = asked.map(({ route }) => route.replace(' ', ` ${API_BASE}`))
    const known = new Set([
      ...inMatrix,
      ...Object.keys(routesForAnyone),
      ...Object.keys(askedElsewhere),
      // Whoever opens it signs in there, and asks by frames.
      `GET ${SOCKET_PATH}`,
    ])
    expect(routes.size).toBeGreaterThan(30)
    expect([...routes].filter((route) => !known.has(route))).toEqual([])
    expect(inMatrix.filter((route) => !routes.has(route))).toEqual([])
  })
})

const askedOf = { http: cellsOver('http'), socket: cellsOver('socket') }

function isAsked(cell: MatrixCase): boolean {
  return [askedOf.http, askedOf.socket].some((cells) => cells.get(cell.action)?.includes(cell) === true)
}
