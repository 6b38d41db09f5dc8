import { randomUUID } from 'node:crypto'
import { DEFAULT_LIMITS } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentBus } from '../../apps/server/src/bus/bus.ts'
import { auditOf } from '../_util/audit.ts'
import { addGroup, addPatientChannel, endCare } from '../_util/channels.ts'
import { signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket, type TestSocket } from '../_util/socket.ts'

/** Two nodes that never hear of each other: what is here holds by the poll alone. */
let node: TestServer
let other: TestServer
beforeAll(async () => {
  const limits = {
    ...DEFAULT_LIMITS,
    requestsPerSecond: 100_000,
    requestBurst: 100_000,
    userRequestsPerSecond: 100_000,
    userRequestBurst: 100_000,
  }
  node = await startTestServer({ bus: () => silentBus, config: { limits } })
  other = await startTestServer({ beside: node, bus: () => silentBus })
})
afterAll(async () => {
  await other.stop()
  await node.stop()
})

/** The stated poll, and what a shared machine may add to it. */
const POLL_AND_NOISE_MS = 3_000

async function post(socket: TestSocket, channel: string, body: string): Promise<number> {
  const answer = await socket.ask({ type: 'message.post', channel, clientId: randomUUID(), body })
  if (answer.type !== 'message.accepted') throw new Error(`not accepted: ${JSON.stringify(answer)}`)
  return answer.seq
}

describe('R-19 with every hint lost', () => {
  test('signing out ends the sockets of that sign-in on another node, and none of another sign-in', async () => {
    const desk = await signedIn(node, 'riverside/nurse.lind')
    const phone = await signedIn(node, 'riverside/nurse.lind')
    const [own, there, spared] = [await openSocket(desk), await openSocket(desk, other), await openSocket(phone, other)]
    const started = Date.now()
    expect((await desk.call('POST', '/auth/logout', { headers: { 'x-csrf-token': desk.csrf } })).status).toBe(204)
    expect(await own.closing()).toEqual({ code: 4403, reason: 'revoked' })
    expect(await there.closing()).toEqual({ code: 4403, reason: 'revoked' })
    expect(Date.now() - started).toBeLessThan(POLL_AND_NOISE_MS)
    expect((await spared.ask({ type: 'session.ping' })).type).toBe('done')
    const closes = await auditOf(node, 'riverside', { action: 'socket.close', reason: 'revoked' })
    expect(closes).toHaveLength(2)
    spared.cut()
  })

  test('a disabled user is out at once, and back on no socket', async () => {
    const person = await signedIn(node, 'riverside/pharmacist.vega')
    const socket = await openSocket(person, other)
    const tenantId = node.tenants.get('riverside') ?? ''
    const id = person.user.id
    await node.ctx.database.withTenant(tenantId, async (change) => {
      const data = { disabledAt: new Date(change.at), version: { increment: 1 } }
      await change.db.user.update({ where: { tenantId_id: { tenantId, id } }, data })
      change.audit({ action: 'user.disable', outcome: 'allowed' })
    })
    expect(await socket.closing()).toEqual({ code: 4403, reason: 'revoked' })
    await expect(openSocket(person, other)).rejects.toThrow('4401')
    await node.ctx.database.withTenant(tenantId, async (change) => {
      const data = { disabledAt: null, version: { increment: 1 } }
      await change.db.user.update({ where: { tenantId_id: { tenantId, id } }, data })
      change.audit({ action: 'user.enable', outcome: 'allowed' })
    })
  })
})

describe('[P5] R-33 an assignment that ends', () => {
  test('under load, on another node, no message comes after the notice, and none that is sent later', async () => {
    const nurse = await signedIn(node, 'riverside/nurse.lind')
    const physician = await signedIn(node, 'riverside/physician.okafor')
    const channel = await addPatientChannel(node, 'riverside/nurse.lind', 'riverside/physician.okafor')
    const still = await addGroup(node, 'riverside/nurse.lind', 'riverside/physician.okafor')
    const writer = await openSocket(physician)
    const readers = [await openSocket(nurse), await openSocket(nurse, other)]
    for (const reader of readers) {
      await reader.ask({ type: 'channel.subscribe', channel: channel.id, after: 0 })
      await reader.frame('channel.live')
    }
    let writing = true
    let last = 0
    const load = (async () => {
      while (writing) last = await post(writer, channel.id, 'under load')
    })()
    await Promise.all(readers.map((reader) => reader.until(() => reader.events(channel.id).length > 20)))
    await endCare(node, channel, 'riverside/nurse.lind')
    const ended = last
    for (const reader of readers) {
      const notice = await reader.frame('channel.closed')
      expect(notice).toEqual({ type: 'channel.closed', channel: channel.id, reason: 'forbidden' })
    }
    await writer.until(() => last > ended + 50)
    writing = false
    await load
    for (const reader of readers) {
      const at = reader.received.findIndex((frame) => frame.type === 'channel.closed')
      const after = reader.received.slice(at + 1).filter((frame) => 'channel' in frame && frame.channel === channel.id)
      expect(after).toEqual([])
      // The socket lives, and what is still allowed still works.
      expect(await reader.ask({ type: 'channel.subscribe', channel: still.id })).toMatchObject({
        type: 'channel.subscribed',
      })
      for (const frame of [
        { type: 'channel.subscribe', channel: channel.id },
        { type: 'message.post', channel: channel.id, clientId: randomUUID(), body: 'x' },
      ] as const) {
        expect(await reader.ask(frame)).toMatchObject({ type: 'error', code: 'not-found' })
      }
      reader.cut()
    }
    const denied = await auditOf(node, 'riverside', { action: 'message.post', outcome: 'refused', channel: channel.id })
    expect(denied.map(({ reason }) => reason)).toEqual(['assignment-ended', 'assignment-ended'])
    writer.cut()
  })

  test('one that ends at a stated time ends the subscription then, without anybody saying so', async () => {
    const nurse = await signedIn(node, 'riverside/nurse.lind')
    const channel = await addPatientChannel(node, 'riverside/nurse.lind')
    const tenantId = node.tenants.get('riverside') ?? ''
    await node.ctx.database.withTenant(tenantId, async (change) => {
      const where = { tenantId, patientId: channel.patientId ?? '' }
      await change.db.careTeam.updateMany({ where, data: { endsAt: new Date(change.at + 1_500) } })
      await change.db.user.update({
        where: { tenantId_id: { tenantId, id: nurse.user.id } },
        data: { version: { increment: 1 } },
      })
      change.audit({ action: 'care-team.end', outcome: 'allowed' })
    })
    node.ctx.access.changed(tenantId, nurse.user.id)
    const socket = await openSocket(nurse)
    const subscribed = await socket.ask({ type: 'channel.subscribe', channel: channel.id, after: 0 })
    expect(subscribed).toMatchObject({ members: [{ user: nurse.user.id, until: expect.any(String) }] })
    await socket.frame('channel.live')
    expect(await socket.frame('channel.closed')).toMatchObject({ reason: 'forbidden' })
    socket.cut()
  })
})

test('R-33 a role that is taken away ends what it allowed, and asks for a new token', async () => {
  const nurse = await signedIn(node, 'riverside/nurse.lind')
  const channel = await addGroup(node, 'riverside/nurse.lind')
  const socket = await openSocket(nurse, other)
  await socket.ask({ type: 'channel.subscribe', channel: channel.id, after: 0 })
  const tenantId = node.tenants.get('riverside') ?? ''
  const roles = await node.database.query<{ role_id: string }>('SELECT role_id FROM user_roles WHERE user_id = $1', [
    nurse.user.id,
  ])
  await node.ctx.database.withTenant(tenantId, async (change) => {
    await change.db.userRole.deleteMany({ where: { tenantId, userId: nurse.user.id } })
    await change.db.user.update({
      where: { tenantId_id: { tenantId, id: nurse.user.id } },
      data: { version: { increment: 1 } },
    })
    change.audit({ action: 'role.revoke', outcome: 'allowed' })
  })
  expect(await socket.frame('channel.closed')).toMatchObject({ channel: channel.id, reason: 'forbidden' })
  expect(await socket.frame('session.renew-required')).toMatchObject({ reason: 'role-change' })
  await node.ctx.database.withTenant(tenantId, async (change) => {
    await change.db.userRole.createMany({
      data: roles.map(({ role_id: roleId }) => ({ tenantId, userId: nurse.user.id, roleId })),
    })
    change.audit({ action: 'role.assign', outcome: 'allowed' })
  })
  socket.cut()
})
