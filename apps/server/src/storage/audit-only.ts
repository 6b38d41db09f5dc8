import { type AuditFact, auditId, encodeAuditEvent } from '../audit/event.ts'
import type { Clock } from '../clock.ts'
import { byteaArray, timestamptzArray } from './binary-parameters.ts'
import { type Connection, OutcomeUnknown } from './connection.ts'
import { NIL_UUID, StorageUnavailable } from './errors.ts'
import type { Lanes } from './lanes.ts'

export type AuditBacklog = {
  /** Events that wait to be written, of all tenants together; none may have more of them than places are left. */
  readonly waiting: number
  /** Events in one statement. */
  readonly batch: number
}

type Waiting = {
  readonly at: number
  readonly event: Uint8Array
  readonly done: () => void
  readonly fail: (e: Error) => void
}

/** How it goes for who reports: for monitoring, and for `/readyz`. */
export type AuditQueue = {
  /** See {@link auditQueue}. */
  auditOnly(tenantId: string | null, fact: AuditFact): Promise<void>
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>
}

/**
 * Audit events that come with no change: connections, refusals, views. While one statement is under way, the next ones
 * gather and share the next statement, as posts do; so a flood of refusals costs few transactions, and a lone event does
 * not wait. `auditOnly` resolves when the event is on disk; a null tenant is the nil UUID: nobody is known yet.
 *
 * It throws `StorageUnavailable` when the backlog has no place for the tenant or the database is away: then what it reports must be
 * refused too (law 3). A flood leaves as many places as it takes: one takes half of them, two a third each, and others go on.
 */
export function auditQueue(lanes: Lanes<Connection>, clock: Clock, backlog: AuditBacklog): AuditQueue {
  const byTenant = new Map<string, Waiting[]>()
  /** Of each tenant, those that are being written included. */
  const held = new Map<string, number>()
  let waiting = 0
  let flushing: Promise<void> | undefined

  async function flush(): Promise<void> {
    // One tenant after the other, each in its turn, so that a flood in one does not starve the others.
    for (let next = byTenant.entries().next(); !next.done; next = byTenant.entries().next()) {
      const [tenantId, all] = next.value
      byTenant.delete(tenantId)
      const batch = all.slice(0, backlog.batch)
      if (all.length > batch.length) byTenant.set(tenantId, all.slice(batch.length))
      await write(tenantId, batch)
      letGo(tenantId, batch.length)
    }
    flushing = undefined
  }

  function letGo(tenantId: string, count: number): void {
    waiting -= count
    const left = (held.get(tenantId) ?? 0) - count
    if (left > 0) held.set(tenantId, left)
    else held.delete(tenantId)
  }

  async function write(tenantId: string, batch: readonly Waiting[]): Promise<void> {
    try {
      await lanes.run(tenantId, async ({ writers, own }) => {
        const writer = writers.of(tenantId)
        const times = timestamptzArray(batch.map(({ at }) => at))
        const events = byteaArray(batch.map(({ event }) => event))
        try {
          await own.query({
            name: 'wardline_audit',
            text: 'SELECT wardline_audit($1,$2,$3,$4,$5)',
            values: [tenantId, writer.id, writer.seq, times, events],
          })
          writer.seq += batch.length
        } catch (error) {
          // Not tried again under a new writer: it may be there already, and an event twice is a false count.
          if (error instanceof OutcomeUnknown) writers.retire(tenantId)
          throw error
        }
      })
      for (const { done } of batch) done()
    } catch (error) {
      const unavailable =
        error instanceof StorageUnavailable
          ? error
          : new StorageUnavailable('an audit event was not written', { cause: error })
      for (const { fail } of batch) fail(unavailable)
    }
  }

  return {
    auditOnly(tenantId, fact) {
      const key = tenantId ?? NIL_UUID
      const theirs = held.get(key) ?? 0
      if (theirs >= backlog.waiting - waiting)
        return Promise.reject(new StorageUnavailable('too many audit events wait'))
      return new Promise((done, fail) => {
        const tenant = auditId(key)
        const at = clock.now()
        const one = { at, event: encodeAuditEvent(tenant, at, fact), done, fail }
        const queue = byTenant.get(tenant)
        if (queue === undefined) byTenant.set(tenant, [one])
        else queue.push(one)
        waiting += 1
        held.set(tenant, theirs + 1)
        // After this turn of the loop, so that what belongs together goes together.
        flushing ??= Promise.resolve().then(flush)
      })
    },
    idle: () => flushing ?? Promise.resolve(),
  }
}
