import type { ServerFrameOf } from '@wardline/protocol'

/** A token is renewed this long before it expires, or in the last third of its life if that is shorter. */
const LEAD_MS = 60_000
/** Up to this part of its life earlier, by chance, so that those who came together do not all renew together. */
const SPREAD = 0.1

type Reason = ServerFrameOf<'session.renew-required'>['reason']

/** When the token of one socket must be followed by another. Knows times and the one nonce that counts, no tokens. */
export class Renewal {
  readonly #graceMs: number
  readonly #random: () => number
  #expiresAt = 0
  #askAt = 0
  #asked: { readonly nonce: string; readonly before: number } | null = null

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
    this.#asked = null
  }

  /** Whether it is time to ask and nobody has. */
  mustAsk(now: number): boolean {
    return this.#asked === null && now >= this.#askAt
  }

  /** Asks: a proof over `nonce` is expected before the token expires, or within `withinMs` if that is sooner. */
  ask(
    now: number,
    nonce: string,
    reason: Reason,
    withinMs = Number.POSITIVE_INFINITY,
  ): ServerFrameOf<'session.renew-required'> {
    const before = Math.min(this.#expiresAt, now + withinMs, this.#asked?.before ?? Number.POSITIVE_INFINITY)
    this.#asked = { nonce, before }
    return { type: 'session.renew-required', reason, nonce, before: new Date(before).toISOString() }
  }

  /** The nonce that the next proof has to be over: it counts once. Null when nobody has asked. */
  takeNonce(): string | null {
    const asked = this.#asked
    if (asked === null || asked.nonce === '') return null
    this.#asked = { nonce: '', before: asked.before }
    return asked.nonce
  }

  /** Past the grace: the socket ends with 4440. */
  isOver(now: number): boolean {
    return now >= this.#endsAt()
  }

  next(): number {
    return this.#asked === null ? Math.min(this.#askAt, this.#endsAt()) : this.#endsAt()
  }

  #endsAt(): number {
    return (this.#asked?.before ?? this.#expiresAt) + this.#graceMs
  }
}
