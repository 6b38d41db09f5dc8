import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { API_BASE, SOCKET_PATH, SUBPROTOCOL } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createAuthority, issueCertificate, type KeyPairPem } from '../../apps/server/src/tls/local-authority.ts'
import { auditOf } from '../_util/audit.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'

const DAY_MS = 86_400_000
const folder = mkdtempSync(join(tmpdir(), 'wardline-clients-'))
const clientCaFile = join(folder, 'clients.crt')
const now = Date.now()
/** Both ask for certificates: the one of whoever calls it, the other of a proxy, which is whoever calls it. */
let direct: TestServer
let behind: TestServer
let device: KeyPairPem
const others: Record<string, KeyPairPem> = {}

beforeAll(async () => {
  const authority = await createAuthority(now)
  writeFileSync(clientCaFile, authority.certificate)
  const issue = (by: KeyPairPem, usage: 'clientAuth' | 'serverAuth', at = now) =>
    issueCertificate(by, ['device-17'], at, usage)
  device = await issue(authority, 'clientAuth')
  others['of another authority'] = await issue(await createAuthority(now), 'clientAuth')
  others['for servers'] = await issue(authority, 'serverAuth')
  others['that has expired'] = await issue(authority, 'clientAuth', now - 91 * DAY_MS)
  const config = { clientCertificates: 'required', clientCaFile } as const
  direct = await startTestServer({ config })
  behind = await startTestServer({ beside: direct, config: { ...config, trustedProxies: ['127.0.0.1'] } })
})
afterAll(async () => {
  await behind.stop()
  await direct.stop()
  rmSync(folder, { recursive: true })
})

type Asked = { readonly shown?: KeyPairPem | undefined; readonly header?: string; readonly path?: string }

const headersOf = ({ header }: Asked): Record<string, string> => (header === undefined ? {} : { 'client-cert': header })
const shownBy = ({ shown }: Asked) => (shown === undefined ? {} : { cert: shown.certificate, key: shown.key })
/** RFC 9440 §2.1. */
const handedOn = ({ certificate }: KeyPairPem) => `:${new X509Certificate(certificate).raw.toString('base64')}:`

const transports = {
  http(server: TestServer, asked: Asked): Promise<number> {
    const agent = new Agent({ ca: server.ca, ...shownBy(asked), maxCachedSessions: 0 })
    const url = new URL(asked.path ?? `${API_BASE}/about`, server.url)
    return new Promise((resolve, reject) => {
      request(url, { agent, headers: headersOf(asked) }, (answer) => {
        answer.resume().once('end', () => agent.destroy())
        resolve(answer.statusCode ?? 0)
      })
        .on('error', reject)
        .end()
    })
  },
  socket(server: TestServer, asked: Asked): Promise<number> {
    const options = { ca: server.ca, ...shownBy(asked), origin: server.url, headers: headersOf(asked) }
    const socket = new WebSocket(server.url.replace('https', 'wss') + SOCKET_PATH, [SUBPROTOCOL], options)
    return new Promise((resolve, reject) => {
      socket.on('error', reject)
      socket.on('unexpected-response', (_request, answer) => resolve(answer.statusCode ?? 0))
      socket.on('message', () => {
        resolve(200)
        socket.terminate()
      })
    })
  },
}

describe.each(Object.entries(transports))('R-08: certificates of clients, over %s', (_transport, ask) => {
  test('one that is shown to us opens', async () => {
    expect(await ask(direct, { shown: device })).toBe(200)
  })

  test('without one there is nothing, and it is in the audit', async () => {
    expect(await ask(direct, {})).toBe(403)
    expect(await auditOf(direct, null, { reason: 'certificate' })).not.toHaveLength(0)
  })

  test.each(['of another authority', 'for servers', 'that has expired'])('one %s is none', async (which) => {
    expect(await ask(direct, { shown: others[which] })).toBe(403)
  })

  test('RFC 9440: one that a proxy of ours hands on opens', async () => {
    expect(await ask(behind, { header: handedOn(device) })).toBe(200)
  })

  test('RFC 9440 §4.1: one that anybody else hands on is none, beside a good one neither', async () => {
    expect(await ask(direct, { header: handedOn(device) })).toBe(403)
  })

  test('the proxy’s own certificate is not the client’s', async () => {
    expect(await ask(behind, { shown: device })).toBe(403)
    expect(await ask(behind, { shown: device, header: ':AAAA:' })).toBe(403)
  })
})

test('whoever watches over the server needs none', async () => {
  for (const path of ['/healthz', '/readyz']) expect(await transports.http(direct, { path })).toBe(200)
})

test('R-64 the authorities change with their file, and what a session ticket remembers of the old ones goes', async () => {
  const next = await createAuthority(now)
  const theirs = await issueCertificate(next, ['device-18'], now, 'clientAuth')
  expect(await transports.http(direct, { shown: theirs })).toBe(403)
  writeFileSync(clientCaFile, next.certificate)
  await direct.running.reloadCertificate()
  expect(await transports.http(direct, { shown: theirs })).toBe(200)
  expect(await transports.http(direct, { shown: device })).toBe(403)
})
