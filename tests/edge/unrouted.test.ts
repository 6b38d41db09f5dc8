import { connect } from 'node:net'
import { API_BASE, DEFAULT_PRE_AUTH, problem } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ManualClock, manualClock } from '../../apps/server/src/clock.ts'
import { auditOf } from '../_util/audit.ts'
import { rawTls } from '../_util/raw-tls.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'

const FAULTS = 6

let clock: ManualClock
let server: TestServer
beforeAll(async () => {
  clock = manualClock(Date.now())
  server = await startTestServer({ clock, config: { preAuth: { ...DEFAULT_PRE_AUTH, faultsPerMinute: FAULTS } } })
})
afterAll(() => server.stop())

const head = (first: string, ...headers: string[]) => [first, 'Host: localhost', ...headers, '\r\n'].join('\r\n')

/** Sends it without TLS; resolves when the server has hung up. */
const plain = (bytes: string) =>
  new Promise<string>((resolve) => {
    const socket = connect({ port: Number(new URL(server.url).port), host: '127.0.0.1' })
    socket.on('error', () => undefined)
    socket.resume()
    socket.once('close', () => resolve(''))
    socket.write(bytes)
  })
const secret = (bytes: string) => rawTls(server, bytes).catch(() => '')

/** Whether a connection of the address is reset at once. */
const isHeldOff = async () => (await secret(head('GET /healthz HTTP/1.1', 'Connection: close'))) === ''

describe('R-51 R-70 what no hook of ours ever sees counts as a fault of its address, and is in the audit, summed up', () => {
  test.each<[string, () => Promise<string>]>([
    ['a path that cannot be read', () => secret(head('GET /%zz HTTP/1.1'))],
    [
      'a name in the path beyond all',
      () => secret(head(`GET ${API_BASE}/patients/${'a'.repeat(200)} HTTP/1.1`, 'Connection: close')),
    ],
    ['an expectation', () => secret(head('GET / HTTP/1.1', 'Expect: miracles'))],
    ['the method of a proxy', () => secret(head('CONNECT evil.test:443 HTTP/1.1'))],
    ['no HTTP', () => secret('GARBAGE\r\n\r\n')],
    ['no TLS', () => plain('GET / HTTP/1.1\r\n\r\n')],
  ])('%s', async (name, send) => {
    const counted = async () => {
      const events = await auditOf(server, null, { action: 'request.invalid' })
      return events.reduce((sum, { count = 1 }) => sum + count, 0)
    }
    const before = await counted()
    for (let each = 0; each <= FAULTS; each += 1) {
      const said = await send()
      if (name === 'no TLS') continue
      const body = said.slice(said.indexOf('\r\n\r\n') + 4)
      expect(problem.parse(JSON.parse(body)).status, said).toBeGreaterThanOrEqual(400)
    }
    expect(await isHeldOff()).toBe(true)
    clock.advance(120_000)
    expect(await isHeldOff()).toBe(false)
    await expect.poll(counted).toBe(before + FAULTS + 1)
  })

  test.each([
    ['requests', head('GET /healthz HTTP/1.1')],
    ['expectations', head('GET / HTTP/1.1', 'Expect: miracles')],
  ])('%s in one piece: those that nobody answers are faults, each', async (_, request) => {
    const said = await secret(request.repeat(17 + FAULTS))
    expect(said).toMatch(/HTTP\/1\.1 400/)
    expect(await isHeldOff()).toBe(true)
    clock.advance(120_000)
    expect(await isHeldOff()).toBe(false)
  })
})
