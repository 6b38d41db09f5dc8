import { randomUUID } from 'node:crypto'

/**
 * Who writes audit rows: of one tenant, in one lane, one transaction at a time. So its sequence has no gap, and a missing
 * number is a missing row. A transaction that is rolled back does not move it; when nobody knows whether one was committed,
 * the writer is retired and a new one begins at 1.
 */
export type Writer = {
  readonly id: string
  /** The last sequence that is on disk. */
  seq: number
}

/** Beyond this the writer that was used least recently is dropped: dropping one is always right. */
const MAX_WRITERS = 1_000

/** The writers of one lane, by tenant. */
export class Writers {
  readonly #byTenant = new Map<string, Writer>()

  has(tenantId: string): boolean {
    return this.#byTenant.has(tenantId)
  }

  /** The tenant's writer, begun when there is none. */
  of(tenantId: string): Writer {
    const writer = this.#byTenant.get(tenantId) ?? { id: randomUUID(), seq: 0 }
    this.#byTenant.delete(tenantId)
    this.#byTenant.set(tenantId, writer)
    if (this.#byTenant.size > MAX_WRITERS) {
      const [oldest] = this.#byTenant.keys()
      if (oldest !== undefined) this.#byTenant.delete(oldest)
    }
    return writer
  }

  retire(tenantId: string): void {
    this.#byTenant.delete(tenantId)
  }
}
