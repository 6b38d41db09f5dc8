import { request as httpsRequest } from 'node:https'
import { SOCKET_PATH, SUBPROTOCOL } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { auditOf } from '../_util/audit.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { rawTls } from '../_util/raw-tls.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket, TestSocket } from '../_util/socket.ts'

let server: TestServer
let nurse: Person

beforeAll(async () => {
  server = await startTestServer()
  nurse = await signedIn(server, 'riverside/nurse.lind')
})
afterAll(() => server.stop())

/** The answer to a request for a socket, as plain HTTP. */
function upgrade(path: string, headers: Record<string, string>): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(new URL(path, server.url), { ca: server.ca, headers, agent: false })
    outgoing.on('error', reject)
    outgoing.on('upgrade', (response, socket) => {
      socket.destroy()
      resolve({ status: response.statusCode ?? 0, body: '' })
    })
    outgoing.on('response', (response) => {
      let body = ''
      response.on('data', (chunk) => {
        body += String(chunk)
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    outgoing.end()
  })
}

function handshake(changes: Record<string, string | undefined> = {}): Record<string, string> {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-protocol': SUBPROTOCOL,
    origin: server.url,
    ...changes,
  }
  return Object.fromEntries(Object.entries(headers).filter((each): each is [string, string] => each[1] !== undefined))
}

describe('before the upgrade', () => {
  test('R-03 a client that offers the subprotocol from an allowed origin gets a socket that speaks it', async () => {
    expect(await upgrade(SOCKET_PATH, handshake())).toMatchObject({ status: 101 })
    const socket = new TestSocket(server)
    await socket.frame('session.challenge')
    expect(socket.ws.protocol).toBe(SUBPROTOCOL)
    expect(socket.ws.extensions).toBe('')
    socket.cut()
  })

  test.each([
    ['a foreign origin', { origin: 'https://evil.example' }],
    ['the literal null', { origin: 'null' }],
    ['no origin at all', { origin: undefined }],
    ['a name that ends like ours', { origin: 'https://evil-localhost' }],
    ['plain http', { origin: 'http://localhost' }],
  ])('R-02 %s is refused with 403, and audited', async (_, changes) => {
    const before = await auditOf(server, null, { action: 'socket.connect', reason: 'origin' })
    const { status, body } = await upgrade(SOCKET_PATH, handshake(changes))
    expect(status).toBe(403)
    expect(JSON.parse(body)).toMatchObject({ code: 'forbidden' })
    const after = await auditOf(server, null, { action: 'socket.connect', reason: 'origin' })
    expect(after.length + before.length).toBeGreaterThan(0)
  })

  test.each<[string, Record<string, string | undefined>, number]>([
    ['a foreign origin', { origin: 'https://evil.example' }, 403],
    ['no subprotocol', { 'sec-websocket-protocol': undefined }, 400],
    ['too many calls', {}, 429],
  ])('R-05 who is refused a socket for %s does not keep the connection', async (_, changes, status) => {
    const { addresses } = server.ctx.gateway
    const calls = status === 429 ? vi.spyOn(addresses, 'call').mockReturnValueOnce(1_000) : undefined
    const head = Object.entries({ host: 'localhost', ...handshake(changes) }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    )
    // Resolves when the server has hung up.
    const said = await rawTls(server, `GET ${SOCKET_PATH} HTTP/1.1\r\n${head.join('')}\r\n`)
    expect(said).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    calls?.mockRestore()
  })

  test('R-05 R-80 of those who ask for a socket one is begun at a time; who hangs up meanwhile, or comes to a drain, is not', async () => {
    const { upgrades, admission } = server.ctx.gateway
    const turns: (() => void)[] = []
    const wait = vi.spyOn(upgrades, 'await').mockImplementation((_network, begin) => void turns.push(begin))
    const leave = vi.spyOn(upgrades, 'leaveOut')
    const answered: string[] = []
    const ask = (name: string) =>
      upgrade(SOCKET_PATH, handshake()).then(({ status }) => answered.push(`${name} ${status}`))
    const asked = [ask('first')]
    await expect.poll(() => turns.length).toBe(1)
    const gone = new TestSocket(server)
    gone.ws.on('error', () => undefined)
    await expect.poll(() => turns.length).toBe(2)
    asked.push(ask('third'))
    await expect.poll(() => turns.length).toBe(3)
    // What is refused anyhow is refused at once.
    expect(await upgrade(SOCKET_PATH, handshake({ origin: 'https://evil.example' }))).toMatchObject({ status: 403 })
    expect({ answered, pending: admission.pending }).toEqual({ answered: [], pending: 3 })
    gone.cut()
    await expect.poll(() => leave.mock.calls.map(([, begin]) => begin)).toContain(turns[1])
    turns[0]?.()
    await asked[0]
    expect(answered).toEqual(['first 101'])
    const draining = vi.spyOn(server.ctx.gateway, 'draining', 'get').mockReturnValue(true)
    turns[2]?.()
    await asked[1]
    expect(answered).toEqual(['first 101', 'third 503'])
    for (const spy of [draining, leave, wait]) spy.mockRestore()
    await expect.poll(() => admission.pending).toBe(0)
  })

  test('R-05 a network is familiar once somebody has signed in on a socket there, and not before', async () => {
    const at = { ...server, from: '127.0.0.77' }
    const { familiar } = server.ctx.gateway
    const stranger = new TestSocket(at)
    await stranger.frame('session.challenge')
    expect(familiar.has('127.0.0.77')).toBe(false)
    const signedIn = await openSocket(nurse, at)
    expect([familiar.has('127.0.0.77'), familiar.has('127.0.0.78')]).toEqual([true, false])
    for (const socket of [stranger, signedIn]) socket.cut()
  })

  test('R-03 a token in the URL is refused with an explanation that does not repeat it', async () => {
    const { status, body } = await upgrade(`${SOCKET_PATH}?token=${nurse.token}`, handshake())
    expect(status).toBe(400)
    expect(JSON.parse(body)).toMatchObject({ code: 'invalid', title: expect.stringContaining('session.authenticate') })
    expect(body).not.toContain(nurse.token.slice(-20))
    expect(server.logged.join('\n')).not.toContain(nurse.token.slice(-20))
  })

  test.each([
    ['no subprotocol', { 'sec-websocket-protocol': undefined }],
    ['another subprotocol', { 'sec-websocket-protocol': 'graphql-ws' }],
    ['a token as subprotocol', { 'sec-websocket-protocol': 'bearer.abc' }],
    ['a malformed subprotocol', { 'sec-websocket-protocol': 'wardline.v1,,' }],
    ['no key', { 'sec-websocket-key': undefined }],
    ['a strange version', { 'sec-websocket-version': '7' }],
    ['no upgrade', { upgrade: undefined, connection: 'close' }],
  ])('R-03 %s is refused with 400', async (_, changes) => {
    expect((await upgrade(SOCKET_PATH, handshake(changes))).status).toBe(400)
    await expect.poll(() => server.ctx.gateway.admission.pending).toBe(0)
  })

  test.each(['/', '/nowhere', '/healthz', '/api/v1/me', '/ws/', '/WS'])('no socket is let in at %s', async (path) => {
    expect((await upgrade(path, handshake())).status).not.toBe(101)
  })
})

test('R-05 strangers are counted, and make room when they go', async () => {
  const crowd = await startTestServer({
    beside: server,
    config: { preAuth: { ...server.ctx.config.preAuth, pendingSocketsPerAddress: 3, connectionsPerMinute: 8 } },
  })
  const strangers = [1, 2, 3].map(() => new TestSocket(crowd))
  for (const stranger of strangers) await stranger.frame('session.challenge')
  const refused = (status: number) =>
    new Promise<void>((resolve, reject) => {
      const one = new TestSocket(crowd)
      one.ws.on('unexpected-response', (_request, response) => {
        if (response.statusCode === status) resolve()
        else reject(new Error(`answered ${response.statusCode}`))
        response.destroy()
      })
    })
  await refused(429)
  const person = await signedIn(crowd, 'riverside/physician.okafor')
  strangers[0]?.cut()
  await expect.poll(() => crowd.ctx.gateway.admission.pending).toBe(2)
  const known = await openSocket(person)
  const another = await openSocket(person)
  expect(crowd.ctx.gateway.admission.pending).toBe(2)
  // Eight attempts within the minute are one address's share.
  const last = new TestSocket(crowd)
  await last.frame('session.challenge')
  await refused(429)
  for (const socket of [...strangers, known, another, last]) socket.cut()
  await crowd.stop()
})
