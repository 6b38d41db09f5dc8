import { tenantSettings } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { auditOf } from '../_util/audit.ts'
import { claimsOf, type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'

const clock = manualClock()
let server: TestServer
let other: TestServer
let admin: Person

beforeAll(async () => {
  server = await startTestServer({ clock, idleSeconds: 600 })
  other = await startTestServer({ beside: server, clock })
  admin = await signedIn(server, 'riverside/admin.reyes')
})
afterAll(async () => {
  await other.stop()
  await server.stop()
})

const change = (body: unknown, person = admin) => person.call('PATCH', '/admin/settings', { body })
const lifeOf = ({ token }: Person) => Number(claimsOf(token)['exp']) - Number(claimsOf(token)['iat'])

describe('R-21 what an organisation decides about its sign-ins', () => {
  test('begins with the defaults of R-21, and its reading is written down', async () => {
    const answer = await admin.call('GET', '/admin/settings')
    expect(tenantSettings.parse(answer.body)).toEqual({
      idleSeconds: 600,
      warningSeconds: 60,
      sessionSeconds: 43_200,
      accessTokenSeconds: 300,
      stepUpSeconds: 900,
      onNetworkChange: 'renew',
      onAgentChange: 'step-up',
      onPasswordChange: 'renew',
      onRoleChange: 'renew',
    })
    expect(await auditOf(server, 'riverside', { action: 'settings.read' })).toMatchObject([{ outcome: 'allowed' }])
  })

  test('is in force at once, on every node, for this organisation alone; each change with its value in the audit', async () => {
    const answer = await change({ accessTokenSeconds: 60, sessionSeconds: 3_600, onRoleChange: 'end' })
    expect(answer.body).toMatchObject({ accessTokenSeconds: 60, sessionSeconds: 3_600, idleSeconds: 600 })
    const lind = await signedIn(other, 'riverside/nurse.lind')
    expect(lifeOf(lind)).toBe(60)
    const [session] = await server.database.query<{ life: number }>(
      'SELECT extract(epoch FROM expires_at - created_at)::int AS life FROM sessions WHERE id = $1',
      [claimsOf(lind.token)['sid']],
    )
    expect(session?.life).toBe(3_600)
    expect(lifeOf(await signedIn(other, 'lakeside/admin.novak'))).toBe(300)
    expect(await auditOf(server, 'riverside', { action: 'settings.manage' })).toMatchObject([
      { outcome: 'allowed', reason: 'setting-session-life', count: 3_600, actor: admin.user.id },
      { outcome: 'allowed', reason: 'setting-token-life', count: 60 },
      { outcome: 'allowed', reason: 'setting-role-change', count: 3 },
    ])
  })

  test('R-20: a stricter age of a step-up holds for who is signed in already', async () => {
    clock.advance(121_000)
    await admin.refresh()
    expect((await change({ stepUpSeconds: 120 })).status).toBe(200)
    expect((await change({ stepUpSeconds: 900 })).body).toMatchObject({ code: 'step-up-required' })
    const fresh = await signedIn(server, 'riverside/admin.reyes')
    expect((await change({ stepUpSeconds: 900 }, fresh)).status).toBe(200)
    expect((await change({ stepUpSeconds: 900 }, fresh)).status, 'what holds already').toBe(200)
  })

  test.each([
    [{ idleSeconds: 59 }, '/idleSeconds'],
    [{ idleSeconds: 3_601 }, '/idleSeconds'],
    [{ accessTokenSeconds: 301 }, '/accessTokenSeconds'],
    [{ sessionSeconds: 43_201 }, '/sessionSeconds'],
    [{ warningSeconds: 300, idleSeconds: 500 }, '/warningSeconds'],
    [{ idleSeconds: 100 }, '/idleSeconds'],
    [{ onNetworkChange: 'shrug' }, '/onNetworkChange'],
    [{ retentionYears: 1 }, ''],
  ])('what is out of bounds is refused and says where: %j', async (body, field) => {
    const fresh = await signedIn(server, 'riverside/admin.reyes')
    const answer = await change(body, fresh)
    expect(answer.status).toBe(400)
    if (field !== '') expect(answer.body).toMatchObject({ code: 'invalid', fields: [field] })
  })

  test('nobody but who may manage settings', async () => {
    const lind = await signedIn(server, 'riverside/nurse.lind')
    const auditor = await signedIn(server, 'riverside/auditor.chen')
    expect((await change({ idleSeconds: 3_600 }, lind)).status).toBe(403)
    expect((await lind.call('GET', '/admin/settings')).status).toBe(403)
    expect((await auditor.call('GET', '/admin/settings')).status).toBe(200)
    expect((await change({ idleSeconds: 3_600 }, auditor)).status).toBe(403)
  })
})
