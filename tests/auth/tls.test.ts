import { once } from 'node:events'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ConnectionOptions, connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { call } from '../_util/https.ts'
import { signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket } from '../_util/socket.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

type Met = { protocol: string | null; cipher: string; certificate: string }

async function meet(options: ConnectionOptions = {}): Promise<Met> {
  const { ca, running } = server
  const socket = connect({ host: '127.0.0.1', port: running.port, servername: 'localhost', ca, ...options })
  try {
    await once(socket, 'secureConnect')
    const { fingerprint256 } = socket.getPeerCertificate()
    return { protocol: socket.getProtocol(), cipher: socket.getCipher().name, certificate: fingerprint256 }
  } finally {
    socket.destroy()
  }
}

const OLD = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
const CBC = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA' } as const

describe('R-01: what the server speaks', () => {
  test('TLS 1.3 and 1.2, by ECDHE with AES-256-GCM; nothing older, no CBC, nobody else’s certificate', async () => {
    expect(await meet()).toMatchObject({ protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' })
    expect(await meet({ maxVersion: 'TLSv1.2' })).toMatchObject({ cipher: 'ECDHE-ECDSA-AES256-GCM-SHA384' })
    await expect(meet(OLD)).rejects.toThrow(/alert/)
    await expect(meet(CBC)).rejects.toThrow(/alert/)
    await expect(meet({ servername: 'ward.example' })).rejects.toThrow(/altnames/)
  })
})

describe('R-64: another certificate without a restart', () => {
  test('new connections get it, as strict as before; those that are open stay', async () => {
    const person = await signedIn(server, 'riverside/nurse.lind')
    const socket = await openSocket(person)
    const before = await meet()
    rmSync(join(server.dataDir, 'tls', 'server.pem'))
    await server.running.reloadCertificate()
    expect((await meet()).certificate).not.toBe(before.certificate)
    await expect(meet(OLD)).rejects.toThrow(/alert/)
    await expect(meet(CBC)).rejects.toThrow(/alert/)
    expect(await socket.ask({ type: 'session.ping' })).toMatchObject({ type: 'done' })
    socket.cut()
  })

  test('one that cannot be used leaves the one before in force', async () => {
    const before = await meet()
    const path = join(server.dataDir, 'tls', 'server.pem')
    chmodSync(path, 0o644)
    await server.running.reloadCertificate()
    expect((await meet()).certificate).toBe(before.certificate)
    expect(server.logged.join('')).toContain('certificate.failed')
    chmodSync(path, 0o600)
    writeFileSync(path, 'nothing of the kind')
    await server.running.reloadCertificate()
    expect((await meet()).certificate, 'a broken one is made anew').not.toBe(before.certificate)
    expect((await call(server, { path: '/healthz' })).status).toBe(200)
  })
})
