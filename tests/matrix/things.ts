import { randomBytes, randomUUID } from 'node:crypto'
import { bySystem } from '../../apps/server/src/audit/by.ts'
import { sealWith } from '../../apps/server/src/keys/envelope.ts'
import { BODY_PURPOSE } from '../../apps/server/src/messages/stored-event.ts'
import type { EventItem } from '../../apps/server/src/storage/channel-event.ts'
import type { Change } from '../../apps/server/src/storage/transaction.ts'
import type { Standing, Subject } from '../../packages/policy/src/matrix/index.ts'
import { addPatient } from '../_util/patients.ts'
import type { TestServer } from '../_util/server.ts'

export type Somebody = { readonly id: string; readonly role: string; readonly standing: Standing }

/** Ids by subject: those that are the same for everybody, and those that each person has of their own. */
export type Things = {
  readonly shared: ReadonlyMap<Subject, string>
  readonly own: ReadonlyMap<string, ReadonlyMap<Subject, string>>
}

type Assignment = { id: string; userId: string; role: string; patientId: string; startsAt: Date; endsAt: Date | null }
type Member = { channelId: string; userId: string; joinedAt: Date }

const HOUR = 3_600_000

/**
 * The matrix's subjects as rows, and everybody's relations to them. The archived channel is that of a second patient, for whom everybody
 * stands as for the first. An assignment of one's own is one of a third patient that begins tomorrow: who has it is a stranger still.
 */
export async function addThings(server: TestServer, people: readonly Somebody[], colleague: string): Promise<Things> {
  const tenantId = server.tenants.get('riverside') ?? ''
  const patient = await addPatient(server, 'riverside', { family: 'Ash', given: 'Ida', mrn: 'M 1' })
  const retired = await addPatient(server, 'riverside', { family: 'Birch', given: 'Otto', mrn: 'M 2' })
  const other = await addPatient(server, 'riverside', { family: 'Cedar', given: 'Una', mrn: 'M 3' })
  const { database } = server.ctx
  const shared = new Map<Subject, string>([
    ['patient', patient.id],
    ['patient-channel', patient.channel],
    ['archived-channel', retired.channel],
  ])
  const own = new Map(people.map(({ id }) => [id, new Map<Subject, string>()]))

  await database.withTenant(tenantId, async (tx) => {
    const groups = await addChannels(server, tx)
    for (const [subject, id] of groups) shared.set(subject, id)
    const assignments: Assignment[] = []
    const members: Member[] = []
    const assign = (userId: string, role: string, patientId: string, from: number, to: number | null): string => {
      const id = randomUUID()
      const [startsAt, endsAt] = [new Date(tx.at + from), to === null ? null : new Date(tx.at + to)]
      assignments.push({ id, userId, role, patientId, startsAt, endsAt })
      return id
    }
    const join = (userId: string, channels: Iterable<string>, from: number) => {
      for (const channelId of channels) members.push({ channelId, userId, joinedAt: new Date(tx.at + from) })
    }
    for (const { id, role, standing } of people) {
      const care = (from: number, to: number | null) => {
        for (const each of [patient, retired]) assign(id, role, each.id, from, to)
      }
      if (['on-team', 'disabled'].includes(standing)) care(-HOUR, HOUR)
      if (standing === 'open-ended') care(-HOUR, null)
      if (standing === 'not-begun') care(HOUR, 2 * HOUR)
      if (standing === 'ended') care(-HOUR, 0)
      if (standing === 'other-patient') assign(id, role, other.id, -HOUR, 0.5 * HOUR)
      if (standing === 'named-only') join(id, [patient.channel], -HOUR)
      if (['member', 'disabled'].includes(standing)) join(id, groups.values(), -HOUR)
      if (standing === 'member-later') join(id, groups.values(), HOUR)
      own.get(id)?.set('own-assignment', assign(id, role, other.id, 24 * HOUR, null))
    }
    shared.set('others-assignment', assign(colleague, 'physician', other.id, 24 * HOUR, null))
    await tx.db.careTeam.createMany({ data: assignments.map((each) => ({ ...each, tenantId })) })
    await tx.db.channelMember.createMany({ data: members.map((each) => ({ ...each, tenantId })) })
    tx.audit({ ...bySystem, action: 'patient.create', outcome: 'allowed' })
  })

  const posts: EventItem[] = []
  const post = async (channel: Subject, sender: string): Promise<string> => {
    const item = await postOf(server, tenantId, shared.get(channel) ?? '', sender)
    posts.push(item)
    return item.id
  }
  for (const { id } of people) {
    own.get(id)?.set('own-message', await post('patient-channel', id))
    own.get(id)?.set('own-archived-message', await post('archived-channel', id))
  }
  shared.set('others-message', await post('patient-channel', colleague))
  shared.set('others-archived-message', await post('archived-channel', colleague))
  shared.set('others-group-message', await post('group', colleague))
  await database.withTenant(tenantId, (tx) => tx.append(posts))
  await database.withTenant(tenantId, async (tx) => {
    const ids = [shared.get('archived-channel') ?? '', shared.get('archived-group') ?? '']
    await tx.db.channel.updateMany({ where: { tenantId, id: { in: ids } }, data: { archivedAt: new Date(tx.at) } })
    tx.audit({ ...bySystem, action: 'channel.archive', outcome: 'allowed' })
  })
  for (const id of shared.values()) server.ctx.gateway.channels.forget(tenantId, id)
  return { shared, own }
}

async function addChannels(server: TestServer, tx: Change): Promise<Map<Subject, string>> {
  const { tenantId, db } = tx
  const wanted = [
    ['group', 'group'],
    ['archived-group', 'group'],
    ['direct', 'direct'],
    ['broadcast', 'broadcast'],
  ] as const
  const made = new Map<Subject, string>()
  for (const [subject, kind] of wanted) {
    const id = randomUUID()
    const dataKeyId = await server.ctx.keyring.createDataKey(tx, tenantId, 'channel')
    await db.channel.create({ data: { tenantId, id, kind, dataKeyId, pair: kind === 'direct' ? id : null } })
    made.set(subject, id)
  }
  return made
}

async function postOf(server: TestServer, tenant: string, channelId: string, sender: string): Promise<EventItem> {
  const known = await server.ctx.gateway.channels.load(tenant, channelId)
  if (known === null) throw new Error('no such channel')
  const id = randomUUID()
  const place = { tenant, scope: channelId, row: id, purpose: BODY_PURPOSE }
  return {
    kind: 'event',
    channelId,
    id,
    type: 'message.posted',
    actorId: sender,
    clientId: randomUUID(),
    digest: randomBytes(32),
    messageId: null,
    attributes: {},
    body: sealWith(known.key, place, Buffer.from('BP 92/60')),
    audit: { ...bySystem, action: 'message.post', outcome: 'allowed' },
  }
}
