import type { SessionSummary } from '@wardline/protocol'
import { auditId, auditSecretId } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import { badCursor, type Page, type PageRequest, pageWithMore } from '../http/page.ts'
import { sessionSummaryOf, socketsElsewhere } from './list.ts'

/** A session's id, as protocol has it. */
const SESSION_ID = /^[A-Za-z0-9_-]{22,86}$/

/** The tenant's living sessions, the latest sign-in first; those of one person where asked so. */
export async function listAllSessions(
  ctx: Context,
  caller: Caller,
  { limit, cursor, user }: PageRequest & { readonly user?: string | undefined },
): Promise<Page<SessionSummary>> {
  const tenantId = caller.actor.tenant
  const about = user === undefined ? {} : { user: auditId(user) }
  const action = 'session.read'
  const { reason } = await decideFor(ctx, caller, action, { kind: 'tenant', tenant: tenantId }, about)
  if (cursor !== undefined && !SESSION_ID.test(cursor)) throw badCursor()
  const rows = await ctx.database.readTenant(tenantId, (db) =>
    db.session.findMany({
      where: {
        tenantId,
        endedAt: null,
        expiresAt: { gt: new Date(ctx.clock.now()) },
        ...(user === undefined ? {} : { userId: user }),
      },
      orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
      take: limit + 1,
      ...(cursor === undefined ? {} : { cursor: { tenantId_id: { tenantId, id: cursor } }, skip: 1 }),
    }),
  )
  const { items, next } = pageWithMore(rows, limit, ({ id }) => id)
  const count = items.length
  await ctx.database.auditOnly(tenantId, { ...caller.trail, ...about, action, outcome: 'allowed', reason, count })
  const elsewhere = await socketsElsewhere(ctx, tenantId, items)
  return { items: items.map((row) => sessionSummaryOf(ctx, row, caller.authenticated.claims.sid, elsewhere)), next }
}

/** Ends somebody's session, with its sockets on every node. @throws Refusal */
export async function endAnySession(ctx: Context, caller: Caller, id: string): Promise<void> {
  const { tenant } = caller.actor
  const action = 'session.manage'
  const subject = { subject: auditSecretId(id) }
  const where = { tenantId_id: { tenantId: tenant, id } }
  const row = await ctx.database.readTenant(tenant, (db) => db.session.findUnique({ where }))
  if (row === null) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action, subject)
  const about = { ...subject, user: auditId(row.userId) }
  await decideFor(ctx, caller, action, { kind: 'session', tenant, owner: row.userId }, about)
  const fact = { ...caller.trail, ...about, action } as const
  await ctx.sessions.end({ tenant, user: row.userId, session: id, reason: 'revoked', fact })
  await ctx.access.settled(tenant, row.userId)
}
