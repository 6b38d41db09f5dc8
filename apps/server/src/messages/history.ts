import type { ChannelEvent } from '@wardline/protocol'
import { type AuditFact, auditId } from '../audit/event.ts'
import type { KnownChannel } from '../channels/known-channels.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import type { Page } from '../http/page.ts'
import { KeyDestroyed } from '../keys/keyring.ts'
import { readableEvent } from './stored-event.ts'

/**
 * The events of a channel before the sequence `before`, or the last ones, ascending; `next` is the `before` of the page that
 * precedes them. Events are opened by the same function as those of the socket. @throws Refusal
 */
export async function readHistory(
  ctx: Context,
  caller: Caller,
  id: string,
  { before = Number.MAX_SAFE_INTEGER, limit }: { readonly before?: number | undefined; readonly limit: number },
): Promise<Page<ChannelEvent>> {
  const { tenant } = caller.actor
  const about = { channel: auditId(id) }
  const known = await knownChannel(ctx, tenant, id)
  if (known === null) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), 'channel.read', about)
  const { patient } = known.resource
  const whole = patient === null ? about : { ...about, patient: auditId(patient) }
  const { reason } = await decideFor(ctx, caller, 'channel.read', known.resource, whole)

  const found = await ctx.database.readBefore(tenant, id, before, limit + 1)
  const stored = found.slice(0, limit).reverse()
  const first = stored[0]?.seq
  const unreadable: AuditFact[] = []
  const audit = (fact: AuditFact) => unreadable.push({ ...fact, ...caller.trail, ...whole })
  const items = await Promise.all(stored.map((each) => readableEvent(ctx.keyring, tenant, id, each, audit)))
  await Promise.all(unreadable.map((fact) => ctx.database.auditOnly(tenant, fact)))
  await ctx.database.auditOnly(tenant, {
    ...caller.trail,
    ...whole,
    action: 'channel.read',
    outcome: 'allowed',
    reason,
    count: items.length,
    ...(first === undefined ? {} : { seq: first }),
  })
  return { items, next: found.length > limit && first !== undefined ? String(first) : null }
}

/** Null: there is none, or it was shredded and nothing of it can be read. */
async function knownChannel({ gateway }: Context, tenant: string, id: string): Promise<KnownChannel | null> {
  try {
    return await gateway.channels.load(tenant, id)
  } catch (error) {
    if (error instanceof KeyDestroyed) return null
    throw error
  }
}
