import { parseLeaf } from '@wardline/transparency-log'
import { isDue } from '../clock.ts'
import type { AlertReader, AlertRun } from '../storage/alert-reader.ts'
import type { Found } from './evaluate.ts'

/** What the log's own state shows is looked at this often. */
const LOOK_MS = 5_000
/** The sequencer gives a sign of life every minute. */
const HEARTBEAT_MS = 60_000
/** It stood still and goes on: when it has done so for this long, the next standstill is another. */
const QUIET_MS = 10 * 60_000
/** An alert that goes on is written down again after this. */
const AGAIN_MS = 60_000

/** Numbers that a writer has left out: rows that were taken from the database before the log had them. @param at when, where unknown */
export function gapsIn(runs: readonly AlertRun[], at: number): Found[] {
  return runs
    .filter((run) => run.own === null && run.firstSeq > run.due)
    .map((run) => ({
      kind: 'audit-gap',
      key: `audit-gap:${run.writerId}:${run.due}`,
      subject: { key: run.writerId },
      count: run.firstSeq - run.due,
      firstAt: at,
      lastAt: at,
      lastIndex: run.firstIndex,
      events: [run.firstIndex],
    }))
}

/** Whether the log goes on: events have a place soon, and where there are none, the sequencer gives signs of life. */
export class LogWatch {
  readonly #staleMs: number
  #lookedAt = Number.NEGATIVE_INFINITY
  #heartbeatAt: number
  #stalled: { readonly since: number; lastAt: number; toldAt: number; count: number } | null = null

  /** @param now the first sign of life is counted from here */
  constructor(staleMs: number, now: number) {
    this.#staleMs = staleMs
    this.#heartbeatAt = now
  }

  /** The log's own leaves. */
  heard(runs: readonly AlertRun[], now: number): void {
    for (const { own } of runs) {
      const leaf = own === null ? undefined : parseLeaf(own)
      if (leaf?.kind === 'heartbeat') this.#heartbeatAt = Math.max(this.#heartbeatAt, Math.min(leaf.at, now))
    }
  }

  /** An incident, where the log stands still and it has to be said (again). */
  async look(reader: AlertReader, scopes: readonly (string | null)[], now: number): Promise<Found | null> {
    if (!isDue(this.#lookedAt, LOOK_MS, now)) return null
    this.#lookedAt = now
    // A clock that was put back: no sign of life is later than now, or nobody would notice that they end.
    this.#heartbeatAt = Math.min(this.#heartbeatAt, now)
    const since = await this.#standsStillSince(reader, scopes, now)
    if (since === null) {
      if (this.#stalled !== null && now - this.#stalled.lastAt > QUIET_MS) this.#stalled = null
      return null
    }
    this.#stalled ??= { since, lastAt: now, toldAt: Number.NEGATIVE_INFINITY, count: 0 }
    this.#stalled.lastAt = now
    if (!isDue(this.#stalled.toldAt, AGAIN_MS, now)) return null
    this.#stalled.toldAt = now
    this.#stalled.count += 1
    return {
      kind: 'audit-stalled',
      key: `audit-stalled:${this.#stalled.since}`,
      subject: { key: 'log' },
      count: this.#stalled.count,
      firstAt: this.#stalled.since,
      lastAt: now,
      lastIndex: now,
      events: [],
    }
  }

  async #standsStillSince(
    reader: AlertReader,
    scopes: readonly (string | null)[],
    now: number,
  ): Promise<number | null> {
    let oldest = Number.POSITIVE_INFINITY
    for (const scope of scopes) oldest = Math.min(oldest, (await reader.unplaced(scope)) ?? oldest)
    if (now - oldest > this.#staleMs) return oldest
    return now - this.#heartbeatAt > 2 * HEARTBEAT_MS + this.#staleMs ? this.#heartbeatAt : null
  }
}
