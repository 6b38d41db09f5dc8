import { page, type SessionSummary, sessionSummary } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditOf } from '../_util/audit.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket } from '../_util/socket.ts'

let server: TestServer
let admin: Person
beforeAll(async () => {
  server = await startTestServer()
  admin = await signedIn(server, 'riverside/admin.reyes')
})
afterAll(() => server.stop())

async function list(query = ''): Promise<{ items: SessionSummary[]; next: string | null }> {
  const answer = await admin.call('GET', `/admin/sessions${query}`)
  expect(answer.status).toBe(200)
  return page(sessionSummary).parse(answer.body)
}

describe('/admin/sessions', () => {
  it('who is signed in and on how many sockets, the latest first, each once', async () => {
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    await signedIn(server, 'riverside/nurse.lind')
    await signedIn(server, 'lakeside/physician.haddad')
    const socket = await openSocket(nurse)
    const { items } = await list()
    expect(items).toHaveLength(3)
    expect(items.map(({ createdAt }) => createdAt)).toEqual(
      items
        .map(({ createdAt }) => createdAt)
        .sort()
        .reverse(),
    )
    expect(items.filter(({ current }) => current).map(({ user }) => user)).toEqual([admin.user.id])
    const ofNurse = await list(`?user=${nurse.user.id}`)
    expect(ofNurse.items.map(({ sockets }) => sockets).sort((a, b) => a - b)).toEqual([0, 1])
    const first = await list('?limit=2')
    const second = await list(`?limit=2&cursor=${first.next}`)
    expect(second.next).toBeNull()
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(items.map(({ id }) => id))
    socket.cut()
  })

  it('R-19: one that is ended is over: its socket closes, its token and its cookie are worth nothing', async () => {
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    const other = await signedIn(server, 'riverside/nurse.lind')
    const socket = await openSocket(nurse)
    const stays = await openSocket(other)
    const [session] = (await list()).items
      .filter(({ sockets, user }) => sockets === 1 && user === nurse.user.id)
      .slice(-1)
    expect((await admin.call('DELETE', `/admin/sessions/${session?.id}`)).status).toBe(204)
    expect(await socket.closing()).toMatchObject({ code: 4403 })
    expect((await nurse.call('GET', '/me')).status).toBe(401)
    expect((await nurse.refresh()).status).toBe(401)
    expect((await other.call('GET', '/me')).status).toBe(200)
    expect(stays.closed).toBeNull()
    expect((await list()).items.map(({ id }) => id)).not.toContain(session?.id)
    expect(await auditOf(server, 'riverside', { action: 'session.manage', subject: session?.id })).toMatchObject([
      { outcome: 'allowed', actor: admin.user.id, user: nurse.user.id },
    ])
    stays.cut()
  })

  it('auditors look and end nothing; clinicians do not even look', async () => {
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    const auditor = await signedIn(server, 'riverside/auditor.chen')
    expect((await auditor.call('GET', '/admin/sessions')).status).toBe(200)
    const [session] = (await list(`?user=${nurse.user.id}`)).items
    expect((await auditor.call('DELETE', `/admin/sessions/${session?.id}`)).status).toBe(403)
    expect((await nurse.call('GET', '/admin/sessions')).status).toBe(403)
    expect((await nurse.call('GET', '/me')).status).toBe(200)
  })

  it.each(['?user=x', '?cursor=x', '?cursor=%27', '?limit=0', '?tenant=riverside'])('refuses %s', async (query) => {
    expect((await admin.call('GET', `/admin/sessions${query}`)).status).toBe(400)
  })
})
