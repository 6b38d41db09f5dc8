import { type Actor, type ChannelResource, channelAbilities } from '@wardline/policy'
import type { ChannelSummary } from '@wardline/protocol'
import type { Context } from '../context.ts'
import { MAX_UNREAD } from '../gateway/inboxes.ts'
import { KeyDestroyed } from '../keys/keyring.ts'
import { patientSummaries } from '../patients/summaries.ts'
import type { Awaiting, InboxChannel } from '../storage/inbox-reads.ts'

/** Messages that ask for an acknowledgement: of each channel, so many of the last are looked at. */
const MAX_AWAITING = 200

/** What policy is asked about a channel of the inbox. */
export function resourceOf(tenant: string, { id, kind, patientId, archived }: InboxChannel): ChannelResource {
  return { kind: 'channel', tenant, id, channelKind: kind, patient: patientId, archived }
}

/**
 * Channels as the inbox shows them, in the order given: a handful of queries, whatever their number. The caller has asked policy
 * for each, and may see their patients by the same right.
 */
export async function channelSummaries(
  ctx: Context,
  actor: Actor,
  channels: readonly InboxChannel[],
): Promise<ChannelSummary[]> {
  const { tenant, user } = actor
  if (channels.length === 0) return []
  const context = { now: ctx.clock.now(), policy: ctx.policy }
  const asked = channels.map((channel) => ({ user, channel: channel.id, since: cameAt(actor, channel, context.now) }))
  const [patients, unread, awaiting, read, others, titles] = await Promise.all([
    patientSummaries(
      ctx,
      tenant,
      channels.flatMap(({ patientId }) => patientId ?? []),
    ),
    ctx.database.readUnread(tenant, asked, MAX_UNREAD),
    ctx.database.readAwaiting(tenant, user, asked, MAX_AWAITING),
    readMarks(ctx, tenant, user, channels),
    otherPeople(ctx, tenant, user, channels),
    Promise.all(channels.map((channel) => titleOf(ctx, tenant, channel))),
  ])
  const counts = new Map(unread.map((each) => [each.channel, each]))
  const waiting = Map.groupBy(awaiting, ({ channel }) => channel)
  return channels.map((channel, index) => ({
    id: channel.id,
    kind: channel.kind,
    title: titles[index] ?? null,
    patient: channel.patientId === null ? null : (patients.get(channel.patientId) ?? null),
    with: others.get(channel.id) ?? [],
    head: channel.head,
    read: read.get(channel.id) ?? 0,
    unread: counts.get(channel.id)?.unread ?? 0,
    urgent: counts.get(channel.id)?.urgent ?? 0,
    awaiting: awaitingOf(waiting.get(channel.id) ?? []),
    lastAt: channel.lastAt === null ? null : new Date(channel.lastAt).toISOString(),
    abilities: channelAbilities(actor, resourceOf(tenant, channel), context),
  }))
}

/** When the person came to the channel, in epoch milliseconds: what had been answered by then does not wait for them. */
function cameAt(actor: Actor, { id, patientId }: InboxChannel, now: number): number {
  if (patientId === null) return actor.memberships.get(id)?.joinedAt ?? now
  const inForce = (actor.careTeam.get(patientId) ?? []).filter(({ startsAt }) => startsAt <= now)
  return Math.min(now, ...inForce.filter(({ endsAt }) => endsAt === null || now < endsAt).map((each) => each.startsAt))
}

function awaitingOf(found: readonly Awaiting[]): ChannelSummary['awaiting'] {
  const of = (priority: Awaiting['priority']) => found.find((each) => each.priority === priority)
  const heaviest = of('stat') ?? of('urgent') ?? of('routine')
  return {
    stat: of('stat')?.messages ?? 0,
    urgent: of('urgent')?.messages ?? 0,
    routine: of('routine')?.messages ?? 0,
    since: heaviest === undefined ? null : new Date(heaviest.oldest).toISOString(),
  }
}

async function readMarks(
  { database }: Context,
  tenantId: string,
  userId: string,
  channels: readonly InboxChannel[],
): Promise<Map<string, number>> {
  const channelId = { in: channels.map(({ id }) => id) }
  const rows = await database.readTenant(tenantId, (db) =>
    db.receipt.findMany({ where: { tenantId, userId, channelId }, select: { channelId: true, read: true } }),
  )
  return new Map(rows.map(({ channelId, read }) => [channelId, Number(read)]))
}

/** Of direct conversations, with whom. */
async function otherPeople(
  { database }: Context,
  tenantId: string,
  userId: string,
  channels: readonly InboxChannel[],
): Promise<Map<string, ChannelSummary['with']>> {
  const direct = channels.filter(({ kind }) => kind === 'direct').map(({ id }) => id)
  if (direct.length === 0) return new Map()
  const rows = await database.readTenant(tenantId, (db) =>
    db.channelMember.findMany({
      where: { tenantId, channelId: { in: direct }, userId: { not: userId } },
      select: { channelId: true, user: { select: { id: true, displayName: true, title: true } } },
    }),
  )
  return new Map(
    rows.map(({ channelId, user: { id, displayName, title } }) => [channelId, [{ user: id, displayName, title }]]),
  )
}

async function titleOf(
  { keyring }: Context,
  tenantId: string,
  { id, sealedTitle }: InboxChannel,
): Promise<string | null> {
  if (sealedTitle === null) return null
  try {
    return await keyring.open(tenantId, { scope: id, row: id, purpose: 'title' }, sealedTitle)
  } catch (error) {
    if (error instanceof KeyDestroyed) return null
    throw error
  }
}
