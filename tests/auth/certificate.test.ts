import { hash, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createWardline } from '@wardline/client/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { createAuthority, issueCertificate } from '../../apps/server/src/tls/local-authority.ts'
import { auditOf } from '../_util/audit.ts'
import { claimsOf, Person } from '../_util/person.ts'
import { PASSWORD, startTestServer, type TestServer } from '../_util/server.ts'
import { TestSocket } from '../_util/socket.ts'

const MINUTE = 60_000
// Certificates are judged by the server's clock, behind a proxy.
const clock = manualClock(Date.now())
/** Two nodes behind a proxy that asks for certificates: whoever calls is the proxy. On the second a certificate stands for a step-up. */
let server: TestServer
let lenient: TestServer
let own: Record<string, string>
let others: Record<string, string>
let thumbprint: string

beforeAll(async () => {
  const authority = await createAuthority(clock.now())
  const issued = async (name: string) => {
    const { certificate } = await issueCertificate(authority, [name], clock.now(), 'clientAuth')
    return new X509Certificate(certificate).raw
  }
  const [first, second] = [await issued('ward-7-cart-2'), await issued('ward-7-cart-3')]
  const handedOn = (der: Buffer) => ({ 'client-cert': `:${der.toString('base64')}:` })
  own = handedOn(first)
  others = handedOn(second)
  thumbprint = hash('sha256', first, 'base64url')
  const config = { clientCertificates: 'required', trustedProxies: ['127.0.0.1'] } as const
  server = await startTestServer({ clock, config })
  lenient = await startTestServer({ clock, beside: server, config: { ...config, stepUpByCertificate: true } })
})
afterAll(async () => {
  await lenient.stop()
  await server.stop()
})

async function signedIn(username: string): Promise<Person> {
  const person = new Person(server)
  expect((await person.signIn('riverside', username, { headers: own })).status).toBe(200)
  return person
}

const call = (who: Person, shown: Record<string, string>, method = 'GET', path = '/me', more: object = {}) =>
  who.call(method, path, { headers: { authorization: `DPoP ${who.token}`, ...shown }, ...more })

/** How a socket that is opened with that certificate ends, or that it is open. */
async function socketOf(who: Person, shown: Record<string, string>): Promise<string> {
  const socket = new TestSocket(server, { headers: shown })
  const { nonce } = await socket.frame('session.challenge')
  socket.send({ type: 'session.authenticate', token: who.token, proof: who.socketProof(nonce) })
  const how = await Promise.race([
    socket.frame('session.authenticated').then(
      () => 'open',
      () => 'closed',
    ),
    socket.closing().then(({ reason }) => reason),
  ])
  socket.cut()
  return how
}

describe('R-16: a session of a managed device', () => {
  test('is bound to its certificate as well as to its key, and says so in its tokens (RFC 8705 §3.1)', async () => {
    const nurse = await signedIn('nurse.lind')
    expect(claimsOf(nurse.token)['cnf']).toEqual({ jkt: nurse.key.jkt, 'x5t#S256': thumbprint })
    expect((await call(nurse, own)).status).toBe(200)
    expect(await socketOf(nurse, own)).toBe('open')
  })

  test('its token opens nothing with another certificate, over HTTP and on the socket; audited as carried off', async () => {
    const nurse = await signedIn('physician.okafor')
    expect((await call(nurse, others)).status).toBe(401)
    expect(await socketOf(nurse, others)).not.toBe('open')
    const found = () => auditOf(server, 'riverside', { reason: 'device-mismatch', actor: nurse.user.id })
    await expect
      .poll(async () => (await found()).map(({ action }) => action).sort())
      .toEqual(['auth.request', 'socket.authenticate'])
    expect((await call(nurse, own)).status, 'where it belongs it goes on').toBe(200)
  })

  test('nor does its cookie; the session lives', async () => {
    const nurse = await signedIn('pharmacist.vega')
    expect((await nurse.refresh({ headers: others })).status).toBe(401)
    expect((await nurse.refresh({ headers: own })).status).toBe(200)
    expect(claimsOf(nurse.token)['cnf']).toMatchObject({ 'x5t#S256': thumbprint })
  })

  test('stays bound after a step-up and an unlocking', async () => {
    const nurse = await signedIn('nurse.lind')
    const body = { password: PASSWORD }
    for (const path of ['/auth/step-up', '/auth/unlock']) {
      const answer = await call(nurse, own, 'POST', path, { body })
      const { accessToken } = answer.body as { accessToken: string }
      expect(claimsOf(accessToken)['cnf'], path).toEqual({ jkt: nurse.key.jkt, 'x5t#S256': thumbprint })
    }
  })

  test('one that began before certificates were asked for is bound to none', async () => {
    const nurse = await signedIn('nurse.lind')
    const { sid } = claimsOf(nurse.token)
    await server.database.query('UPDATE sessions SET certificate = NULL WHERE id = $1', [sid])
    expect((await nurse.refresh({ headers: others })).status).toBe(200)
    expect(claimsOf(nurse.token)['cnf']).toEqual({ jkt: nurse.key.jkt })
    expect((await call(nurse, own)).status).toBe(200)
  })
})

test('the SDK shows a program’s certificate, over HTTP and on the socket', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wardline-program-'))
  const clientCaFile = join(folder, 'clients.crt')
  const authority = await createAuthority(Date.now())
  writeFileSync(clientCaFile, authority.certificate)
  const { certificate: cert, key } = await issueCertificate(authority, ['lab-feed'], Date.now(), 'clientAuth')
  const direct = await startTestServer({ config: { clientCertificates: 'required', clientCaFile } })
  const sdk = createWardline({ url: direct.url, ca: direct.ca.toString(), certificate: { cert, key } })
  try {
    const live = new Promise<void>((resolve) => sdk.connection.on('live', () => resolve()))
    await sdk.signIn({ tenant: 'riverside', username: 'nurse.lind', password: PASSWORD })
    await live
    const token = await sdk.session.accessToken()
    const shown = hash('sha256', new X509Certificate(cert).raw, 'base64url')
    expect(claimsOf(token)['cnf']).toMatchObject({ 'x5t#S256': shown })
  } finally {
    sdk.close()
    await direct.stop()
    rmSync(folder, { recursive: true })
  }
})

test('[R-35] stands for a step-up where the operator says so, bound to its certificate alone', async () => {
  const admin = await signedIn('admin.reyes')
  const { sid } = claimsOf(admin.token)
  clock.advance(16 * MINUTE)
  const assign = (at: TestServer) => {
    const path = `/admin/users/${server.users.get('riverside/clerk.moss')}`
    return call(admin, own, 'PATCH', path, { body: { roles: ['unit-clerk', 'nurse'] }, at })
  }
  await admin.refresh({ headers: own })
  expect((await assign(server)).body).toMatchObject({ code: 'step-up-required' })
  expect((await assign(lenient)).status).toBe(200)
  await server.database.query('UPDATE sessions SET certificate = NULL WHERE id = $1', [sid])
  await admin.refresh({ headers: own })
  expect((await assign(lenient)).body).toMatchObject({ code: 'step-up-required' })
})
