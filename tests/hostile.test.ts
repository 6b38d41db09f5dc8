import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectPlain, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { API_BASE, CLOSE_CODES, problem } from '@wardline/protocol'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Inspector, inspectable, openInspector } from '../apps/load/src/inspector.ts'
import { systemClock } from '../apps/server/src/clock.ts'
import { createTestDatabase, type TestDatabase } from './_util/database.ts'
import { freePort } from './_util/free-port.ts'
import { call } from './_util/https.ts'
import { Person } from './_util/person.ts'
import { rawTls } from './_util/raw-tls.ts'
import type { Reachable } from './_util/server.ts'
import { demoAccount, type ServerProcess, spawnServer } from './_util/server-process.ts'
import { openSocket, type TestSocket } from './_util/socket.ts'
import { openFiles, residentMiB } from './hostile/process-health.ts'
import { frame, RawSocket } from './hostile/raw-socket.ts'

/** Sockets that do nothing, for as long as they are let. */
const IDLERS = 150
/** What a server may need of memory at a time, in MiB, and what it may still refer to when everything is over. */
const NEEDED_MIB = 288
const KEPT_MIB = 16

const dataDir = mkdtempSync(join(tmpdir(), 'wardline-hostile-'))
let database: TestDatabase
let process_: ServerProcess
let server: Reachable
let nurse: Person
/** Open all the time: whoever does harm to others shows here. */
let line: TestSocket
let inspector: Inspector
let before: { mib: number; live: number; files: number }
let idlers: Promise<unknown>[]

beforeAll(async () => {
  database = await createTestDatabase()
  mkdirSync(join(dataDir, 'keys'), { mode: 0o700 })
  writeFileSync(join(dataDir, 'keys', 'root.key'), database.rootKey, { mode: 0o600 })
  const inspectorPort = await freePort()
  process_ = spawnServer(dataDir, {
    ...inspectable(inspectorPort),
    WARDLINE_DEMO: '1',
    WARDLINE_DATABASE_URL: database.ownerUrl,
    WARDLINE_LIMITS_PENDING_SOCKETS_PER_ADDRESS: '512',
    WARDLINE_LIMITS_REQUESTS_PER_SECOND: '1000',
  })
  server = { ...(await process_.up), clock: systemClock }
  const { tenant, username, password } = demoAccount(dataDir, 'riverside/nurse.lind')
  nurse = new Person(server)
  await nurse.signIn(tenant, username, { password })
  line = await openSocket(nurse)
  inspector = await openInspector(inspectorPort)
  const { live } = await inspector.memory()
  before = { mib: residentMiB(process_.pid), live, files: openFiles(process_.pid) }
  idlers = Array.from({ length: IDLERS }, (_, n) => idle(n % 3))
})
afterAll(async () => {
  inspector.close()
  const { code, err } = await process_.end()
  await database.drop()
  rmSync(dataDir, { recursive: true })
  const said = err.replace(/^(Debugger|For help).*\n/gm, '')
  if (code !== 0 || said !== '') throw new Error(`it ended with ${code}: ${said}`)
})

/** After each attack: the process lives, a person is served as before, and the line that was open still is. */
afterEach(async () => {
  const [answer, pong] = await Promise.all([nurse.call('GET', '/me'), line.ask({ type: 'session.ping' })])
  if (answer.status !== 200 || pong.type !== 'done') throw new Error(`no longer served: ${answer.status} ${pong.type}`)
})

const port = () => Number(new URL(server.url).port)

/** A connection that stands still: at TCP, in the middle of a request, or at a WebSocket. Resolves when it is ended for that. */
async function idle(kind: number): Promise<unknown> {
  if (kind === 2) return (await RawSocket.open(server)).end()
  const socket: Socket =
    kind === 0
      ? connectPlain({ port: port(), host: '127.0.0.1' })
      : connect({ port: port(), host: '127.0.0.1', ca: server.ca, servername: 'localhost' })
  socket.on('error', () => undefined)
  if (kind === 1) socket.write('POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nX-Slow: ')
  // Whoever waits for data must read it.
  socket.resume()
  return once(socket, 'close')
}

/** The status lines of all that came back. */
const statuses = (said: string) => [...said.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
const post = (head: string, body = '') =>
  `POST ${API_BASE}/auth/login HTTP/1.1\r\nHost: localhost\r\n${head}\r\n${body}`
const smuggled = `GET ${API_BASE}/about HTTP/1.1\r\nHost: localhost\r\n\r\n`

describe('below HTTP', () => {
  test.each([
    ['plain HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['noise', randomBytes(65_536)],
    ['half a greeting and noise', Buffer.concat([Buffer.from('160301020001000', 'hex'), randomBytes(512)])],
    ['SSH', Buffer.from('SSH-2.0-OpenSSH_9.9\r\n')],
    ['nothing but an end', Buffer.alloc(0)],
  ])('R-01 to %s the port answers with an alert at most', async (_, bytes) => {
    const socket = connectPlain({ port: port(), host: '127.0.0.1' })
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', () => undefined)
    socket.end(bytes)
    await once(socket, 'close')
    const said = Buffer.concat(chunks)
    expect(said.length === 0 || said[0] === 21, said.toString('latin1')).toBe(true)
  })
})

describe('what is no HTTP, or two readings of it: one 4xx at most, and the line is closed', () => {
  test.each<[string, string]>([
    ['two lengths', post('Content-Length: 3\r\nContent-Length: 4\r\n', `abc${smuggled}`)],
    ['the same length twice', post('Content-Length: 3\r\nContent-Length: 3\r\n', `abc${smuggled}`)],
    ['a list of lengths', post('Content-Length: 3, 3\r\n', `abc${smuggled}`)],
    ['a length and chunks', post('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${smuggled}`)],
    ['chunks and a length', post('Transfer-Encoding: chunked\r\nContent-Length: 3\r\n', `0\r\n\r\n${smuggled}`)],
    ['chunks that are not last', post('Transfer-Encoding: chunked, identity\r\n', `0\r\n\r\n${smuggled}`)],
    ['an unknown coding', post('Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${smuggled}`)],
    ['a space before the colon', post('Transfer-Encoding : chunked\r\n', `0\r\n\r\n${smuggled}`)],
    ['a folded header', post('X: a\r\n b\r\nContent-Length: 0\r\n', smuggled)],
    ['a length below nothing', post('Content-Length: -1\r\n', smuggled)],
    ['a length with a sign', post('Content-Length: +3\r\n', `abc${smuggled}`)],
    ['a length in hex', post('Content-Length: 0x3\r\n', `abc${smuggled}`)],
    ['a length beyond all', post('Content-Length: 99999999999999999999999\r\n', smuggled)],
    ['a chunk beyond all', post('Transfer-Encoding: chunked\r\n', `fffffffffffffffff\r\n${smuggled}`)],
    ['a chunk that is no number', post('Transfer-Encoding: chunked\r\n', `z\r\n${smuggled}`)],
    ['lines without carriage return', smuggled.replaceAll('\r', '')],
    ['a NUL in a header', `GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n${smuggled}`],
    ['a header without a name', `GET / HTTP/1.1\r\nHost: localhost\r\n: a\r\n\r\n${smuggled}`],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
    ['two hosts', 'GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.test\r\nConnection: close\r\n\r\n'],
    ['HTTP 0.9', 'GET /\r\n\r\n'],
    ['HTTP 2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a line without end', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
    [
      'more headers than are read, of which the last may count',
      `GET / HTTP/1.1\r\nHost: localhost\r\n${'X: 1\r\n'.repeat(100)}Connection: close\r\n\r\n`,
    ],
    [
      '2,000 headers (ws CVE-2024-37890)',
      `GET / HTTP/1.1\r\nHost: localhost\r\n${Array.from({ length: 2_000 }, (_, n) => `X${n}: 1\r\n`).join('')}\r\n`,
    ],
  ])('ASVS 4.2.1 %s', async (_, bytes) => {
    const said = await rawTls(server, bytes)
    const answers = statuses(said)
    expect(answers.length, said).toBeLessThanOrEqual(1)
    for (const status of answers) expect([400, 413]).toContain(status)
    if (answers.length === 1) {
      expect(said.toLowerCase()).toContain('connection: close')
    }
    if (said.includes('content-type:')) {
      expect(problem.parse(JSON.parse(said.slice(said.indexOf('\r\n\r\n') + 4)))).toMatchObject({ retry: 'never' })
    }
  })

  test('R-05 of hundreds of requests in one go some are answered, one is refused, and the others are nobody’s', async () => {
    const lines = () => readFileSync(join(dataDir, 'wardline.log'), 'utf8').split('/about').length
    const before = lines()
    // In one record of TLS, which is read as a whole: the parser tells of all before any is answered.
    const answers = statuses(await rawTls(server, smuggled.repeat(300)))
    expect(answers).toEqual([...Array.from({ length: 16 }, () => 200), 400])
    expect(lines() - before).toBe(16)
  })
})

describe('methods, paths and types', () => {
  const refused = async (what: Parameters<typeof call>[1]) => {
    const answer = await call(server, { ...what, headers: { origin: server.url, ...what.headers } })
    expect([400, 401, 403, 404, 413], `${what.path}: ${answer.text}`).toContain(answer.status)
    expect(problem.safeParse(answer.body).success, answer.text).toBe(true)
    expect(answer.text).not.toMatch(/root:|"dependencies"|node_modules| at /)
    return answer
  }

  test.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY', 'LOCK'])(
    'ASVS 4.1.4 %s changes nothing',
    async (method) => {
      await refused({ method, path: `${API_BASE}/auth/login` })
      await refused({ method, path: '/' })
    },
  )

  test('ASVS 3.5.3 what changes something is not done by GET, nor by a header that says so', async () => {
    const override = { 'x-http-method-override': 'POST', 'x-method-override': 'POST', _method: 'POST' }
    for (const path of ['/auth/login', '/auth/logout', '/auth/refresh'])
      await refused({ path: `${API_BASE}${path}`, headers: override })
    const { body } = await nurse.call('GET', '/me/sessions', { headers: { 'x-http-method-override': 'DELETE' } })
    expect(body).toMatchObject({ items: [{ current: true }] })
  })

  test.each([
    '/../../../../etc/passwd',
    '/assets/../../../../../../etc/passwd',
    '/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd',
    '/..%2f..%2f..%2f..%2fetc%2fpasswd',
    '/assets/..%5c..%5c..%5cpackage.json',
    '/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd',
    '//etc/passwd',
    '/assets//etc/passwd',
    '/.env',
    '/.git/config',
    '/package.json',
    '/index.html%00.js',
    '/%',
    '/%zz',
    `/${'a/'.repeat(5_000)}`,
    `${API_BASE}/../../package.json`,
    `${API_BASE}/patients/..%2f..%2fadmin%2fusers`,
    `${API_BASE}//me`,
    `${API_BASE}/me/`,
    `${API_BASE}/ME`,
    `${API_BASE}/__proto__`,
    `${API_BASE}/constructor/prototype`,
  ])('%s leads nowhere', async (path) => {
    await refused({ path })
  })

  test.each([
    'application/json\ta',
    'application/jsonp',
    'application/json, text/plain',
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/vnd.api+json',
    '*/*',
    ';',
    '',
    'a'.repeat(10_000),
  ])('ASVS 3.5.1 a body of the type %j is not taken (Fastify CVE-2026-25223)', async (type) => {
    const { tenant, username, password } = demoAccount(dataDir, 'riverside/nurse.lind')
    const body = JSON.stringify({ tenant, username, password })
    const stranger = new Person(server)
    const answer = await stranger.bare('POST', '/auth/login', { body, headers: { 'content-type': type } })
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid' })
    // Nor, with a type that may be taken, what the schema would not let pass.
    const more = JSON.stringify({ tenant, username, password, roles: ['administrator'] })
    const mass = await stranger.bare('POST', '/auth/login', {
      body: more,
      headers: { 'content-type': `application/json; ${type.slice(0, 40)}` },
    })
    expect(mass.body).toMatchObject({ status: 400, code: 'invalid' })
  })
})

describe('bodies', () => {
  const login = (body: string) =>
    new Person(server).bare('POST', '/auth/login', { body, headers: { 'content-type': 'application/json' } })

  test('R-10 ten passwords of 10 MB at once are refused in no time (Mattermost CVE-2026-24458)', async () => {
    const body = JSON.stringify({ tenant: 'riverside', username: 'nurse.lind', password: 'x'.repeat(10_000_000) })
    // Each gets its answer: on who is still sending nobody hangs up.
    const answers = await Promise.all(Array.from({ length: 10 }, () => login(body)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([413]))
    expect(residentMiB(process_.pid)).toBeLessThan(before.mib + NEEDED_MIB)
  })

  test('R-50 the same in chunks, whose sum nobody has stated', async () => {
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
    const said = await rawTls(
      server,
      post(
        `Origin: ${server.url}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n`,
        chunk.repeat(40),
      ),
    )
    expect(statuses(said).filter((status) => status !== 413)).toEqual([])
  })

  test.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['nesting', `${'['.repeat(7_000)}${']'.repeat(7_000)}`],
    ['nesting in an object', `${'{"a":'.repeat(2_500)}1${'}'.repeat(2_500)}`],
    ['a poisoned prototype', '{"__proto__":{"password":"a"},"tenant":"riverside","username":"nurse.lind"}'],
    ['a poisoned prototype, escaped', '{"\\u005f_proto__":{"isAdmin":true},"tenant":"riverside"}'],
    ['a poisoned constructor', '{"constructor":{"prototype":{"isAdmin":true}}}'],
    ['a field twice', '{"tenant":"riverside","tenant":"lakeside","username":"a"}'],
    ['an array of bodies', '[{"tenant":"riverside","username":"nurse.lind","password":"a"}]'],
    ['a number beyond all', '{"tenant":1e999,"username":-0,"password":9007199254740993}'],
    ['half a surrogate', '{"tenant":"riverside","username":"\\ud800","password":"a"}'],
    ['text after the end', '{}{}'],
    ['a comment', '{/* */}'],
    ['a null', 'null'],
    ['UTF-16', Buffer.from('{"tenant":"riverside"}', 'utf16le')],
    ['bytes that are no UTF-8', Buffer.from('7b2274656e616e74223a2272697665727369646522c3287d', 'hex')],
  ])('R-50 %s is refused as invalid', async (_, body) => {
    const head = `Origin: ${server.url}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`
    const said = await rawTls(server, Buffer.concat([Buffer.from(post(head)), Buffer.from(body)]))
    expect(statuses(said)).toEqual([400])
    expect(said).toContain('"code":"invalid"')
  })

  test('R-50 a password with bytes that are no UTF-8 is refused before it is compared', async () => {
    const body = Buffer.from(`{"tenant":"riverside","username":"nurse.lind","password":"\xff\xfe"}`, 'latin1')
    const head = `Origin: ${server.url}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${body.length}\r\n`
    expect(statuses(await rawTls(server, Buffer.concat([Buffer.from(post(head)), body])))).toEqual([400])
  })

  test('R-54 odd values of a signed-in caller are refused, never a failure of ours', async () => {
    const nil = '00000000-0000-0000-0000-000000000000'
    const far = '999999999999999'
    for (const path of [
      '/patients?limit=1&limit=2',
      '/patients?limit[]=1&__proto__[x]=1&constructor[prototype][y]=1',
      '/patients?limit=1e3',
      '/patients?limit=%F0%9F',
      `/patients?cursor=${nil}.999999999`,
      `/patients/${nil.toUpperCase().replaceAll('0', 'A')}`,
      `/channels/${randomUUID()}/messages?before=9007199254740991`,
      `/channels/${randomUUID()}/messages?before=9007199254740993`,
      `/channels?cursor=${nil}`,
      `/directory?cursor=${'a'.repeat(399)}`,
      `/admin/audit/events?cursor=${far}.${nil}.${far}`,
      '/admin/audit/events?from=9999-12-31T23:59:59.999Z',
      '/me/sessions?limit=0',
    ]) {
      const { status } = await nurse.call('GET', path)
      expect([200, 400, 403, 404], path).toContain(status)
    }
  })
})

describe('sockets', () => {
  const good = JSON.stringify({ type: 'session.authenticate', id: '1', token: 'a.b.c', proof: 'a.b.c' })

  test.each<[string, readonly Buffer[], readonly (number | null)[]]>([
    ['an unmasked frame', [frame({ opcode: 1, payload: good, masked: false })], [1002]],
    ['a reserved bit', [frame({ opcode: 1, payload: good, reserved: 4 })], [1002]],
    ['a reserved opcode', [frame({ opcode: 3, payload: good })], [1002]],
    ['a reserved control opcode', [frame({ opcode: 11 })], [1002]],
    ['a continuation of nothing', [frame({ opcode: 0, payload: good })], [1002]],
    [
      'a message within a message',
      [frame({ opcode: 1, payload: 'a', fin: false }), frame({ opcode: 1, payload: good })],
      [1002],
    ],
    ['a control frame in pieces', [frame({ opcode: 9, fin: false })], [1002]],
    ['a ping that is too long', [frame({ opcode: 9, payload: 'a'.repeat(126) })], [1002]],
    ['a ping', [frame({ opcode: 9 })], [4400]],
    ['a length beyond all', [frame({ opcode: 1, length: 2n ** 63n - 1n })], [1009]],
    ['a length with the highest bit', [frame({ opcode: 1, length: 2n ** 64n - 1n })], [1009]],
    ['a message that is too long', [frame({ opcode: 1, payload: 'a'.repeat(4_097) })], [1009]],
    [
      'one-byte pieces (ws 8.21.0)',
      Array.from({ length: 3_000 }, (_, n) => frame({ opcode: n === 0 ? 1 : 0, payload: 'a', fin: false })),
      [1008],
    ],
    ['empty pieces', Array.from({ length: 3_000 }, (_, n) => frame({ opcode: n === 0 ? 1 : 0, fin: false })), [1008]],
    [
      'text that is no UTF-8, in two pieces',
      [
        frame({ opcode: 1, payload: Buffer.from([0xc3]), fin: false }),
        frame({ opcode: 0, payload: Buffer.from([0x28]) }),
      ],
      [1007],
    ],
    ['bytes', [frame({ opcode: 2, payload: good })], [1003]],
    ['an empty message', [frame({ opcode: 1 })], [4400]],
    ['a close with half a code', [frame({ opcode: 8, payload: 'a' })], [1002]],
    ['a close with a code that is none', [frame({ opcode: 8, payload: Buffer.from([0x03, 0xed]) })], [1002]],
    [
      'a close whose reason is no UTF-8',
      [frame({ opcode: 8, payload: Buffer.from([0x03, 0xe8, 0xc3, 0x28]) })],
      [1007],
    ],
    ['an orderly close', [frame({ opcode: 8, payload: Buffer.from([0x03, 0xe8]) })], [1000]],
    ['a promise of more that does not come', [frame({ opcode: 1, payload: 'a', length: 4_000n })], [4408]],
    ['noise', [randomBytes(4_096)], [1002, 1009, 1007, 1003, 4400, 4408, 1000, null]],
  ])('R-06 %s closes it', async (_, frames, codes) => {
    const socket = await RawSocket.open(server)
    socket.write(...frames)
    const { code, reason } = await socket.end()
    expect(codes).toContain(code)
    const word = code !== null && code in CLOSE_CODES ? CLOSE_CODES[code as keyof typeof CLOSE_CODES].reason : ''
    expect(reason).toBe(word)
  })

  test.each<[string, string, (head: string) => string]>([
    ['another upgrade', '4xx', (head) => head.replace('Upgrade: websocket', 'Upgrade: h2c')],
    ['no upgrade', '4xx', (head) => head.replace('Upgrade: websocket\r\n', '')],
    ['no word of it in Connection', '4xx', (head) => head.replace('Connection: Upgrade', 'Connection: close')],
    ['no version', '4xx', (head) => head.replace('Sec-WebSocket-Version: 13\r\n', '')],
    ['an older version', '4xx', (head) => head.replace('Version: 13', 'Version: 8')],
    ['a short key', '4xx', (head) => head.replace(/Key: .*/, 'Key: abc')],
    ['no key', '4xx', (head) => head.replace(/Sec-WebSocket-Key: .*\r\n/, '')],
    ['no subprotocol', '4xx', (head) => head.replace(/Sec-WebSocket-Protocol: .*\r\n/, '')],
    ['an older subprotocol', '4xx', (head) => head.replace('wardline.v1', 'graphql-ws')],
    ['no origin', '4xx', (head) => head.replace(/Origin: .*\r\n/, '')],
    ['two origins', '4xx', (head) => head.replace(/Origin: (.*)\r\n/, 'Origin: $1\r\nOrigin: https://evil.test\r\n')],
    ['a foreign origin', '4xx', (head) => head.replace(/Origin: .*/, 'Origin: https://evil.test')],
    ['a query', '4xx', (head) => head.replace('/ws ', '/ws?token=a ')],
    ['another path', '4xx', (head) => head.replace('/ws ', '/ws/ ')],
    ['a method that is not GET', '4xx', (head) => head.replace('GET', 'POST')],
    ['HTTP 1.0', '4xx', (head) => head.replace('HTTP/1.1', 'HTTP/1.0')],
  ])('R-02 R-03 an upgrade with %s is none', async (_, _status, spoil) => {
    const head = [
      'GET /ws HTTP/1.1',
      'Host: localhost',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Origin: ${server.url}`,
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Protocol: wardline.v1',
      '\r\n',
    ].join('\r\n')
    const [status] = await firstStatus(spoil(head))
    expect([400, 403, 404, 426]).toContain(status)
  })
})

/** Sends it, and gives the first status line: the connection may stay open. */
async function firstStatus(bytes: string): Promise<number[]> {
  const socket = connect({ port: port(), host: '127.0.0.1', ca: server.ca, servername: 'localhost' })
  socket.on('error', () => undefined)
  await once(socket, 'secureConnect')
  let said = ''
  socket.on('data', (chunk: Buffer) => {
    said += chunk.toString('latin1')
  })
  socket.write(bytes)
  while (statuses(said).length === 0 && !socket.closed)
    await Promise.race([once(socket, 'data'), once(socket, 'close')])
  socket.destroy()
  return statuses(said)
}

describe('afterwards', () => {
  test('R-05 who stands still has been ended', async () => {
    const ended = await Promise.all(idlers)
    expect(ended).toHaveLength(IDLERS)
  }, 300_000)

  test('R-52 what was taken of memory and files is given back, and nothing failed on our side', async () => {
    await expect.poll(() => openFiles(process_.pid), { timeout: 30_000 }).toBeLessThanOrEqual(before.files + 8)
    const live = async () => (await inspector.memory()).live
    await expect.poll(live, { timeout: 30_000, interval: 1_000 }).toBeLessThan(before.live + KEPT_MIB)
    const log = readFileSync(join(dataDir, 'wardline.log'), 'utf8')
    expect(log.split('\n').filter((each) => /"level":[56]0/.test(each))).toEqual([])
    expect(log).not.toContain('"status":500')
    expect(line.closed).toBeNull()
  })
})
