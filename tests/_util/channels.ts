import { randomUUID } from 'node:crypto'
import { announceMembership } from '../../apps/server/src/channels/members.ts'
import type { TestServer } from './server.ts'

export type TestChannel = { readonly id: string; readonly tenantId: string; readonly patientId: string | null }

function idsOf(server: TestServer, people: readonly string[]): { tenantId: string; users: string[] } {
  const [slug = ''] = (people[0] ?? '').split('/')
  const tenantId = server.tenants.get(slug)
  if (tenantId === undefined) throw new Error(`no tenant ${slug}`)
  const users = people.map((who) => {
    const id = server.users.get(who)
    if (id === undefined) throw new Error(`nobody is called ${who}`)
    return id
  })
  return { tenantId, users }
}

/** A group with these people in it, as `tenant/username`. Whoever is connected learns of it as of any change. */
export async function addGroup(server: TestServer, ...people: string[]): Promise<TestChannel> {
  const { tenantId, users } = idsOf(server, people)
  const { database, keyring, gateway } = server.ctx
  const id = randomUUID()
  const changed = await database.withTenant(tenantId, async (change) => {
    const dataKeyId = await keyring.createDataKey(change, tenantId, 'channel')
    await change.db.channel.create({ data: { tenantId, id, kind: 'group', dataKeyId } })
    await change.db.channelMember.createMany({
      data: users.map((userId) => ({ tenantId, channelId: id, userId, joinedAt: new Date(change.at) })),
    })
    change.audit({ action: 'channel.create-group', outcome: 'allowed' })
    return Promise.all(users.map((user) => bump(change, tenantId, user)))
  })
  await announceMembership(gateway, tenantId, { heads: [], users: changed })
  return { id, tenantId, patientId: null }
}

/** A patient's channel with these people on the care team. */
export async function addPatientChannel(server: TestServer, ...people: string[]): Promise<TestChannel> {
  const { tenantId, users } = idsOf(server, people)
  const { database, keyring, gateway } = server.ctx
  const [id, patientId] = [randomUUID(), randomUUID()]
  const changed = await database.withTenant(tenantId, async (change) => {
    const patientKey = await keyring.createDataKey(change, tenantId, 'patient')
    const dataKeyId = await keyring.createDataKey(change, tenantId, 'channel')
    await change.db.patient.create({
      data: { tenantId, id: patientId, dataKeyId: patientKey, sealedDemographics: new Uint8Array(64) },
    })
    await change.db.channel.create({ data: { tenantId, id, kind: 'patient', patientId, dataKeyId } })
    await change.db.careTeam.createMany({
      data: users.map((userId) => ({
        tenantId,
        id: randomUUID(),
        patientId,
        userId,
        role: 'nurse',
        startsAt: new Date(change.at - 3_600_000),
      })),
    })
    change.audit({ action: 'patient.create', outcome: 'allowed' })
    return Promise.all(users.map((user) => bump(change, tenantId, user)))
  })
  await announceMembership(gateway, tenantId, { heads: [], users: changed })
  return { id, tenantId, patientId }
}

/** Ends somebody's assignments to the patient, as the administration does: version and hint included. */
export async function endCare(server: TestServer, { tenantId, patientId }: TestChannel, who: string): Promise<void> {
  const user = server.users.get(who) ?? ''
  const changed = await server.ctx.database.withTenant(tenantId, async (change) => {
    const where = { tenantId, patientId: patientId ?? '', userId: user, endsAt: null }
    await change.db.careTeam.updateMany({ where, data: { endsAt: new Date(change.at) } })
    change.audit({ action: 'care-team.end', outcome: 'allowed' })
    return bump(change, tenantId, user)
  })
  await announceMembership(server.ctx.gateway, tenantId, { heads: [], users: [changed] })
}

type Change = Parameters<Parameters<TestServer['ctx']['database']['withTenant']>[1]>[0]

async function bump({ db }: Change, tenantId: string, user: string): Promise<{ user: string; version: number }> {
  const { version } = await db.user.update({
    where: { tenantId_id: { tenantId, id: user } },
    data: { version: { increment: 1 } },
  })
  return { user, version }
}
