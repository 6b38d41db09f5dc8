import { Refusal } from '../errors.ts'
import type { CommitItem, CommitResult } from '../storage/channel-event.ts'

/** Something to be committed, and what to do when it is. */
export interface CommitRequest {
  readonly item: CommitItem
  /** What it weighs in the queue, in bytes. */
  readonly bytes: number
  /** It is on disk, with its audit event, or refused for good (P2). */
  settled(result: CommitResult): void
  /** It is not known to be on disk. */
  failed(error: unknown): void
}

export interface CommitBounds {
  /** In one transaction. */
  readonly batchItems: number
  readonly batchBytes: number
  /** That wait; one more is refused as `unavailable`. */
  readonly queueItems: number
  readonly queueBytes: number
}

export const COMMIT_BOUNDS: CommitBounds = {
  batchItems: 256,
  batchBytes: 1024 * 1024,
  queueItems: 8_192,
  queueBytes: 16 * 1024 * 1024,
}

/** How long a refused request is told to wait when the queue is full. */
const RETRY_AFTER_MS = 500

/** Commits in one transaction; result i belongs to item i. Rejects when nothing of the batch is known to be on disk. */
export type CommitBatch = (items: readonly CommitItem[]) => Promise<readonly CommitResult[]>

/**
 * Commits for one tenant what arrives while the transaction before is under way, as one: a single fsync serves all of it. There is
 * no timer: what arrives alone goes alone, at the end of the turn of the loop in which it came, and the next batch at the end of the
 * turn in which the one before was through. One transaction is under way at a
 * time, so that what was submitted first is committed first (P7).
 */
export class Committer {
  readonly #commitBatch: CommitBatch
  readonly #bounds: CommitBounds
  readonly #onBatch: (requests: readonly CommitRequest[], results: readonly CommitResult[]) => void
  readonly #onFault: (error: unknown) => void
  #queue: CommitRequest[] = []
  #queueBytes = 0
  #state: 'idle' | 'scheduled' | 'committing' = 'idle'
  #whenIdle: (() => void)[] = []

  /** `onBatch` is called after each batch has been settled, `onFault` with what any of them throws. */
  constructor(
    commitBatch: CommitBatch,
    tell: {
      readonly onBatch: (requests: readonly CommitRequest[], results: readonly CommitResult[]) => void
      readonly onFault: (error: unknown) => void
    },
    bounds: CommitBounds = COMMIT_BOUNDS,
  ) {
    this.#commitBatch = commitBatch
    this.#onBatch = tell.onBatch
    this.#onFault = tell.onFault
    this.#bounds = bounds
  }

  get idle(): boolean {
    return this.#state === 'idle'
  }

  /** @throws Refusal `unavailable` when too much is waiting already. */
  submit(request: CommitRequest): void {
    if (this.#queue.length >= this.#bounds.queueItems || this.#queueBytes + request.bytes > this.#bounds.queueBytes) {
      throw new Refusal('unavailable', 'overloaded', { retryAfterMs: RETRY_AFTER_MS })
    }
    this.#queue.push(request)
    this.#queueBytes += request.bytes
    if (this.#state !== 'idle') return
    this.#state = 'scheduled'
    setImmediate(() => void this.#run())
  }

  /** Resolves when all that was submitted is settled. */
  async drained(): Promise<void> {
    if (this.#state === 'idle') return
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
  }

  async #run(): Promise<void> {
    this.#state = 'committing'
    while (this.#queue.length > 0) {
      await this.#commit(this.#take())
      // What has come in meanwhile and was not read yet goes along, and those who wait for this batch hear of it first.
      if (this.#queue.length > 0) await endOfTurn()
    }
    this.#state = 'idle'
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }

  async #commit(requests: readonly CommitRequest[]): Promise<void> {
    let results: readonly CommitResult[]
    try {
      results = await this.#commitBatch(requests.map((request) => request.item))
    } catch (error) {
      for (const request of requests) this.#guard(() => request.failed(error))
      return
    }
    for (const [place, request] of requests.entries()) {
      const result = results[place]
      if (result === undefined) this.#guard(() => request.failed(new Error('a batch came back short')))
      else this.#guard(() => request.settled(result))
    }
    this.#guard(() => this.#onBatch(requests, results))
  }

  /** One who cannot hear the outcome does not keep it from the others. */
  #guard(tell: () => void): void {
    try {
      tell()
    } catch (error) {
      this.#onFault(error)
    }
  }

  #take(): readonly CommitRequest[] {
    let bytes = 0
    let count = 0
    for (const request of this.#queue) {
      if (count > 0 && (count >= this.#bounds.batchItems || bytes + request.bytes > this.#bounds.batchBytes)) break
      bytes += request.bytes
      count += 1
    }
    this.#queueBytes -= bytes
    if (count === this.#queue.length) {
      const all = this.#queue
      this.#queue = []
      return all
    }
    return this.#queue.splice(0, count)
  }
}

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** A committer for each tenant, made when it is first needed. */
export class Committers {
  readonly #make: (tenant: string) => Committer
  readonly #committers = new Map<string, Committer>()

  constructor(make: (tenant: string) => Committer) {
    this.#make = make
  }

  of(tenant: string): Committer {
    const known = this.#committers.get(tenant)
    if (known !== undefined) return known
    const made = this.#make(tenant)
    this.#committers.set(tenant, made)
    return made
  }

  /** Resolves when nothing is waiting any more: before a node stops. */
  async drained(): Promise<void> {
    await Promise.all([...this.#committers.values()].map((committer) => committer.drained()))
  }
}
