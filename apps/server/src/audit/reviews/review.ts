import { randomUUID } from 'node:crypto'
import type { AuditReview, markAuditEvent, openAuditReview } from '@wardline/protocol'
import type { z } from 'zod'
import type { Context } from '../../context.ts'
import { Refusal } from '../../errors.ts'
import type { Caller } from '../../http/caller.ts'
import { decideFor, refuse } from '../../http/decide.ts'
import type { Change } from '../../storage/transaction.ts'
import { type AuditFact, auditId, auditTime } from '../event.ts'
import { type ReviewRow, reviewsOf } from './list.ts'

/** Marks of one review, at most: beyond that it is a list to export. */
const MAX_MARKS = 1_000
const HOUR_MS = 3_600_000

/** Begins a review of a period that is over. That it began is in the audit, as is each mark and the signature. @throws Refusal */
export async function openReview(
  ctx: Context,
  caller: Caller,
  { from, until }: z.infer<typeof openAuditReview>,
): Promise<AuditReview> {
  const { tenant: tenantId, user: openedBy } = caller.actor
  const action = 'audit.review-open'
  const { reason } = await decideFor(ctx, caller, 'audit.review', { kind: 'audit', tenant: tenantId })
  const isPeriod = from < until && Date.parse(until) <= ctx.clock.now()
  if (!isPeriod) return refuse(ctx, caller, new Refusal('invalid', 'schema', { fields: ['/until'] }), action)
  const row = await ctx.database.withTenant(tenantId, async (tx) => {
    const id = randomUUID()
    const period = { fromAt: new Date(from), untilAt: new Date(until) }
    tx.audit({
      ...caller.trail,
      action,
      outcome: 'allowed',
      reason,
      review: auditId(id),
      until: auditTime(Date.parse(until)),
    })
    return tx.db.auditReview.create({
      data: { tenantId, id, ...period, openedBy, openedAt: new Date(tx.at) },
      include: { marks: { select: { verdict: true } } },
    })
  })
  return shown(ctx, tenantId, row)
}

/** Says of one event what one thinks of it; the last word counts. Nothing more once it is signed off. @throws Refusal */
export async function markEvent(
  ctx: Context,
  caller: Caller,
  id: string,
  { writer, seq, verdict }: z.infer<typeof markAuditEvent>,
): Promise<void> {
  const { tenant: tenantId, user: markedBy } = caller.actor
  const about = { review: auditId(id) }
  const action = 'audit.review-mark'
  await decideFor(ctx, caller, 'audit.review', { kind: 'audit', tenant: tenantId }, about)
  const [place] = await ctx.database.auditPlaces(tenantId, [{ at: 0, writerId: writer, writerSeq: seq }])
  if (place === undefined || place === null) {
    return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action, about)
  }
  await ctx.database.withTenant(tenantId, async (tx) => {
    const review = await openOne(ctx, caller, tx, id, action)
    if (review.marks.length >= MAX_MARKS) return refuse(ctx, caller, new Refusal('rate-limited', 'rate'), action, about)
    const key = { tenantId, reviewId: id, writerId: writer, writerSeq: BigInt(seq) }
    const said = { verdict, markedBy, markedAt: new Date(tx.at) }
    await tx.db.auditReviewMark.upsert({
      where: { tenantId_reviewId_writerId_writerSeq: key },
      create: { ...key, ...said },
      update: said,
    })
    tx.audit({ ...caller.trail, ...about, action, outcome: 'allowed', reason: verdict, seq: place })
  })
}

/**
 * Signs a review off: how many events there were, and how many entries the log had, go into the row and into the log itself. Once.
 * @throws Refusal `unavailable` where nothing is signed by the log yet
 */
export async function signReview(ctx: Context, caller: Caller, id: string): Promise<AuditReview> {
  const { tenant: tenantId, user: signedBy } = caller.actor
  const about = { review: auditId(id) }
  const action = 'audit.review-sign'
  const { reason } = await decideFor(ctx, caller, 'audit.review', { kind: 'audit', tenant: tenantId }, about)
  const head = await ctx.database.auditHead()
  if (head === null) throw new Refusal('unavailable', 'unavailable', { retryAfterMs: 1_000 })
  const row = await ctx.database.withTenant(tenantId, async (tx) => {
    const review = await openOne(ctx, caller, tx, id, action)
    const period = { from: review.fromAt.getTime(), until: review.untilAt.getTime() }
    const counts = await ctx.database.countAudit(tenantId, {}, wholeHours(period), HOUR_MS)
    const count = counts.reduce((sum, each) => sum + each.count, 0)
    const facts: AuditFact = { ...caller.trail, ...about, action, outcome: 'allowed', reason, count, seq: head.size }
    tx.audit({ ...facts, until: auditTime(period.until) })
    return tx.db.auditReview.update({
      where: { tenantId_id: { tenantId, id } },
      data: { signedBy, signedAt: new Date(tx.at), events: BigInt(count), logSize: BigInt(head.size) },
      include: { marks: { select: { verdict: true } } },
    })
  })
  return shown(ctx, tenantId, row)
}

/** Events are counted by the hour: those that the period touches. */
function wholeHours({ from, until }: { readonly from: number; readonly until: number }) {
  return { from: Math.floor(from / HOUR_MS) * HOUR_MS, until }
}

/** The review, which is nobody else's to change meanwhile, and not signed off yet. */
async function openOne(
  ctx: Context,
  caller: Caller,
  { db, tenantId }: Change,
  id: string,
  action: AuditFact['action'],
): Promise<ReviewRow> {
  const about = { review: auditId(id) }
  await db.$queryRaw`SELECT 1 FROM audit_reviews WHERE tenant_id = ${tenantId}::uuid AND id = ${id}::uuid FOR UPDATE`
  const include = { marks: { select: { verdict: true } } } as const
  const review = await db.auditReview.findUnique({ where: { tenantId_id: { tenantId, id } }, include })
  if (review === null) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action, about)
  if (review.signedAt !== null) return refuse(ctx, caller, new Refusal('conflict', 'conflict'), action, about)
  return review
}

async function shown(ctx: Context, tenantId: string, row: ReviewRow): Promise<AuditReview> {
  const [review] = await reviewsOf(ctx, tenantId, [row])
  return review as AuditReview
}
