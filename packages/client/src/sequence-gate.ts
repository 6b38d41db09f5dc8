/** So often the server must say the same before a hole is believed: one time by chance, and twice when asked for it. */
const SIGHTINGS = 3

/** Sequences `from` to `to`, both included, that the server has no readable event for. */
export type Hole = { readonly from: number; readonly to: number }

export type Verdict =
  | { readonly is: 'deliver' }
  /** It has been delivered already. */
  | { readonly is: 'repeat' }
  /** Something is missing before it: ask again from `last`. `sightings`: so often has the same been seen, from 1. */
  | { readonly is: 'gap'; readonly sightings: number }
  /** What is missing does not exist: tell the app, then go on behind it. */
  | { readonly is: 'hole'; readonly hole: Hole }

/**
 * Lets each sequence of a channel pass once and ascending, from `last + 1` (P3). A gap is asked for again; the same gap
 * in the answer, and again in the next, is the truth: what retention has removed, or what this version cannot read.
 */
export class SequenceGate {
  #last: number
  #missing: (Hole & { sightings: number }) | null = null

  constructor(last: number) {
    this.#last = last
  }

  /** The last sequence that passed. */
  get last(): number {
    return this.#last
  }

  /** Judges the event at `seq`. */
  event(seq: number): Verdict {
    if (seq <= this.#last) return { is: 'repeat' }
    if (seq > this.#last + 1) return this.#judgeMissing({ from: this.#last + 1, to: seq - 1 }, seq)
    this.#missing = null
    this.#last = seq
    return { is: 'deliver' }
  }

  /** Judges the server's word that everything up to `seq` has been sent. */
  upTo(seq: number): Verdict {
    if (seq <= this.#last) return { is: 'repeat' }
    return this.#judgeMissing({ from: this.#last + 1, to: seq }, seq)
  }

  #judgeMissing(hole: Hole, next: number): Verdict {
    const same = this.#missing !== null && this.#missing.from === hole.from && this.#missing.to === hole.to
    const sightings = same && this.#missing !== null ? this.#missing.sightings + 1 : 1
    if (sightings < SIGHTINGS) {
      this.#missing = { ...hole, sightings }
      return { is: 'gap', sightings }
    }
    this.#missing = null
    this.#last = next
    return { is: 'hole', hole }
  }
}
