import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect, createServer, type Server } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Config, loadConfig } from '../config.ts'
import { certificateOptions, loadCertificate } from './certificates.ts'
import { TLS_OPTIONS } from './options.ts'

const NOW = Date.now()
const DAY_MS = 86_400_000
const folders: string[] = []

function newConfig(env: Record<string, string> = {}): Config {
  const folder = mkdtempSync(join(tmpdir(), 'wardline-tls-'))
  folders.push(folder)
  return loadConfig({ WARDLINE_DATA: folder, ...env })
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

describe('loadCertificate', () => {
  test('makes an authority and a certificate for this machine and the public URL, once', async () => {
    const config = newConfig({ WARDLINE_PUBLIC_URL: 'https://ward.example:9443' })
    const first = await loadCertificate(config, NOW)
    const certificate = new X509Certificate(first.certificate)
    const authority = new X509Certificate(readFileSync(first.authorityFile ?? ''))
    expect(certificate.verify(authority.publicKey)).toBe(true)
    expect(certificate.checkIssued(authority)).toBe(true)
    expect([authority.ca, certificate.ca]).toEqual([true, false])
    for (const host of ['localhost', 'ward.example']) expect(certificate.checkHost(host)).toBe(host)
    for (const address of ['127.0.0.1', '::1']) expect(certificate.checkIP(address)).toBeDefined()
    expect(certificate.checkHost('other.example')).toBeUndefined()
    expect(await loadCertificate(config, NOW)).toEqual(first)
  })

  test('private keys are for their owner alone, and one that is not stops the start', async () => {
    const config = newConfig()
    await loadCertificate(config, NOW)
    for (const name of ['authority.pem', 'server.pem']) {
      expect(statSync(join(config.dataDir, 'tls', name)).mode & 0o777).toBe(0o600)
    }
    chmodSync(join(config.dataDir, 'tls', 'server.pem'), 0o640)
    await expect(loadCertificate(config, NOW)).rejects.toThrow(/server\.pem holds a private key .* chmod 600/)
  })

  test('is made anew before it expires, and for another public URL, by the same authority', async () => {
    const config = newConfig()
    const first = await loadCertificate(config, NOW)
    expect((await loadCertificate(config, NOW + 59 * DAY_MS)).certificate).toBe(first.certificate)
    const renewed = await loadCertificate(config, NOW + 61 * DAY_MS)
    expect(renewed.expiresAt).toBeGreaterThan(first.expiresAt)
    const moved = await loadCertificate({ ...config, publicUrl: 'https://10.1.2.3' }, NOW)
    expect(new X509Certificate(moved.certificate).checkIP('10.1.2.3')).toBe('10.1.2.3')
    const authority = new X509Certificate(readFileSync(first.authorityFile ?? ''))
    for (const each of [renewed, moved]) expect(new X509Certificate(each.certificate).checkIssued(authority)).toBe(true)
  })

  test('two processes that start together share one authority', async () => {
    const config = newConfig()
    await Promise.all([loadCertificate(config, NOW), loadCertificate(config, NOW)])
    const { certificate, authorityFile } = await loadCertificate(config, NOW)
    expect(new X509Certificate(certificate).checkIssued(new X509Certificate(readFileSync(authorityFile ?? '')))).toBe(
      true,
    )
  })

  test("the operator's own files are used, and say what is wrong with them", async () => {
    const config = newConfig()
    const { certificate, key } = await loadCertificate(config, NOW)
    const certFile = join(config.dataDir, 'own.crt')
    const keyFile = join(config.dataDir, 'own.key')
    const own = { ...config, tls: { certFile, keyFile } }
    await expect(loadCertificate(own, NOW)).rejects.toThrow('WARDLINE_TLS_CERT_FILE cannot be read')
    writeFileSync(certFile, certificate)
    await expect(loadCertificate(own, NOW)).rejects.toThrow('WARDLINE_TLS_KEY_FILE is not there')
    writeFileSync(keyFile, key, { mode: 0o600 })
    expect(await loadCertificate(own, NOW)).toMatchObject({ key, authorityFile: null })
    const other = await loadCertificate(newConfig(), NOW)
    writeFileSync(keyFile, other.key, { mode: 0o600 })
    await expect(loadCertificate(own, NOW)).rejects.toThrow('name the two that belong together')
    writeFileSync(certFile, 'nothing of the kind')
    await expect(loadCertificate(own, NOW)).rejects.toThrow('holds no PEM certificate')
  })
})

describe('what was spoiled in the folder', () => {
  const SPOILED = ['PRIVATE KEY', 'CERTIFICATE']
    .map((of) => `-----BEGIN ${of}-----\nAAAA\n-----END ${of}-----\n`)
    .join('')

  test.each(['', 'garbage', SPOILED])('a certificate that is %j is made anew', async (text) => {
    const config = newConfig()
    const first = await loadCertificate(config, NOW)
    writeFileSync(join(config.dataDir, 'tls', 'server.pem'), text)
    const second = await loadCertificate(config, NOW)
    const authority = new X509Certificate(readFileSync(first.authorityFile ?? ''))
    expect(new X509Certificate(second.certificate).checkIssued(authority)).toBe(true)
  })

  test.each(['', 'garbage', SPOILED])('an authority that is %j is not: people trust it', async (text) => {
    const config = newConfig()
    await loadCertificate(config, NOW)
    writeFileSync(join(config.dataDir, 'tls', 'authority.pem'), text)
    await expect(loadCertificate(config, NOW)).rejects.toThrow(
      /authority\.pem is not a key and a certificate: remove it/,
    )
  })

  test('what people are to trust is written again where it was lost', async () => {
    const config = newConfig()
    const { authorityFile } = await loadCertificate(config, NOW)
    const before = readFileSync(authorityFile ?? '')
    rmSync(authorityFile ?? '')
    await loadCertificate(config, NOW)
    expect(readFileSync(authorityFile ?? '')).toEqual(before)
  })
})

describe('R-01: what TLS is spoken', () => {
  let server: Server
  let base: ConnectionOptions

  beforeAll(async () => {
    const certificate = await loadCertificate(newConfig(), NOW)
    server = createServer({ ...TLS_OPTIONS, ...certificateOptions(certificate) }).listen(0, '127.0.0.1')
    server.on('tlsClientError', () => undefined)
    await once(server, 'listening')
    const ca = readFileSync(certificate.authorityFile ?? '')
    base = { host: '127.0.0.1', port: (server.address() as AddressInfo).port, ca }
  })
  afterAll(() => void server.close())

  async function negotiate(options: ConnectionOptions): Promise<string> {
    const socket = connect({ ...base, ...options })
    try {
      await once(socket, 'secureConnect')
      return `${socket.getProtocol()} ${socket.getCipher().name}`
    } finally {
      socket.destroy()
    }
  }

  test('TLS 1.3 and 1.2, AES-256-GCM first whatever the client prefers', async () => {
    expect(await negotiate({})).toBe('TLSv1.3 TLS_AES_256_GCM_SHA384')
    const chacha = 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384'
    expect(await negotiate({ ciphers: chacha })).toBe('TLSv1.3 TLS_AES_256_GCM_SHA384')
    expect(await negotiate({ maxVersion: 'TLSv1.2' })).toBe('TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384')
  })

  test.each([
    ['TLS 1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }],
    ['TLS 1.0', { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }],
    ['CBC', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA' }],
    ['key exchange by RSA', { maxVersion: 'TLSv1.2', ciphers: 'AES256-GCM-SHA384:AES128-GCM-SHA256' }],
  ] satisfies [string, ConnectionOptions][])('no %s', async (_name, options) => {
    await expect(negotiate(options)).rejects.toThrow(/alert/)
  })
})
