import type { AuditMarks, AuditReview, AuditReviews } from '@wardline/protocol'
import { reviewVerdict } from '@wardline/protocol'
import type { Context } from '../../context.ts'
import { Refusal } from '../../errors.ts'
import type { Caller } from '../../http/caller.ts'
import { decideFor, refuse } from '../../http/decide.ts'
import { auditId } from '../event.ts'
import { policyOf } from '../retention/policy.ts'
import { namesOf } from '../view.ts'

/** Reviews that are listed. */
const LISTED = 100
/** Marks of one review that are listed. */
const MAX_MARKS = 1_000
const DAY_MS = 86_400_000

export type ReviewRow = {
  readonly id: string
  readonly fromAt: Date
  readonly untilAt: Date
  readonly openedBy: string
  readonly openedAt: Date
  readonly signedBy: string | null
  readonly signedAt: Date | null
  readonly events: bigint | null
  readonly logSize: bigint | null
  readonly marks: readonly { readonly verdict: string }[]
}

/** The reviews, the latest first, and whether one is due: so many days after the end of the last that was signed off. @throws Refusal */
export async function listReviews(ctx: Context, caller: Caller): Promise<AuditReviews> {
  const { tenant: tenantId } = caller.actor
  const action = 'audit.read'
  const { reason } = await decideFor(ctx, caller, action, { kind: 'audit', tenant: tenantId })
  const { rows, last, reviewDays } = await ctx.database.readTenant(tenantId, async (db) => ({
    rows: await db.auditReview.findMany({
      where: { tenantId },
      orderBy: [{ openedAt: 'desc' }, { id: 'asc' }],
      take: LISTED,
      include: { marks: { select: { verdict: true } } },
    }),
    last: await db.auditReview.findFirst({
      where: { tenantId, signedAt: { not: null } },
      orderBy: { untilAt: 'desc' },
    }),
    ...(await policyOf(db, tenantId)),
  }))
  const from = last?.untilAt.getTime() ?? (await ctx.database.auditBeginning(tenantId))
  const since = from === null ? Number.POSITIVE_INFINITY : from + reviewDays * DAY_MS
  const items = await reviewsOf(ctx, tenantId, rows)
  await ctx.database.auditOnly(tenantId, { ...caller.trail, action, outcome: 'allowed', reason, count: items.length })
  const isDue = from !== null && ctx.clock.now() >= since
  return { items, due: isDue ? { since: new Date(since).toISOString(), from: new Date(from).toISOString() } : null }
}

/** What was marked in a review. @throws Refusal */
export async function listMarks(ctx: Context, caller: Caller, id: string): Promise<AuditMarks> {
  const { tenant: tenantId } = caller.actor
  const action = 'audit.read'
  const about = { review: auditId(id) }
  const { reason } = await decideFor(ctx, caller, action, { kind: 'audit', tenant: tenantId }, about)
  const review = await ctx.database.readTenant(tenantId, (db) =>
    db.auditReview.findUnique({
      where: { tenantId_id: { tenantId, id } },
      include: {
        marks: { orderBy: [{ markedAt: 'asc' }, { writerId: 'asc' }, { writerSeq: 'asc' }], take: MAX_MARKS },
      },
    }),
  )
  if (review === null) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action, about)
  const names = await namesOf(
    ctx,
    tenantId,
    review.marks.map(({ markedBy }) => markedBy),
  )
  const count = review.marks.length
  await ctx.database.auditOnly(tenantId, { ...caller.trail, ...about, action, outcome: 'allowed', reason, count })
  const items = review.marks.map(({ writerId, writerSeq, verdict, markedBy, markedAt }) => ({
    writer: writerId,
    seq: Number(writerSeq),
    verdict: reviewVerdict.parse(verdict),
    by: { id: markedBy, displayName: names.get(markedBy) ?? null },
    at: markedAt.toISOString(),
  }))
  return { items }
}

/** Reviews as they are shown, with names. */
export async function reviewsOf(
  ctx: Pick<Context, 'database'>,
  tenantId: string,
  rows: readonly ReviewRow[],
): Promise<AuditReview[]> {
  const names = await namesOf(
    ctx,
    tenantId,
    rows.flatMap(({ openedBy, signedBy }) => [openedBy, signedBy]),
  )
  const person = (id: string) => ({ id, displayName: names.get(id) ?? null })
  return rows.map(({ id, fromAt, untilAt, openedBy, openedAt, signedBy, signedAt, events, logSize, marks }) => ({
    id,
    from: fromAt.toISOString(),
    until: untilAt.toISOString(),
    openedBy: person(openedBy),
    openedAt: openedAt.toISOString(),
    signedBy: signedBy === null ? null : person(signedBy),
    signedAt: signedAt?.toISOString() ?? null,
    events: events === null ? null : Number(events),
    size: logSize === null ? null : Number(logSize),
    marks: marks.length,
    followUps: marks.filter(({ verdict }) => verdict === 'follow-up').length,
  }))
}
