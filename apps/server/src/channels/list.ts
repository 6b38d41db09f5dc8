import { decide } from '@wardline/policy'
import type { ChannelSummary } from '@wardline/protocol'
import { auditId } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import { badCursor, type Page, type PageRequest, pageWithMore } from '../http/page.ts'
import type { InboxChannel } from '../storage/inbox-reads.ts'
import { channelSummaries, resourceOf } from './summaries.ts'

/** Time of the last activity, and the channel: where the last page ended. */
const PLACE = /^(\d{1,15})\.([0-9a-f-]{36})$/

/** My inbox: every channel that the caller may read now, the one with the latest event first. */
export async function listChannels(
  ctx: Context,
  { actor, snapshot, trail }: Caller,
  { limit, cursor }: PageRequest,
): Promise<Page<ChannelSummary>> {
  const { tenant } = actor
  const context = { now: ctx.clock.now(), policy: ctx.policy }
  const found = await ctx.database.readInbox(tenant, [...snapshot.channels.keys()])
  const after = cursor === undefined ? null : placeOf(cursor)
  const mine = found
    .filter((channel) => decide(actor, 'channel.read', resourceOf(tenant, channel), context).allowed)
    .filter((channel) => after === null || latestFirst(after, channel) < 0)
    .sort(latestFirst)
  const { items, next } = pageWithMore(mine, limit, ({ activeAt, id }) => `${activeAt}.${id}`)
  const summaries = await channelSummaries(ctx, actor, items)
  const count = summaries.length
  await ctx.database.auditOnly(tenant, { ...trail, action: 'channel.read', outcome: 'allowed', count })
  return { items: summaries, next }
}

/** One channel as the inbox shows it. @throws Refusal */
export async function showChannel(ctx: Context, caller: Caller, id: string): Promise<ChannelSummary> {
  const { actor, trail } = caller
  const about = { channel: auditId(id) }
  const [channel] = await ctx.database.readInbox(actor.tenant, [id])
  if (channel === undefined) {
    return refuse(ctx, caller, new Refusal('not-found', 'not-found'), 'channel.read', about)
  }
  const whole = channel.patientId === null ? about : { ...about, patient: auditId(channel.patientId) }
  const { reason } = await decideFor(ctx, caller, 'channel.read', resourceOf(actor.tenant, channel), whole)
  const [summary] = await channelSummaries(ctx, actor, [channel])
  if (summary === undefined) throw new Error('a channel without a summary')
  await ctx.database.auditOnly(actor.tenant, { ...trail, ...whole, action: 'channel.read', outcome: 'allowed', reason })
  return summary
}

type Place = Pick<InboxChannel, 'activeAt' | 'id'>

function latestFirst(a: Place, b: Place): number {
  if (a.activeAt !== b.activeAt) return b.activeAt - a.activeAt
  return a.id < b.id ? -1 : Number(a.id > b.id)
}

function placeOf(cursor: string): Place {
  const [, activeAt, id] = PLACE.exec(cursor) ?? []
  if (activeAt === undefined || id === undefined) throw badCursor()
  return { activeAt: Number(activeAt), id }
}
