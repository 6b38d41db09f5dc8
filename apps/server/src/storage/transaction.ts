import { type AuditFact, auditId, encodeAuditEvent } from '../audit/event.ts'
import type { Clock } from '../clock.ts'
import type { EventItem, EventResult } from './channel-event.ts'
import { isUnavailable, StorageUnavailable, UnauditedChange } from './errors.ts'
import type { Prisma, PrismaClient } from './generated/client.ts'
import type { Lanes } from './lanes.ts'
import type { Writer } from './writer.ts'

/** Prisma within a transaction, walled to one tenant. */
export type TenantDb = Prisma.TransactionClient

/** A change under way: what it writes, and what it says of itself. */
export type Change = {
  readonly db: TenantDb
  readonly tenantId: string
  /** The time of everything in this transaction, epoch milliseconds: for rows and audit events alike. */
  readonly at: number
  /** An event of this change; written with it or not at all. */
  audit(fact: AuditFact): void
  /** Channel events in this same transaction (`member.joined` with its membership), each with its audit event. */
  append(events: readonly EventItem[]): Promise<EventResult[]>
}

export type Transactions = {
  /**
   * Runs a change in one transaction of one tenant. At least one audit event goes with it, else nothing is changed and
   * `UnauditedChange` is thrown (law 3). What `run` throws rolls back and is thrown on. Do not call it from within itself:
   * it would wait for a second lane while it holds the first.
   *
   * @throws StorageUnavailable when the database is away or all lanes are busy for too long; also when the answer to the
   * commit was lost, so that the change may have been made: what must not be made twice needs a unique key
   */
  withTenant<T>(tenantId: string, run: (change: Change) => Promise<T>): Promise<T>
  /** Reads of one tenant, in one read-only transaction. The view's audit event is the caller's to write. @throws StorageUnavailable */
  readTenant<T>(tenantId: string, run: (db: TenantDb) => Promise<T>): Promise<T>
}

export type TransactionLimits = {
  /** The longest a transaction may take; it is rolled back then. */
  readonly transactionMs: number
  /** The longest it waits for a connection. */
  readonly waitMs: number
}

export function transactionsOf(
  prisma: PrismaClient,
  lanes: Lanes<undefined>,
  clock: Clock,
  limits: TransactionLimits,
): Transactions {
  const options = { maxWait: limits.waitMs, timeout: limits.transactionMs }

  return {
    withTenant: (tenantId, run) =>
      lanes.run(tenantId, async ({ writers }) => {
        const writer = writers.of(tenantId)
        let seq = writer.seq
        let committing = false
        try {
          const result = await prisma.$transaction(async (db) => {
            await db.$executeRaw`SELECT set_config('wardline.tenant', ${tenantId}, true)`
            const change = changeOf(db, tenantId, clock.now(), { id: writer.id, seq })
            const made = await run(change)
            seq = await change.writeAudit()
            committing = true
            return made
          }, options)
          writer.seq = seq
          return result
        } catch (error) {
          // Past that point nobody knows whether it was committed: no further event may follow this writer's last.
          if (committing) writers.retire(tenantId)
          throw asUnavailable(error, committing)
        }
      }),

    async readTenant(tenantId, run) {
      try {
        return await prisma.$transaction(async (db) => {
          await db.$executeRaw`SELECT set_config('wardline.tenant', ${tenantId}, true), set_config('transaction_read_only', 'on', true)`
          return run(db)
        }, options)
      } catch (error) {
        throw asUnavailable(error, false)
      }
    },
  }
}

function asUnavailable(error: unknown, committing: boolean): unknown {
  if (error instanceof StorageUnavailable || !(committing || isUnavailable(error))) return error
  return new StorageUnavailable(committing ? 'the answer to the commit was lost' : 'the database is away', {
    cause: error,
  })
}

type AuditedChange = Change & { writeAudit(): Promise<number> }

function changeOf(db: TenantDb, tenantId: string, at: number, writer: Writer): AuditedChange {
  const tenant = auditId(tenantId)
  const events: Uint8Array<ArrayBuffer>[] = []
  const encode = (fact: AuditFact) => new Uint8Array(encodeAuditEvent(tenant, at, fact))
  let seq = writer.seq
  return {
    db,
    tenantId,
    at,
    audit: (fact) => {
      events.push(encode(fact))
    },
    async append(items) {
      const when = new Date(at)
      const given = JSON.stringify(items.map((item) => asJson(item, encode(item.audit))))
      const rows = await db.$queryRaw<AppendRow[]>`
        SELECT * FROM wardline_append(${tenantId}::uuid, ${writer.id}::uuid, ${seq}::bigint, ${when}::timestamptz, ${given}::jsonb)`
      seq += rows.filter(({ verdict }) => verdict === 'accepted').length
      return rows.sort((a, b) => a.ord - b.ord).map(resultOf)
    },
    /** Last, so that a transaction that fails leaves none; returns the writer's last sequence. */
    async writeAudit() {
      if (events.length === 0 && seq === writer.seq) throw new UnauditedChange()
      const data = events.map((event, index) => ({
        tenantId,
        writerId: writer.id,
        writerSeq: seq + 1 + index,
        at: new Date(at),
        event,
      }))
      if (data.length > 0) await db.auditOutbox.createMany({ data })
      return seq + data.length
    },
  }
}

type AppendRow = { ord: number; verdict: EventResult['verdict']; id: string; seq: bigint; at: bigint }

function resultOf({ verdict, id, seq, at }: AppendRow): EventResult {
  return verdict === 'accepted' || verdict === 'repeated'
    ? { verdict, id, seq: Number(seq), at: Number(at) }
    : { verdict }
}

function asJson(item: EventItem, audit: Uint8Array): Record<string, unknown> {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
  return {
    channel: item.channelId,
    id: item.id,
    type: item.type,
    actor: item.actorId,
    client: item.clientId,
    digest: base64(item.digest),
    message: item.messageId,
    attributes: item.attributes,
    body: item.body && base64(item.body),
    audit: base64(audit),
  }
}
