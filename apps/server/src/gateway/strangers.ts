import type { AuditReason } from '../audit/vocabulary.ts'
import type { Clock } from '../clock.ts'
import { networkOf } from './admission.ts'
import { type Peer, trailOf } from './peer.ts'
import { Refusals, type WriteFact } from './refusals.ts'

const FLUSH_MS = 60_000
/** Addresses whose sockets are counted at once; those beyond it are counted together. */
const MAX_COUNTED = 10_000
const OTHERS = 'others'

/**
 * What is written down of sockets on which nobody ever signed in: of each address the first few of a kind, then their number. They
 * belong to no tenant, so they are in no tenant's log.
 */
export class Strangers {
  readonly #clock: Clock
  readonly #write: WriteFact
  readonly #byNetwork = new Map<string, Refusals>()
  readonly #stop: () => void

  constructor(clock: Clock, write: WriteFact) {
    this.#clock = clock
    this.#write = write
    this.#stop = clock.every(FLUSH_MS, () => this.#flush())
  }

  /** Not let in at all, before there was a socket. */
  refused(peer: Peer, because: AuditReason): void {
    this.#of(peer).note({ ...trailOf(peer), action: 'socket.connect', outcome: 'refused', reason: because })
  }

  /** Let in, and gone or thrown out without having signed in. */
  left(peer: Peer, because: AuditReason): void {
    this.#of(peer).note({ ...trailOf(peer), action: 'socket.authenticate', outcome: 'refused', reason: because })
  }

  close(): void {
    this.#stop()
    this.#flush()
  }

  #of({ address }: Peer): Refusals {
    const network = this.#byNetwork.size < MAX_COUNTED ? networkOf(address) : OTHERS
    const known = this.#byNetwork.get(network)
    if (known !== undefined) return known
    const refusals = new Refusals(this.#clock, this.#write)
    this.#byNetwork.set(network, refusals)
    return refusals
  }

  #flush(): void {
    for (const refusals of this.#byNetwork.values()) refusals.flush(true)
    this.#byNetwork.clear()
  }
}
