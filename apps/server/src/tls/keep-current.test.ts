import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type Server } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { manualClock } from '../clock.ts'
import { type Config, loadConfig } from '../config.ts'
import { createLogger } from '../log.ts'
import { certificateOptions, loadCertificate } from './certificates.ts'
import { type CurrentCertificate, keepCertificateCurrent } from './keep-current.ts'
import { createAuthority, issueCertificate, type KeyPairPem } from './local-authority.ts'
import { TLS_OPTIONS } from './options.ts'

const folder = mkdtempSync(join(tmpdir(), 'wardline-tls-'))
const certFile = join(folder, 'current', 'tls.crt')
const keyFile = join(folder, 'current', 'tls.key')
const clock = manualClock(Date.now())
const logged: string[] = []
let authority: KeyPairPem
let server: Server
let current: CurrentCertificate

async function issue(): Promise<KeyPairPem> {
  return issueCertificate(authority, ['localhost'], clock.now())
}

function put(into: string, { certificate, key }: KeyPairPem): void {
  mkdirSync(join(folder, into), { recursive: true })
  writeFileSync(join(folder, into, 'tls.crt'), certificate)
  writeFileSync(join(folder, into, 'tls.key'), key, { mode: 0o600 })
}

/** As a folder of mounted secrets changes: the link is turned to another folder in one moment. */
function turnTo(into: string): void {
  symlinkSync(into, join(folder, 'next'))
  renameSync(join(folder, 'next'), join(folder, 'current'))
}

type Met = { certificate: string | undefined; cipher: string; group: string; resumed: boolean; session: Buffer }

async function meet(options: { session?: Buffer; maxVersion?: 'TLSv1.2'; ecdhCurve?: string } = {}): Promise<Met> {
  const { port } = server.address() as AddressInfo
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: authority.certificate, ...options })
  try {
    await once(socket, 'secureConnect')
    const key = socket.getEphemeralKeyInfo()
    return {
      certificate: socket.getPeerX509Certificate()?.fingerprint256,
      cipher: socket.getCipher().name,
      group: key !== null && 'name' in key ? (key.name ?? '') : '',
      resumed: socket.isSessionReused(),
      session: socket.getSession() ?? Buffer.alloc(0),
    }
  } finally {
    socket.destroy()
  }
}

async function shown(): Promise<string | undefined> {
  return (await meet()).certificate
}

const fingerprintOf = (pair: KeyPairPem) => new X509Certificate(pair.certificate).fingerprint256

beforeAll(async () => {
  authority = await createAuthority(clock.now())
  put('first', await issue())
  turnTo('first')
  const config: Config = loadConfig({
    WARDLINE_DATA: folder,
    WARDLINE_TLS_CERT_FILE: certFile,
    WARDLINE_TLS_KEY_FILE: keyFile,
  })
  const first = await loadCertificate(config, clock.now())
  server = createServer({ ...TLS_OPTIONS, ...certificateOptions(first) }, (socket) => socket.end()).listen(0)
  await once(server, 'listening')
  const log = createLogger('info', { write: (line: string) => void logged.push(line) })
  current = keepCertificateCurrent([server], { config, clock, log })
})
afterAll(() => {
  current.stop()
  server.close()
  rmSync(folder, { recursive: true })
})

/** The files are looked at once more, and what comes of it is in force. */
async function look(): Promise<void> {
  clock.advance(5_000)
  await expect.poll(() => shown()).toBeDefined()
}

describe('R-64: a certificate whose files change', () => {
  test('is served from then on, without anybody asking', async () => {
    const next = await issue()
    put('second', next)
    turnTo('second')
    clock.advance(5_000)
    await expect.poll(() => shown()).toBe(fingerprintOf(next))
    expect((await meet({ maxVersion: 'TLSv1.2' })).cipher).toBe('ECDHE-ECDSA-AES256-GCM-SHA384')
  })

  test('is waited for until both of its files are there', async () => {
    const before = await shown()
    const next = await issue()
    writeFileSync(certFile, next.certificate)
    clock.advance(5_000)
    await expect.poll(() => logged.join('')).toContain('certificate.failed')
    expect(await shown()).toBe(before)
    writeFileSync(keyFile, next.key, { mode: 0o600 })
    clock.advance(5_000)
    await expect.poll(() => shown()).toBe(fingerprintOf(next))
  })

  test('and one that is not, is not read again', async () => {
    await look()
    const lines = logged.length
    await look()
    expect(logged).toHaveLength(lines)
  })
})

test('R-01: a session ticket opens nothing once its key is gone', async () => {
  const { session } = await meet({ maxVersion: 'TLSv1.2' })
  const resumed = async () => (await meet({ session, maxVersion: 'TLSv1.2' })).resumed
  expect(await resumed()).toBe(true)
  clock.advance(8 * 3_600_000)
  expect(await resumed()).toBe(false)
})

test('R-01: keys are exchanged over curves alone', async () => {
  expect((await meet({ maxVersion: 'TLSv1.2' })).group).toBe('X25519')
  for (const ecdhCurve of ['X25519MLKEM768', 'P-256', 'P-384']) await meet({ ecdhCurve })
  for (const ecdhCurve of ['ffdhe2048', 'ffdhe3072', 'P-521']) {
    await expect(meet({ ecdhCurve }), ecdhCurve).rejects.toThrow(/alert/)
  }
})
