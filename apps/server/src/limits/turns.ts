import type { FamiliarNetworks } from './familiar-networks.ts'
import { Pace, type PaceParts } from './pace.ts'

/** Between two of familiar networks the loop is left to others for so long, however busy it is. */
const FAMILIAR_REST_MS = 2

/**
 * Two lines: of strangers, who wait for half of the loop to be idle, and of people who come back to a network where others are signed in.
 * A hospital whose node is gone comes back all at once and from one address; were it served like strangers, its last nurse would wait for
 * a minute (measures: docs/scale.md).
 */
export class Turns {
  readonly #familiar: FamiliarNetworks
  readonly #strangers: Pace
  readonly #returning: Pace

  /** `isCrowded` is asked of familiar networks alone. */
  constructor(familiar: FamiliarNetworks, { isCrowded = () => false, ...parts }: PaceParts = {}) {
    this.#familiar = familiar
    this.#strangers = new Pace(parts)
    this.#returning = new Pace({ ...parts, isCrowded, maxRestMs: FAMILIAR_REST_MS })
    // The first of a crowd that is let in makes the others familiar, who wait already.
    familiar.onNew((network) => this.#strangers.moveTo(this.#returning, network))
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#strangers.waiting + this.#returning.waiting
  }

  /** `begin` is called in its turn, unless it is left out before. */
  await(network: string, begin: () => void, isFamiliar = this.#familiar.has(network)): void {
    const line = isFamiliar ? this.#returning : this.#strangers
    line.await(network, begin)
  }

  leaveOut(network: string, begin: () => void): void {
    this.#strangers.leaveOut(network, begin)
    this.#returning.leaveOut(network, begin)
  }
}
