import { DEFAULT_PRE_AUTH, SOCKET_PATH, SUBPROTOCOL } from '@wardline/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { manualClock } from '../../apps/server/src/clock.ts'
import { auditOf } from '../_util/audit.ts'
import { Person } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'

const FAULTS = 20
const TRIES = 100
const clock = manualClock(Date.UTC(2026, 5, 1, 8))
let server: TestServer

beforeAll(async () => {
  const config = { trustedProxies: ['127.0.0.1'], preAuth: { ...DEFAULT_PRE_AUTH, faultsPerMinute: FAULTS } }
  server = await startTestServer({ clock, config })
})
afterAll(() => server.stop())

/** Shows a token that is none. Answers with the code of the close, or with the status of a refusal before it is a socket. */
function guess(from: string): Promise<number> {
  const headers = { 'x-forwarded-for': from }
  const { url, ca } = server
  const socket = new WebSocket(url.replace('https', 'wss') + SOCKET_PATH, [SUBPROTOCOL], { ca, origin: url, headers })
  return new Promise((resolve) => {
    socket.on('error', () => undefined)
    socket.on('unexpected-response', (_request, answer) => {
      resolve(answer.statusCode ?? 0)
      answer.destroy()
    })
    socket.on('message', () =>
      socket.send(JSON.stringify({ type: 'session.authenticate', id: '1', token: 'a.b.c', proof: 'a.b.c' })),
    )
    socket.on('close', resolve)
  })
}

const signIn = async (from: string) =>
  (await new Person(server).signIn('riverside', 'nurse.lind', { headers: { 'x-forwarded-for': from } })).status

test('CVE-2026-31903, -31904, ASVS 6.3.1: who guesses on sockets is held off, over HTTP too, and nobody else is', async () => {
  const ends: number[] = []
  for (let tries = 0; tries < TRIES; tries += 1) ends.push(await guess('203.0.113.9'))
  const judged = ends.filter((end) => end === 4401).length
  expect(judged).toBeGreaterThanOrEqual(FAULTS)
  expect(judged).toBeLessThanOrEqual(FAULTS + 1)
  expect(new Set(ends.slice(judged))).toEqual(new Set([429]))
  expect(await signIn('203.0.113.9')).toBe(429)
  expect(await signIn('203.0.113.10')).toBe(200)
  clock.advance(server.ctx.config.limits.holdOffMs + 1_000)
  expect(await signIn('203.0.113.9')).toBe(200)
  // A hundred refusals are a handful of events.
  const events = await auditOf(server, null, { outcome: 'refused', address: '203.0.113.9' })
  expect(events.length).toBeGreaterThan(0)
  expect(events.length).toBeLessThan(TRIES / 2)
})
