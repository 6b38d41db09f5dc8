import type { AuditAddress, AuditFact } from '../audit/event.ts'
import type { AuditReason } from '../audit/vocabulary.ts'
import type { Clock } from '../clock.ts'
import type { Refusal } from '../errors.ts'
import { networkOf } from './admission.ts'
import { type Peer, trailOf } from './peer.ts'
import { Refusals } from './refusals.ts'

const FLUSH_MS = 60_000
/** Addresses whose sockets are counted each by itself in a period; those beyond it together: many addresses do not fill the log either. */
const MAX_COUNTED = 200
const OTHERS = 'others'
/** What is no fault of the address. */
const OURS: ReadonlySet<AuditReason> = new Set<AuditReason>([
  'draining',
  'unavailable',
  'internal',
  'overloaded',
  'closed-by-client',
  'closed-by-peer',
])

/**
 * What is written down of sockets on which nobody ever signed in: of each address the first few of a kind, then their number. They
 * belong to no tenant, so they are in no tenant's log; unless they came with a token of one, which may be a stolen one.
 */
export class Strangers {
  readonly #clock: Clock
  readonly #write: (tenant: string | null, fact: AuditFact) => void
  readonly #onFault: (address: AuditAddress) => void
  readonly #byNetwork = new Map<string, Refusals>()
  readonly #stop: () => void

  /** `onFault`: an address has done again what no honest client does. */
  constructor(
    clock: Clock,
    write: (tenant: string | null, fact: AuditFact) => void,
    onFault: (address: AuditAddress) => void,
  ) {
    this.#onFault = onFault
    this.#clock = clock
    this.#write = write
    this.#stop = clock.every(FLUSH_MS, () => this.#flush())
  }

  /** Not let in at all, before there was a socket. */
  refused(peer: Peer, because: AuditReason): void {
    this.#of(peer, null).note({ ...trailOf(peer), action: 'socket.connect', outcome: 'refused', reason: because })
    if (!OURS.has(because)) this.#onFault(peer.address)
  }

  /** Let in, and gone or thrown out without having signed in. `claimed`: whose token it was that did not serve. */
  left(peer: Peer, because: AuditReason, claimed?: Refusal['claimed']): void {
    const fact = { ...trailOf(peer), ...claimed?.trail, action: 'socket.authenticate', reason: because } as const
    this.#of(peer, claimed?.tenant ?? null).note({ ...fact, outcome: 'refused' })
    if (!OURS.has(because)) this.#onFault(peer.address)
  }

  /** A connection that was not even let in, or an address that is held off from now on. */
  limited(address: AuditAddress, because: AuditReason): void {
    this.#of({ address }, null).note({ address, action: 'limit.hit', outcome: 'refused', reason: because })
  }

  /** What came from there was no TLS, no HTTP, or did not come to its end. */
  unreadable(address: AuditAddress, because: AuditReason): void {
    this.#of({ address }, null).note({ address, action: 'request.invalid', outcome: 'refused', reason: because })
  }

  close(): void {
    this.#stop()
    this.#flush()
  }

  #of({ address }: Pick<Peer, 'address'>, tenant: string | null): Refusals {
    const network = this.#byNetwork.size < MAX_COUNTED ? networkOf(address) : OTHERS
    const key = `${tenant ?? ''} ${network}`
    const known = this.#byNetwork.get(key)
    if (known !== undefined) return known
    const refusals = new Refusals(this.#clock, (fact) => this.#write(tenant, fact))
    this.#byNetwork.set(key, refusals)
    return refusals
  }

  #flush(): void {
    for (const refusals of this.#byNetwork.values()) refusals.flush(true)
    this.#byNetwork.clear()
  }
}
