import type { Limits } from '@wardline/protocol'

export type Verdict =
  | { readonly close: 4408; readonly because: 'heartbeat' | 'idle' }
  | { readonly close: 4452; readonly because: 'slow-reader' }

type HealthLimits = Pick<Limits, 'heartbeatMs' | 'idleMs' | 'laggingMs'>

/** How one signed-in socket is doing: whether its peer is there, asks for anything, and reads what it is sent. */
export class Health {
  readonly #limits: HealthLimits
  #heardAt: number
  #askedAt: number
  #pingAt: number
  /** When the first ping went out after which nothing has come yet; null where something has. */
  #unansweredSince: number | null = null
  #behindSince: number | null = null

  /** `spread`: 0 to 1, so that sockets which came together are not all pinged together. */
  constructor(limits: HealthLimits, now: number, spread: number) {
    this.#limits = limits
    this.#heardAt = now
    this.#askedAt = now
    this.#pingAt = now + limits.heartbeatMs * (1 - spread / 2)
  }

  /** Anything came from the peer, a pong included. */
  heard(now: number): void {
    this.#heardAt = now
    this.#unansweredSince = null
  }

  /** The person, or a program on their behalf, asked for something: a ping is none of that (ASVS 7.3.1). */
  asked(now: number): void {
    this.#askedAt = now
  }

  get behind(): boolean {
    return this.#behindSince !== null
  }

  /** The peer does not read fast enough, since `now` or since before. Whether that is new. */
  fellBehind(now: number): boolean {
    if (this.#behindSince !== null) return false
    this.#behindSince = now
    return true
  }

  caughtUp(now: number): void {
    this.#behindSince = null
    // While it was behind nothing was read from it: its silence begins now.
    this.heard(now)
  }

  /** Why the socket is to be closed, if it is. */
  verdict(now: number): Verdict | null {
    if (this.#behindSince !== null && now >= this.#behindSince + this.#limits.laggingMs) {
      return { close: 4452, because: 'slow-reader' }
    }
    if (this.#behindSince === null && now >= this.#deadAt()) {
      return { close: 4408, because: 'heartbeat' }
    }
    return now >= this.#askedAt + this.#limits.idleMs ? { close: 4408, because: 'idle' } : null
  }

  /** Whether a ping is due; asking counts as sending it. */
  takePing(now: number): boolean {
    if (now < this.#pingAt) return false
    this.#pingAt = now + this.#limits.heartbeatMs
    this.#unansweredSince ??= now
    return true
  }

  /** When the next of these falls due, in milliseconds of the epoch. */
  next(): number {
    const { idleMs, laggingMs } = this.#limits
    const dead = this.#behindSince === null ? this.#deadAt() : this.#behindSince + laggingMs
    return Math.min(this.#pingAt, dead, this.#askedAt + idleMs)
  }

  /** Two heartbeats after it was last heard, and one after a ping: where it is we who have slept, or our clock that was set, nobody is dead. */
  #deadAt(): number {
    const { heartbeatMs } = this.#limits
    if (this.#unansweredSince === null) return Number.POSITIVE_INFINITY
    return Math.max(this.#heardAt + 2 * heartbeatMs, this.#unansweredSince + heartbeatMs)
  }
}
