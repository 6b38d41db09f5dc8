import { randomUUID } from 'node:crypto'
import { API_BASE, ERROR_CODES, ERRORS, type ErrorCode, problem, type ServerFrame } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { addGroup } from '../_util/channels.ts'
import { asOwner } from '../_util/database.ts'
import type { HttpAnswer } from '../_util/https.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { rawTls } from '../_util/raw-tls.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket, type TestSocket } from '../_util/socket.ts'

const clock = manualClock(Date.UTC(2026, 5, 1, 8))
let server: TestServer
let nurse: Person

beforeAll(async () => {
  server = await startTestServer({ clock })
  nurse = await signedIn(server, 'riverside/nurse.lind')
})
afterAll(() => server.stop())

const get = (path: string, ...headers: string[]) =>
  [`GET ${path} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers, '\r\n'].join('\r\n')

const upgrade = (changes: Readonly<Record<string, string | null>> = {}, path = '/ws', method = 'GET') => {
  const headers = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    Origin: server.url,
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol': 'wardline.v1',
    ...changes,
  }
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]))
  // What is no upgrade is an ordinary request, after which the line stays open; whoever asked tells that this was all.
  if (changes['Connection'] === undefined) lines[1] = 'Connection: Upgrade, close'
  return [`${method} ${path} HTTP/1.1`, ...lines, '\r\n'].join('\r\n')
}

/** What is on every answer, whoever wrote it (ASVS 3.4). */
const SECURITY = [
  /^content-security-policy: default-src 'none';.*trusted-types 'none'$/m,
  /^strict-transport-security: max-age=63072000; includeSubDomains$/m,
  /^x-content-type-options: nosniff$/m,
  /^referrer-policy: no-referrer$/m,
  /^cross-origin-opener-policy: same-origin$/m,
  /^cross-origin-resource-policy: same-origin$/m,
  /^permissions-policy: camera=\(\)/m,
  /^cache-control: no-store$/m,
  /^content-type: application\/problem\+json; charset=utf-8$/m,
  /^connection: close$/m,
]

describe('R-53 R-54: whoever refuses, the parser, Node, the framework or we, the answer is a problem with all headers', () => {
  test.each<[string, () => string, ErrorCode]>([
    ['garbage', () => 'GARBAGE\r\n\r\n', 'invalid'],
    ['headers beyond 16 KiB (431)', () => get('/', `X: ${'x'.repeat(20_000)}`), 'too-large'],
    ['a path beyond 16 KiB (414)', () => get(`/${'a'.repeat(20_000)}`), 'too-large'],
    ['a body beyond 64 KiB (413)', () => login('x'.repeat(70_000)), 'too-large'],
    ['a body that is no JSON (400)', () => login('{'), 'invalid'],
    ['a body of another type (415)', () => login('a=b', 'application/x-www-form-urlencoded'), 'invalid'],
    ['a body of no type', () => login('{}', null), 'invalid'],
    ['an expectation (417)', () => get('/', 'Expect: miracles'), 'invalid'],
    ['no host', () => 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', 'invalid'],
    ['two hosts', () => get('/', 'Host: evil.test'), 'invalid'],
    ['a proxy’s method', () => 'CONNECT evil.test:443 HTTP/1.1\r\nHost: localhost\r\n\r\n', 'invalid'],
    ['the server as a whole', () => 'OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 'not-found'],
    ['a path that cannot be read', () => get('/%E0%A4%A'), 'invalid'],
    ['a path with a NUL', () => get('/%00'), 'invalid'],
    ['no such route', () => get(`${API_BASE}/CANARY`), 'not-found'],
    ['no such method of a route (405)', () => call('PUT', `${API_BASE}/about`), 'not-found'],
    ['a method that is none', () => call('BREW', '/'), 'invalid'],
    ['no such page for a program', () => get('/c/1', 'Accept: application/json'), 'not-found'],
    ['an encoding of the transfer that is none', () => get('/', 'Transfer-Encoding: gzip'), 'invalid'],
    ['nobody', () => get(`${API_BASE}/me`), 'unauthenticated'],
    ['a foreign origin', () => call('POST', `${API_BASE}/auth/login`, 'https://evil.test'), 'forbidden'],
    ['a socket from a foreign origin', () => upgrade({ Origin: 'https://evil.test' }), 'forbidden'],
    ['a socket without the subprotocol', () => upgrade({ 'Sec-WebSocket-Protocol': null }), 'invalid'],
    ['a socket with half a list of them', () => upgrade({ 'Sec-WebSocket-Protocol': 'wardline.v1,,' }), 'invalid'],
    ['a socket without a key', () => upgrade({ 'Sec-WebSocket-Key': null }), 'invalid'],
    ['a socket with a short key', () => upgrade({ 'Sec-WebSocket-Key': 'abc' }), 'invalid'],
    ['a socket of another version', () => upgrade({ 'Sec-WebSocket-Version': '8' }), 'invalid'],
    ['a socket with a token in its URL', () => upgrade({}, '/ws?token=CANARY'), 'invalid'],
    ['a socket that is no upgrade', () => upgrade({ Connection: 'close', Upgrade: null }), 'invalid'],
    ['a socket of HTTP/2', () => upgrade({ Upgrade: 'h2c' }), 'invalid'],
    ['a socket by POST', () => upgrade({}, '/ws', 'POST'), 'not-found'],
    ['a socket elsewhere', () => upgrade({}, `${API_BASE}/me`), 'unauthenticated'],
    ['a socket nowhere', () => upgrade({}, '/nowhere'), 'not-found'],
  ])('%s', async (_name, bytes, code) => {
    // The server hangs up after each: what is answered and then held open would not come to its end here.
    const said = await rawTls(server, bytes())
    const [head = '', body = ''] = said.split('\r\n\r\n')
    const lines = head.replaceAll('\r', '')
    expect(lines).toMatch(new RegExp(`^HTTP/1\\.1 ${ERRORS[code].status} `))
    for (const header of SECURITY) expect(lines.replace(/^[\w-]+:/gm, (name) => name.toLowerCase())).toMatch(header)
    expect(problem.parse(JSON.parse(body))).toMatchObject({
      code,
      status: ERRORS[code].status,
      retry: ERRORS[code].retry,
    })
    expect(said).not.toMatch(/evil|CANARY|miracles|^server:|^x-powered-by:| at /im)
  })

  function login(body: string, type: string | null = 'application/json'): string {
    const head = [
      `POST ${API_BASE}/auth/login HTTP/1.1`,
      'Host: localhost',
      `Origin: ${server.url}`,
      'Connection: close',
    ]
    if (type !== null) head.push(`Content-Type: ${type}`)
    return [...head, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n')
  }

  function call(method: string, path: string, origin = server.url): string {
    return [`${method} ${path} HTTP/1.1`, 'Host: localhost', `Origin: ${origin}`, 'Connection: close', '\r\n'].join(
      '\r\n',
    )
  }
})

/** A refusal as a socket frame, or as a problem over HTTP: what both have in common. */
type Said = { readonly code: unknown; readonly retry: unknown; readonly words: unknown }

const overHttp = async (asked: Promise<HttpAnswer>): Promise<Said> => {
  const { status, body, text } = await asked
  const said = problem.parse(body)
  expect(status).toBe(ERRORS[said.code].status)
  expect(text).not.toMatch(/CANARY|relation|SELECT|wardline_| at /)
  return { code: said.code, retry: said.retry, words: said.title }
}

const overSocket = async (asked: Promise<ServerFrame>): Promise<Said> => {
  const frame = await asked
  if (frame.type !== 'error') throw new Error(`not refused: ${JSON.stringify(frame)}`)
  expect(JSON.stringify(frame)).not.toMatch(/CANARY|relation|SELECT|wardline_| at /)
  return { code: frame.code, retry: frame.retry, words: frame.message }
}

/** Codes of a state that a session is in, on every call: there are tests of that state. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'second-factor-required': 'whose role demands a factor, and who has none',
  locked: 'whose session is locked',
}

const rowOf = (code: ErrorCode): Said => ({ code, retry: ERRORS[code].retry, words: ERRORS[code].message })

describe('R-54: one table for both transports', () => {
  const seen = new Set<ErrorCode>()
  let channel: string
  let socket: TestSocket

  beforeAll(async () => {
    channel = (await addGroup(server, 'riverside/nurse.lind', 'riverside/physician.okafor')).id
    socket = await openSocket(nurse)
  })

  const post = (body: string) => socket.ask({ type: 'message.post', channel, clientId: randomUUID(), body })

  async function acknowledgeOneself(): Promise<ServerFrame> {
    const posted = await post('text')
    if (posted.type !== 'message.accepted') throw new Error(JSON.stringify(posted))
    return socket.ask({ type: 'message.acknowledge', message: posted.message })
  }

  async function nameThatIsTaken(): Promise<HttpAnswer> {
    const admin = await signedIn(server, 'riverside/admin.reyes')
    return admin.call('POST', '/admin/users', { body: { username: 'nurse.lind', displayName: 'CANARY', roles: [] } })
  }

  async function guessing(): Promise<HttpAnswer> {
    const guess = () => nurse.call('POST', '/auth/step-up', { body: { password: 'CANARY' } })
    for (let tries = 0; tries < 20; tries += 1) {
      const answer = await guess()
      if (answer.status === 429) return answer
    }
    return guess()
  }

  async function asking(): Promise<ServerFrame> {
    for (let asked = 0; asked < 1_000; asked += 1) {
      const answer = await socket.ask({ type: 'session.ping' })
      if (answer.type === 'error') return answer
    }
    throw new Error('a thousand at once were taken')
  }

  async function oldProof(): Promise<HttpAnswer> {
    clock.advance(11 * 60_000)
    await nurse.refresh()
    return nurse.call('DELETE', `/me/factors/${randomUUID()}`)
  }

  /** How each is brought about. A socket that is nobody's is closed with 4401, and asks for nothing of high risk. */
  const ways: readonly [ErrorCode, (() => Promise<HttpAnswer>) | null, (() => Promise<ServerFrame>) | null][] = [
    ['invalid', () => nurse.call('GET', '/patients?limit=CANARY'), () => post('CANARY\u0000')],
    ['unauthenticated', () => nurse.bare('GET', '/me'), null],
    ['forbidden', () => nurse.call('GET', '/admin/users'), acknowledgeOneself],
    [
      'not-found',
      () => nurse.call('GET', `/patients/${randomUUID()}`),
      () => socket.ask({ type: 'channel.subscribe', channel: randomUUID() }),
    ],
    ['conflict', nameThatIsTaken, () => socket.ask({ type: 'channel.subscribe', channel, after: 1_000_000 })],
    [
      'too-large',
      () => nurse.call('POST', '/channels', { body: { title: 'x'.repeat(70_000) } }),
      () => post('x'.repeat(8_001)),
    ],
    ['rate-limited', guessing, asking],
    ['step-up-required', oldProof, null],
  ]

  test.each(ways)('%s', async (code, http, frame) => {
    seen.add(code)
    if (http !== null) expect(await overHttp(http())).toEqual(rowOf(code))
    if (frame !== null) expect(await overSocket(frame())).toEqual(rowOf(code))
  })

  describe('where something is broken on our side', () => {
    let broken: TestServer
    let person: Person
    let open: TestSocket
    let group: string

    beforeAll(async () => {
      broken = await startTestServer({ clock })
      person = await signedIn(broken, 'riverside/nurse.lind')
      group = (await addGroup(broken, 'riverside/nurse.lind')).id
      open = await openSocket(person)
    })
    afterAll(() => broken.stop())

    // On a socket what nobody foresaw is no answer but an end, with 1011 (connection.test.ts).
    test('internal', async () => {
      await broken.database.query('ALTER TABLE user_roles RENAME TO user_roles_away')
      expect(await overHttp(person.call('GET', '/directory?limit=CANARY'))).toEqual(rowOf('invalid'))
      expect(await overHttp(person.call('GET', '/directory'))).toEqual(rowOf('internal'))
      await broken.database.query('ALTER TABLE user_roles_away RENAME TO user_roles')
      seen.add('internal')
      expect(broken.logged.join('')).toContain('request.failed')
      expect(broken.logged.join('')).not.toMatch(/CANARY|relation "/)
    })

    test('unavailable', async () => {
      const neighbour = new URL(broken.database.ownerUrl)
      neighbour.pathname = '/postgres'
      await asOwner(neighbour.href, async (client) => {
        await client.query(`ALTER DATABASE ${broken.database.name} WITH ALLOW_CONNECTIONS false`)
        await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [
          broken.database.name,
        ])
      })
      const post = { type: 'message.post', channel: group, clientId: randomUUID(), body: 'CANARY' } as const
      expect(await overHttp(person.call('GET', `/channels/${group}/messages`))).toEqual(rowOf('unavailable'))
      expect(await overSocket(open.ask(post))).toEqual(rowOf('unavailable'))
      seen.add('unavailable')
    })
  })

  test('no code is left out', () => {
    expect(ERROR_CODES.filter((code) => !seen.has(code) && !(code in ELSEWHERE))).toEqual([])
  })
})
