import { type AuditFact, auditId, encodeAuditEvent } from '../audit/event.ts'
import type { Clock } from '../clock.ts'
import { byteaArray, int8Array, jsonbArray, textArray, uuidArray } from './binary-parameters.ts'
import type { CommitItem, CommitResult, EventItem, EventResult, ReceiptItem, ReceiptResult } from './channel-event.ts'
import { type Connection, OutcomeUnknown } from './connection.ts'
import { StorageUnavailable } from './errors.ts'
import type { Lane, Lanes } from './lanes.ts'

/**
 * The hot path: what a committer gathered, in one round trip and one transaction, messages, receipts and audit rows
 * together (laws 1 and 3). Everything about order, repeats and sequences is decided by `wardline_commit` in the database.
 */
export type CommitDeps = {
  readonly lanes: Lanes<Connection>
  readonly clock: Clock
  readonly auditOnly: (tenantId: string, fact: AuditFact) => Promise<void>
  /** Told of what the database would not have: the caller learns no more than `rejected`. */
  readonly report: (error: unknown) => void
}

export type CommitBatch = (tenantId: string, items: readonly CommitItem[]) => Promise<CommitResult[]>

const STATEMENT = {
  name: 'wardline_commit',
  text: 'SELECT * FROM wardline_commit($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19)',
  rowMode: 'array' as const,
  // Everything as PostgreSQL writes it: a Date for each row would be thrown away again.
  types: { getTypeParser: () => String },
}

const REJECTED = { verdict: 'rejected' } as const

type Row = [ord: string, verdict: string, id: string | null, seq: string | null, read: string | null, at: string | null]

/**
 * Makes `commitBatch`. Result i belongs to item i. A batch of one tenant is atomic unless an item of it is impossible; then
 * each is tried alone, in order, so that one bad row fails alone.
 *
 * Every item leaves its audit event: with the change, or, where there is none (a repeat, a conflict, an unknown channel),
 * by itself before this answers.
 *
 * Throws `StorageUnavailable` alone: nothing is acknowledged, though it may have been committed; the same items again (same
 * client ids) get the same answers.
 */
export function commitBatches(deps: CommitDeps): CommitBatch {
  const { lanes, auditOnly, report } = deps

  async function commitBatch(tenantId: string, items: readonly CommitItem[]): Promise<CommitResult[]> {
    const batch = distinct(items)
    const results = await lanes.run(tenantId, (lane) => commitOrSplit(deps, lane, tenantId, batch))
    const later = batch.later.length === 0 ? [] : await commitBatch(tenantId, batch.later)
    return Promise.all(
      items.map(async (item) => {
        const contradiction = item.kind === 'event' ? batch.later.indexOf(item) : -1
        if (contradiction !== -1) return later[contradiction] ?? REJECTED
        const result = resultOf(item, batch, results) ?? REJECTED
        const fact = item.kind === 'event' ? factOfNoChange(item, result) : undefined
        if (fact === undefined) return result
        try {
          await auditOnly(tenantId, fact)
          return result
        } catch (error) {
          report(error)
          return REJECTED
        }
      }),
    )
  }
  return commitBatch
}

/** The items without those that say again what an earlier one of the same batch says; each still gets its result. */
type Batch = {
  readonly events: EventItem[]
  readonly receipts: ReceiptItem[]
  /** Which of `events` or `receipts` stands for an item, by its key. */
  readonly eventOf: Map<string, number>
  readonly receiptOf: Map<string, number>
  /** Those that contradict an earlier one under the same client id: they are judged when that one is on disk. */
  readonly later: EventItem[]
}
type Results = { events: EventResult[]; receipts: ReceiptResult[] }

const eventKey = (item: EventItem) => item.actorId + item.clientId
const receiptKey = (item: ReceiptItem) => item.channelId + item.userId

function distinct(items: readonly CommitItem[]): Batch {
  const batch: Batch = { events: [], receipts: [], eventOf: new Map(), receiptOf: new Map(), later: [] }
  for (const item of items) {
    if (item.kind === 'event') {
      const key = eventKey(item)
      const first = batch.events[batch.eventOf.get(key) ?? -1]
      if (first === undefined) batch.eventOf.set(key, batch.events.push(item) - 1)
      else if (!asksTheSame(first, item)) batch.later.push(item)
    } else {
      const key = receiptKey(item)
      const index = batch.receiptOf.get(key)
      const known = index === undefined ? undefined : batch.receipts[index]
      if (index === undefined || known === undefined) batch.receiptOf.set(key, batch.receipts.push(item) - 1)
      else batch.receipts[index] = furthest(known, item)
    }
  }
  return batch
}

function furthest(a: ReceiptItem, b: ReceiptItem): ReceiptItem {
  const further = b.read > a.read ? b : a
  return { ...further, delivered: Math.max(a.delivered, b.delivered) }
}

function asksTheSame(a: EventItem, b: EventItem): boolean {
  return a.channelId === b.channelId && Buffer.compare(a.digest, b.digest) === 0
}

function resultOf(item: CommitItem, batch: Batch, results: Results): CommitResult | undefined {
  if (item.kind === 'receipt') return results.receipts[batch.receiptOf.get(receiptKey(item)) ?? -1]
  const index = batch.eventOf.get(eventKey(item)) ?? -1
  const result = results.events[index]
  const first = batch.events[index] === item
  return result?.verdict === 'accepted' && !first ? { ...result, verdict: 'repeated' } : result
}

async function commitOrSplit(
  { clock, report }: CommitDeps,
  lane: Lane<Connection>,
  tenantId: string,
  batch: Batch,
): Promise<Results> {
  const commit = (events: readonly EventItem[], receipts: readonly ReceiptItem[]) =>
    commitOnce(lane, tenantId, events, receipts, clock)
  try {
    return await commit(batch.events, batch.receipts)
  } catch (error) {
    // Committed or not: a second time tells, because what was is found again under its client id.
    if (error instanceof OutcomeUnknown) return commit(batch.events, batch.receipts)
    if (error instanceof StorageUnavailable) throw error
  }
  const alone = async (events: readonly EventItem[], receipts: readonly ReceiptItem[]) => {
    try {
      return await commit(events, receipts)
    } catch (error) {
      if (error instanceof StorageUnavailable) throw error
      report(error)
      return undefined
    }
  }
  const results: Results = { events: [], receipts: [] }
  for (const item of batch.events) {
    results.events.push((await alone([item], []))?.events[0] ?? REJECTED)
  }
  for (const item of batch.receipts) {
    results.receipts.push((await alone([], [item]))?.receipts[0] ?? REJECTED)
  }
  return results
}

async function commitOnce(
  lane: Lane<Connection>,
  tenantId: string,
  events: readonly EventItem[],
  receipts: readonly ReceiptItem[],
  clock: Clock,
): Promise<Results> {
  const writer = lane.writers.of(tenantId)
  const tenant = auditId(tenantId)
  const at = clock.now()
  const audit = (item: CommitItem) => encodeAuditEvent(tenant, at, item.audit)
  const values = [
    tenantId,
    writer.id,
    writer.seq,
    new Date(at).toISOString(),
    uuidArray(events.map((item) => item.channelId)),
    uuidArray(events.map((item) => item.id)),
    textArray(events.map((item) => item.type)),
    uuidArray(events.map((item) => item.actorId)),
    uuidArray(events.map((item) => item.clientId)),
    byteaArray(events.map((item) => item.digest)),
    uuidArray(events.map((item) => item.messageId)),
    jsonbArray(events.map((item) => JSON.stringify(item.attributes))),
    byteaArray(events.map((item) => item.body)),
    byteaArray(events.map(audit)),
    uuidArray(receipts.map((item) => item.channelId)),
    uuidArray(receipts.map((item) => item.userId)),
    int8Array(receipts.map((item) => item.delivered)),
    int8Array(receipts.map((item) => item.read)),
    byteaArray(receipts.map(audit)),
  ]
  try {
    const rows = await lane.own.query<Row>({ ...STATEMENT, values })
    writer.seq += rows.filter(([, verdict]) => verdict === 'accepted' || verdict === 'read').length
    return readRows(rows, events, receipts, at)
  } catch (error) {
    if (error instanceof OutcomeUnknown) lane.writers.retire(tenantId)
    throw error
  }
}

function readRows(
  rows: readonly Row[],
  events: readonly EventItem[],
  receipts: readonly ReceiptItem[],
  at: number,
): Results {
  const results: Results = {
    events: new Array<EventResult>(events.length),
    receipts: new Array<ReceiptResult>(receipts.length),
  }
  for (const [ord, verdict, id, seq, read, storedAt] of rows) {
    const place = Number(ord)
    const item = events[place]
    if (item === undefined) {
      results.receipts[place - events.length] = { verdict, delivered: Number(seq), read: Number(read) } as ReceiptResult
    } else if (verdict === 'accepted') {
      results.events[place] = { verdict, id: item.id, seq: Number(seq), at }
    } else if (verdict === 'repeated') {
      // Its own id: this very item, committed before its answer was lost.
      const own = id === item.id ? 'accepted' : 'repeated'
      results.events[place] = { verdict: own, id: String(id), seq: Number(seq), at: Number(storedAt) }
    } else {
      results.events[place] = { verdict } as EventResult
    }
  }
  return results
}

/** The event of an item that changed nothing, and so left none in the transaction. */
function factOfNoChange(item: EventItem, result: CommitResult): AuditFact | undefined {
  switch (result.verdict) {
    case 'repeated':
      return { ...item.audit, outcome: 'repeated', reason: 'repeated', message: auditId(result.id), seq: result.seq }
    case 'conflict':
      return { ...item.audit, outcome: 'refused', reason: 'conflict' }
    case 'no-channel':
    case 'no-message':
      return { ...item.audit, outcome: 'refused', reason: 'not-found' }
    case 'rejected':
      return { ...item.audit, outcome: 'failed', reason: 'internal' }
    default:
      return undefined
  }
}
