import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { type Action, withStepUp } from '../../packages/policy/src/index.ts'
import { auditOf } from '../_util/audit.ts'
import { claimsOf, type Person, signedIn } from '../_util/person.ts'
import { PASSWORD, startTestServer, type TestServer } from '../_util/server.ts'

const clock = manualClock(Date.UTC(2026, 5, 1, 8))
let server: TestServer
let nurse: Person
let service: string
let device: string

/** Some public key: the example of RFC 7517 appendix A.1. */
const JWK = {
  kty: 'EC',
  crv: 'P-256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
}
const feed = () => ({ username: randomUUID(), displayName: 'Feed', roles: [], scope: 'directory:read', key: JWK })
const session = () => `/admin/sessions/${String(claimsOf(nurse.token)['sid'])}`
const person = () => `/admin/users/${nurse.user.id}`
const newcomer = () => ({ username: randomUUID(), displayName: 'New', roles: ['nurse'] })

type Row = readonly [action: Action, method: string, path: () => string, body?: () => unknown]

/** What is of high risk, as it is asked for. `audit.export` is the auditor's, all else the administrator's. */
const rows: readonly Row[] = [
  ['key.rotate', 'POST', () => '/admin/keys/rotate'],
  ['role.assign', 'PATCH', person, () => ({ roles: ['nurse', 'unit-clerk'] })],
  ['role.assign', 'POST', () => '/admin/users', newcomer],
  ['integration.manage', 'POST', () => '/admin/services', feed],
  ['integration.manage', 'PATCH', () => `/admin/services/${service}`, () => ({ scope: 'directory:read' })],
  ['integration.manage', 'PUT', () => '/admin/alert-webhook', () => ({ url: 'https://hooks.example.org/wardline' })],
  ['integration.manage', 'POST', () => '/admin/alert-webhook/test'],
  ['integration.manage', 'DELETE', () => '/admin/alert-webhook'],
  ['audit.export', 'GET', () => '/admin/audit/export?format=csv'],
  ['settings.manage', 'PATCH', () => '/admin/settings', () => ({ idleSeconds: 3_600 })],
  ['settings.manage', 'PATCH', () => '/admin/roles/nurse', () => ({ requireSecondFactor: false })],
  ['settings.manage', 'PUT', () => '/admin/alert-settings', () => ({ workingHours: null })],
  ['settings.manage', 'POST', () => '/admin/audit/holds', () => ({ patient: null })],
  ['settings.manage', 'PATCH', () => '/admin/audit/policy', () => ({ reviewDays: 31 })],
  ['session.manage', 'POST', () => `${session()}/renew`, () => ({ demand: 'renew' })],
  ['session.manage', 'DELETE', session],
  ['session.manage', 'DELETE', () => `/admin/devices/${device}`],
  ['session.manage', 'DELETE', () => `${person()}/sessions`],
  ['session.manage', 'POST', () => '/admin/tokens/revoke', () => ({ user: nurse.user.id, jti: 'j'.repeat(32) })],
  ['session.manage', 'DELETE', () => '/admin/sessions'],
  ['factor.reset', 'DELETE', () => `${person()}/factors`],
  ['password.reset', 'POST', () => `${person()}/set-up`, () => ({})],
]

const named = rows.map((row): [string, Row] => [`${row[0]} by ${row[1]} ${String(row[2]).slice(6)}`, row])

/** Of high risk, and not offered by any call or frame yet. */
const notOffered: readonly Action[] = ['role.manage', 'order.write']

beforeAll(async () => {
  server = await startTestServer({ clock })
  nurse = await signedIn(server, 'riverside/nurse.lind')
  const admin = await signedIn(server, 'riverside/admin.reyes')
  service = ((await admin.call('POST', '/admin/services', { body: feed() })).body as { id: string }).id
  device = ((await nurse.call('GET', '/me/devices')).body as { items: { id: string }[] }).items[0]?.id ?? ''
})
afterAll(() => server.stop())

describe('[R-20] [R-35] what is of high risk', () => {
  test('is in this table, all of it', () => {
    const wanted = [...withStepUp(1).stepUp.actions]
    expect([...new Set(rows.map(([action]) => action)), ...notOffered].sort()).toEqual(wanted.sort())
  })

  // Refused first, each of them, before any changes what the next is about.
  test.each(named)('%s: not by an old proof; after a step-up, at once', async (_name, [action, method, path, body]) => {
    const username = action === 'audit.export' ? 'auditor.chen' : 'admin.reyes'
    const who = await signedIn(server, `riverside/${username}`)
    clock.advance(16 * 60_000)
    await who.refresh()
    const ask = () => who.call(method, path(), body === undefined ? {} : { body: body() })
    const refused = await ask()
    expect(refused.body).toMatchObject({ status: 401, code: 'step-up-required', retry: 'after-step-up' })
    expect(refused.headers['www-authenticate']).toBe(
      'DPoP algs="ES256", error="insufficient_user_authentication", max_age="900"',
    )
    const audited = await auditOf(server, 'riverside', {
      reason: 'step-up',
      session: String(claimsOf(who.token)['sid']),
    })
    expect(audited).toMatchObject([{ outcome: 'refused', action }])
    const answer = await who.call('POST', '/auth/step-up', { body: { password: PASSWORD } })
    who.token = (answer.body as { accessToken: string }).accessToken
    const after = await ask()
    // 404: there is no webhook to test.
    expect([200, 201, 204, 404], after.text).toContain(after.status)
  })
})
