import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { API_BASE, SOCKET_PATH, SUBPROTOCOL } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { manualClock } from '../../apps/server/src/clock.ts'
import { auditOf } from '../_util/audit.ts'
import { call } from '../_util/https.ts'
import { Person, signedIn } from '../_util/person.ts'
import { rawTls } from '../_util/raw-tls.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'

const clock = manualClock(Date.UTC(2026, 5, 1, 8))
/** Reached directly, and by a peer that it takes for a proxy. */
let direct: TestServer
let behind: TestServer
const webRoot = mkdtempSync(join(tmpdir(), 'wardline-web-'))

beforeAll(async () => {
  writeFileSync(join(webRoot, 'index.html'), '<!doctype html><title>Wardline</title>')
  direct = await startTestServer({ clock, webRoot })
  const config = { trustedProxies: ['127.0.0.0/8', '10.0.0.0/24'] }
  behind = await startTestServer({ beside: direct, clock, webRoot, config })
})
afterAll(async () => {
  await behind.stop()
  await direct.stop()
  rmSync(webRoot, { recursive: true })
})

type Headers = Readonly<Record<string, string>>

const transports = {
  /** The address that a sign-in is written down with. */
  async http(server: TestServer, headers: Headers): Promise<string | undefined> {
    const person = new Person(server)
    await person.signIn('riverside', 'nurse.lind', { headers })
    const [event] = await auditOf(direct, 'riverside', { action: 'auth.login', device: person.key.jkt })
    return event?.address
  },
  /** The address that a socket's opening is written down with. */
  async socket(server: TestServer, headers: Headers): Promise<string | undefined> {
    // From the same network: another one would be asked for a new token.
    const person = new Person(server)
    await person.signIn('riverside', 'nurse.lind', { headers })
    const { connectionId } = await open(person, headers)
    const [event] = await auditOf(direct, 'riverside', { action: 'socket.authenticate', connection: connectionId })
    return event?.address
  },
}

/** Opens a socket with headers of one's own, signs in on it, and hangs up. */
function open(person: Person, headers: Headers): Promise<{ connectionId: string }> {
  const { url, ca } = person.server
  const socket = new WebSocket(url.replace('https', 'wss') + SOCKET_PATH, [SUBPROTOCOL], { ca, origin: url, headers })
  return new Promise((resolve, reject) => {
    let connectionId = ''
    socket.on('error', reject)
    socket.on('unexpected-response', (_request, response) => reject(new Error(`answered ${response.statusCode}`)))
    socket.on('close', (code) => reject(new Error(`closed with ${code}`)))
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as { type: string; nonce: string; connectionId: string }
      if (frame.type === 'session.challenge') {
        connectionId = frame.connectionId
        const proof = person.socketProof(frame.nonce)
        socket.send(JSON.stringify({ type: 'session.authenticate', id: '1', token: person.token, proof }))
        return
      }
      resolve({ connectionId })
      socket.terminate()
    })
  })
}

const CLIENT = '203.0.113.9'
const SPOOFED = '198.51.100.1'

describe.each(Object.entries(transports))('R-08, ASVS 4.1.3: the client’s address over %s', (_transport, addressOf) => {
  test.each<[string, Headers]>([
    ['X-Forwarded-For', { 'x-forwarded-for': SPOOFED }],
    ['Forwarded', { forwarded: `for=${SPOOFED}` }],
    ['X-Real-IP', { 'x-real-ip': SPOOFED, 'true-client-ip': SPOOFED, 'x-client-ip': SPOOFED }],
  ])('is the peer’s, whatever it says by %s (Fastify CVE-2026-3635)', async (_name, headers) => {
    expect(await addressOf(direct, headers)).toBe('127.0.0.1')
  })

  test.each<[string, Headers]>([
    ['alone', { 'x-forwarded-for': CLIENT }],
    ['behind another proxy of ours', { 'x-forwarded-for': `${CLIENT}, 10.0.0.3` }],
    ['beside what the client made up', { 'x-forwarded-for': `${SPOOFED}, ${CLIENT}` }],
    ['beside a Forwarded that the proxy let through', { 'x-forwarded-for': CLIENT, forwarded: `for=${SPOOFED}` }],
  ])('is what a proxy of ours says, %s', async (_name, headers) => {
    expect(await addressOf(behind, headers)).toBe(CLIENT)
  })

  test('is the proxy’s own where it says none', async () => {
    expect(await addressOf(behind, { 'x-forwarded-for': 'CANARY' })).toBe('127.0.0.1')
    expect(await addressOf(behind, { forwarded: `for=${SPOOFED}` })).toBe('127.0.0.1')
  })
})

describe('R-01: who speaks to the proxy without TLS', () => {
  const cleartext = { 'x-forwarded-proto': 'http' }

  test('is shown the way where it asks for a page, and only there', async () => {
    const page = { ...cleartext, accept: 'text/html' }
    const answer = await call(behind, { path: '/c/1?q=CANARY', headers: page })
    expect(answer).toMatchObject({ status: 308, headers: { location: `${behind.url}/c/1` } })
    const elsewhere = await call(behind, { path: '//evil.test/c', headers: page })
    expect(elsewhere.headers['location']).toBe(`${behind.url}/c`)
    expect((await call(behind, { path: `${API_BASE}/about`, headers: cleartext })).status).toBe(403)
  })

  test('is not signed in, with the right password too, and it is audited', async () => {
    const answer = await new Person(behind).signIn('riverside', 'nurse.lind', { headers: cleartext })
    expect(answer.body).toMatchObject({ status: 403, code: 'forbidden' })
    expect(answer.headers['set-cookie']).toBeUndefined()
    expect(await auditOf(direct, null, { action: 'auth.request', reason: 'cleartext' })).not.toHaveLength(0)
  })

  test('opens no socket', async () => {
    const person = await signedIn(behind, 'riverside/nurse.lind')
    await expect(open(person, cleartext)).rejects.toThrow('answered 403')
  })

  test('a stranger’s word for it is not taken', async () => {
    expect((await call(direct, { path: `${API_BASE}/about`, headers: cleartext })).status).toBe(200)
    await open(await signedIn(direct, 'riverside/nurse.lind'), cleartext)
  })
})

test('ASVS 4.1.3 a name that the client made up is in no answer', async () => {
  const claims = 'Host: evil.test\r\nX-Forwarded-Host: evil.test\r\nX-Forwarded-Proto: http\r\nAccept: text/html\r\n'
  for (const server of [direct, behind]) {
    for (const path of ['/', '/c/1', '/healthz', '/.well-known/jwks.json', `${API_BASE}/me`]) {
      const answer = await rawTls(server, `GET ${path} HTTP/1.1\r\n${claims}Connection: close\r\n\r\n`)
      expect(answer).toMatch(/^HTTP\/1\.1 (200|308|401|403) /)
      expect(answer).not.toContain('evil')
    }
  }
})

test('R-05 what is counted for each address is counted for the client, not for the proxy', async () => {
  const limited = await startTestServer({
    beside: direct,
    clock,
    config: { trustedProxies: ['127.0.0.1'], preAuth: { ...direct.ctx.config.preAuth, signInsPerMinute: 2 } },
  })
  try {
    const tries = async (address: string) => {
      const headers = { 'x-forwarded-for': address }
      const statuses: number[] = []
      for (let n = 0; n < 3; n += 1)
        statuses.push((await new Person(limited).signIn('riverside', 'nurse.lind', { headers })).status)
      return statuses
    }
    expect(await tries('192.0.2.1')).toEqual([200, 200, 429])
    expect(await tries('192.0.2.2')).toEqual([200, 200, 429])
    // What a client puts before its own address gives it no other.
    expect(await tries('1.2.3.4, 192.0.2.2')).toEqual([429, 429, 429])
  } finally {
    await limited.stop()
  }
})
