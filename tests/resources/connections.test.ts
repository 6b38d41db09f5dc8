import { type Connection, connection, page, sessionSummary } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditOf } from '../_util/audit.ts'
import { claimsOf, type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket } from '../_util/socket.ts'

let server: TestServer
let other: TestServer
let admin: Person
beforeAll(async () => {
  server = await startTestServer()
  other = await startTestServer({ beside: server })
  admin = await signedIn(server, 'riverside/admin.reyes')
})
afterAll(async () => {
  await other.stop()
  await server.stop()
})

async function list(query = '', who = admin): Promise<{ items: Connection[]; next: string | null }> {
  const answer = await who.call('GET', `/admin/connections${query}`)
  expect(answer.status).toBe(200)
  return page(connection).parse(answer.body)
}

describe('/admin/connections', () => {
  it('lists the open sockets of all nodes, the latest first, and a session says how many it has', async () => {
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    const stranger = await openSocket(await signedIn(server, 'lakeside/physician.haddad'))
    const here = await openSocket(nurse)
    const there = await openSocket(nurse, other)
    await other.ctx.gateway.register.flush()
    const { connectionId: latest } = await there.frame('session.challenge')
    const { connectionId: first } = await here.frame('session.challenge')
    const { items } = await list()
    expect(items.map(({ id }) => id)).toEqual([latest, first])
    expect(items[1]).toMatchObject({ user: nurse.user.id, device: nurse.key.jkt, address: '127.0.0.1' })
    expect(new Set(items.map(({ node }) => node)).size).toBe(2)
    const sid = String(claimsOf(nurse.token)['sid'])
    expect((await list(`?session=${sid}`)).items).toEqual(items)
    expect((await list(`?user=${admin.user.id}`)).items).toEqual([])
    const paged = await list('?limit=1')
    expect([...paged.items, ...(await list(`?limit=1&cursor=${paged.next}`)).items]).toEqual(items)
    const sessions = page(sessionSummary).parse((await admin.call('GET', `/admin/sessions?user=${nurse.user.id}`)).body)
    expect(sessions.items.find(({ id }) => id === sid)?.sockets).toBe(2)
    const [event] = await auditOf(server, 'riverside', { action: 'connection.read', outcome: 'allowed' })
    expect(event).toMatchObject({ actor: admin.user.id, count: 2 })

    here.cut()
    await here.closing()
    await expect.poll(async () => (await list()).items.map(({ id }) => id)).toEqual([latest])
    stranger.cut()
  })

  it('shows those of a node that has gone silent no more, and those of one that stops at once', async () => {
    const node = await startTestServer({ beside: server })
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    const socket = await openSocket(nurse, node)
    await node.ctx.gateway.register.flush()
    const shown = async () => (await list(`?user=${nurse.user.id}`)).items.map((each) => each.node)
    const name = node.ctx.gateway.register.node
    expect(await shown()).toContain(name)
    const silent = `UPDATE socket_nodes SET seen_at = seen_at - interval '46 seconds' WHERE node = $1`
    await server.database.query(silent, [name])
    expect(await shown()).not.toContain(name)
    // It was forgotten as well, and says again what it has.
    const again = await openSocket(nurse, node)
    await node.ctx.gateway.register.flush()
    await node.ctx.gateway.register.flush()
    expect((await shown()).filter((each) => each === name)).toHaveLength(2)
    await node.stop()
    expect(await shown()).not.toContain(name)
    for (const each of [socket, again]) each.cut()
  })

  it('is for administrators and auditors', async () => {
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    expect((await nurse.call('GET', '/admin/connections')).status).toBe(403)
    expect((await list('', await signedIn(server, 'riverside/auditor.chen'))).items).toEqual(expect.any(Array))
    expect((await list('', await signedIn(server, 'lakeside/admin.novak'))).items).toEqual([])
  })
})
