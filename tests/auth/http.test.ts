import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect as connectPlain } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { problem } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { auditOf } from '../_util/audit.ts'
import { call } from '../_util/https.ts'
import { Person, signedIn } from '../_util/person.ts'
import { rawTls } from '../_util/raw-tls.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'

const PAGE = { accept: 'text/html,application/xhtml+xml' }
const webRoot = mkdtempSync(join(tmpdir(), 'wardline-web-'))
const clock = manualClock(Date.UTC(2026, 5, 1, 8))
let server: TestServer

beforeAll(async () => {
  mkdirSync(join(webRoot, 'assets'))
  writeFileSync(join(webRoot, 'index.html'), '<!doctype html><title>Wardline</title>')
  writeFileSync(join(webRoot, 'assets', 'app-4f2a.js'), 'void 0')
  writeFileSync(join(webRoot, '.secret'), 'CANARY')
  symlinkSync('/etc/passwd', join(webRoot, 'assets', 'link'))
  server = await startTestServer({ clock, webRoot })
})
afterAll(async () => {
  await server.stop()
  rmSync(webRoot, { recursive: true })
})

describe('every answer', () => {
  test.each([
    ['a page', { path: '/', headers: PAGE }, 200],
    ['an answer', { path: '/api/v1/about' }, 200],
    ['a refusal', { path: '/api/v1/me' }, 401],
    ['what is not there', { path: '/api/v1/nothing' }, 404],
    ['a bad request', { path: '/%E0%A4%A' }, 400],
  ])('ASVS 3.4: %s bears the security headers', async (_name, what, status) => {
    const answer = await call(server, what)
    expect(answer.status).toBe(status)
    expect(answer.headers).toMatchObject({
      'strict-transport-security': 'max-age=63072000; includeSubDomains',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    })
    const policy = String(answer.headers['content-security-policy'])
    const wss = server.url.replace('https', 'wss')
    for (const directive of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      `connect-src 'self' ${wss}`,
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'self'",
      "require-trusted-types-for 'script'",
    ]) {
      expect(policy).toContain(directive)
    }
    expect(policy).not.toMatch(/unsafe|\*|http:/)
    for (const leak of ['server', 'x-powered-by', 'access-control-allow-origin'])
      expect(answer.headers[leak]).toBeUndefined()
  })

  test.each([
    ['no such route', { path: '/api/v1/nothing' }, 'not-found'],
    ['no such file', { path: '/assets/nothing.js', headers: PAGE }, 'not-found'],
    ['a page for a program', { path: '/c/1', headers: { accept: 'application/json' } }, 'not-found'],
    ['a method that is not there', { method: 'DELETE', path: '/api/v1/about' }, 'not-found'],
    ['TRACE', { method: 'TRACE', path: '/' }, 'not-found'],
    ['a preflight of another site', { method: 'OPTIONS', path: '/api/v1/auth/login' }, 'not-found'],
    ['nobody', { path: '/api/v1/me' }, 'unauthenticated'],
    ['a path that cannot be read', { path: '/%E0%A4%A' }, 'invalid'],
  ])('R-54: %s is a problem of RFC 9457 that echoes nothing', async (_name, what, code) => {
    const answer = await call(server, {
      ...what,
      headers: { origin: server.url, ...('headers' in what ? what.headers : {}) },
    })
    expect(problem.parse(answer.body)).toMatchObject({ code, type: `urn:wardline:error:${code}` })
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8')
    expect(answer.text).not.toMatch(/v1|E0|assets|DELETE| at /)
  })

  test('says how to sign in, where that is what is missing', async () => {
    const answer = await call(server, { path: '/api/v1/me' })
    expect(answer.headers['www-authenticate']).toBe('DPoP algs="ES256"')
  })
})

describe('what is no HTTP, or too much of it', () => {
  test.each([
    ['garbage', 'GARBAGE\r\n\r\n', 400],
    [
      'two lengths (ASVS 4.2.1)',
      'POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc',
      400,
    ],
    [
      'a length and chunks',
      'POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['headers without end', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 413],
  ])('%s is refused and the line is closed', async (_name, sent, status) => {
    const answer = await rawTls(server, sent)
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(answer).toContain('connection: close')
    expect(problem.parse(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).status).toBe(status)
  })

  test('2,000 headers (ws CVE-2024-37890) do not end the process', async () => {
    const headers = Array.from({ length: 2_000 }, (_, index) => `X${index}: 1`).join('\r\n')
    await rawTls(server, `GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${headers}\r\n\r\n`)
    expect((await call(server, { path: '/healthz' })).status).toBe(200)
  })

  test('R-01: plain HTTP on the same port gets not one byte', async () => {
    const socket = connectPlain({ port: server.running.port, host: '127.0.0.1' })
    await once(socket, 'connect')
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', () => undefined)
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await once(socket, 'close')
    const said = Buffer.concat(chunks)
    // At most a TLS alert (RFC 8446 §6: content type 21).
    expect(said.length === 0 || said[0] === 21).toBe(true)
    expect(said.toString('latin1')).not.toContain('HTTP')
  })

  test('R-52: a body of any type is not read before somebody has signed in (Synapse CVE-2024-52805)', async () => {
    for (const type of [
      'application/json',
      'multipart/form-data; boundary=x',
      'text/plain',
      'application/octet-stream',
    ]) {
      const answer = await call(server, {
        method: 'POST',
        path: '/api/v1/channels',
        headers: { origin: server.url, 'content-type': type },
        body: 'x'.repeat(5_000_000),
      })
      expect([401, 404, 413]).toContain(answer.status)
    }
  })
})

describe('R-02: Origin', () => {
  test.each([
    ['of another site', 'https://evil.test'],
    ['null', 'null'],
    ['of another port', 'https://localhost:1'],
    ['that begins alike', 'https://localhost:8443.evil.test'],
    ['missing', undefined],
  ])(
    '%s: a call that may change something is refused, with the right password too, and audited',
    async (_name, origin) => {
      const person = new Person(server)
      const answer = await person.signIn('riverside', 'nurse.lind', { headers: { origin } })
      expect(answer.body).toMatchObject({ status: 403, code: 'forbidden' })
      expect(answer.headers['set-cookie']).toBeUndefined()
      expect(await auditOf(server, null, { action: 'auth.request', reason: 'origin' })).not.toHaveLength(0)
    },
  )

  test('programs without one sign in where the operator allows it', async () => {
    const open = await startTestServer({ beside: server, clock, config: { allowNoOrigin: true } })
    try {
      expect(
        (await new Person(open).signIn('riverside', 'nurse.lind', { headers: { origin: undefined } })).status,
      ).toBe(200)
      const evil = { headers: { origin: 'https://evil.test' } }
      expect((await new Person(open).signIn('riverside', 'nurse.lind', evil)).status).toBe(403)
    } finally {
      await open.stop()
    }
  })
})

describe('R-08, ASVS 4.1.3: the address', () => {
  const forged = {
    headers: { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9', 'x-real-ip': '203.0.113.9' },
  }

  test('is the peer’s, whatever a stranger claims (Fastify CVE-2026-3635)', async () => {
    const person = new Person(server)
    await person.signIn('riverside', 'nurse.lind', forged)
    expect(await auditOf(server, 'riverside', { action: 'auth.login', device: person.key.jkt })).toMatchObject([
      { address: '127.0.0.1' },
    ])
  })

  test('is what a trusted proxy says, when it is one', async () => {
    const proxied = await startTestServer({ beside: server, clock, config: { trustedProxies: ['127.0.0.0/8'] } })
    try {
      const person = new Person(proxied)
      await person.signIn('riverside', 'nurse.lind', forged)
      await person.signIn('riverside', 'nurse.lind', { headers: { 'x-forwarded-for': 'CANARY' } })
      const events = await auditOf(server, 'riverside', { action: 'auth.login', device: person.key.jkt })
      expect(events.map(({ address }) => address)).toEqual(['203.0.113.9', '127.0.0.1'])
    } finally {
      await proxied.stop()
    }
  })
})

describe('what anybody may ask', () => {
  test('whether this is a demonstration, and nothing of its version', async () => {
    expect((await call(server, { path: '/api/v1/about' })).body).toEqual({ demo: false })
  })

  test('R-13: the public keys, cacheable', async () => {
    const answer = await call(server, { path: '/.well-known/jwks.json' })
    expect(answer.headers).toMatchObject({
      'cache-control': 'public, max-age=300, must-revalidate',
      'content-type': 'application/jwk-set+json',
    })
    expect(answer.body).toEqual(await server.ctx.signingKeys.jwks())
    expect(answer.text).not.toContain('"d"')
  })

  test('whether it lives and is ready', async () => {
    expect((await call(server, { path: '/healthz' })).body).toEqual({ status: 'ok' })
    const ready = await call(server, { path: '/readyz' })
    expect(ready).toMatchObject({ status: 200, body: { status: 'ready' } })
  })
})

describe('the web app', () => {
  test.each(['/', '/c/0b8f1c9e-6a34-4a7f-8f55-1c2d3e4f5a6b', '/audit', '/anything?q=1'])(
    '%s is the page',
    async (path) => {
      const answer = await call(server, { path, headers: PAGE })
      expect(answer.status).toBe(200)
      expect(answer.headers['content-type']).toContain('text/html')
      expect(answer.headers['cache-control']).toBe('no-store')
      expect(answer.text).toContain('<title>Wardline</title>')
    },
  )

  test('a file with a hash in its name is kept for a year', async () => {
    const answer = await call(server, { path: '/assets/app-4f2a.js' })
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
    })
    expect(answer.headers['content-type']).toContain('javascript')
  })

  test.each([
    '/.secret',
    '/assets/../.secret',
    '/..%2f..%2fetc%2fpasswd',
    '/assets/%2e%2e/%2e%2e/config.ts',
    '/assets',
    '/assets/',
    '/%00',
  ])('%s is not served', async (path) => {
    const answer = await call(server, { path })
    expect([400, 404]).toContain(answer.status)
    expect(answer.text).not.toMatch(/CANARY|root:/)
  })

  test('where it is not built, there is no page and all else works', async () => {
    const bare = await startTestServer({ beside: server, clock, webRoot: join(webRoot, 'missing') })
    try {
      expect((await call(bare, { path: '/', headers: PAGE })).status).toBe(404)
      await signedIn(bare, 'riverside/nurse.lind')
    } finally {
      await bare.stop()
    }
  })
})

test('R-70: what is refused is audited, and a flood of it as a number', async () => {
  clock.advance(120_000)
  // What the tests before this one left uncounted is summed up under an earlier time.
  const since = new Date(clock.now()).toISOString()
  for (let attempt = 0; attempt < 12; attempt += 1) await call(server, { path: '/api/v1/me' })
  clock.advance(120_000)
  await expect
    .poll(async () => {
      const refused = await auditOf(server, null, { action: 'auth.request', reason: 'no-credentials' })
      return refused.filter(({ at }) => at >= since)
    })
    .toMatchObject([{}, {}, {}, {}, {}, { count: 7 }])
})

test('R-65: no path, query, header or body is logged', async () => {
  await call(server, {
    path: '/api/v1/CANARY?mrn=CANARY',
    headers: { 'user-agent': 'CANARY', cookie: 'CANARY=1', referer: 'https://CANARY.test' },
  })
  await call(server, {
    method: 'POST',
    path: '/api/v1/auth/login',
    headers: { origin: server.url },
    body: { CANARY: 'CANARY' },
  })
  const lines = server.logged.join('')
  expect(lines).toContain('"route":"/api/v1/auth/login"')
  expect(lines).not.toContain('CANARY')
})
