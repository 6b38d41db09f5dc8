import type { ServerFrameOf } from '@wardline/protocol'

/** A token is renewed this long before it expires, or in the last third of its life if that is shorter. */
const LEAD_MS = 60_000
/** Up to this part of its life earlier, by chance, so that those who came together do not all renew together. */
const SPREAD = 0.1

type Reason = ServerFrameOf<'session.renew-required'>['reason']

/** An answer may cross a new demand on its way: so it counts, and so does the answer to that. */
const NONCES = 2

/** When the token of one socket must be followed by another. Knows times and the nonces that count, no tokens. */
export class Renewal {
  readonly #graceMs: number
  readonly #random: () => number
  #expiresAt = 0
  #askAt = 0
  /** By when, where a token is asked for that has not come. */
  #before: number | null = null
  /** Of the last demands, those that no proof has been over. */
  #nonces: readonly string[] = []

  /** Times in milliseconds of the epoch; `random` gives 0 to 1. */
  constructor(graceMs: number, random: () => number, now: number, expiresAt: number) {
    this.#graceMs = graceMs
    this.#random = random
    this.renewed(now, expiresAt)
  }

  /** A token that expires at `expiresAt` is in force from `now` on. */
  renewed(now: number, expiresAt: number): void {
    const life = Math.max(0, expiresAt - now)
    this.#expiresAt = expiresAt
    this.#askAt = expiresAt - Math.min(LEAD_MS, life / 3) - life * SPREAD * this.#random()
    this.#before = null
  }

  /** Whether it is time to ask and nobody has. */
  mustAsk(now: number): boolean {
    return this.#before === null && now >= this.#askAt
  }

  /** Asks: a proof over `nonce` is expected before the token expires, or within `withinMs` if that is sooner. */
  ask(
    now: number,
    nonce: string,
    reason: Reason,
    withinMs = Number.POSITIVE_INFINITY,
  ): ServerFrameOf<'session.renew-required'> {
    const before = Math.min(this.#expiresAt, now + withinMs, this.#before ?? Number.POSITIVE_INFINITY)
    this.#before = before
    this.#nonces = [...this.#nonces, nonce].slice(-NONCES)
    return { type: 'session.renew-required', reason, nonce, before: new Date(before).toISOString() }
  }

  /** Whether a proof over `nonce` was asked for of late: each counts once. */
  takeNonce(nonce: string): boolean {
    const isAsked = this.#nonces.includes(nonce)
    this.#nonces = this.#nonces.filter((other) => other !== nonce)
    return isAsked
  }

  /** Past the grace: the socket ends with 4440. */
  isOver(now: number): boolean {
    return now >= this.#endsAt()
  }

  next(): number {
    return this.#before === null ? Math.min(this.#askAt, this.#endsAt()) : this.#endsAt()
  }

  #endsAt(): number {
    return (this.#before ?? this.#expiresAt) + this.#graceMs
  }
}
