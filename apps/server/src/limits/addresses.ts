import type { PreAuthLimits } from '@wardline/protocol'
import type { Clock } from '../clock.ts'
import { networkOf } from '../gateway/admission.ts'
import { TokenBucket } from '../gateway/token-bucket.ts'

/** Addresses are forgotten at this pace, once they are as good as new. */
const SWEEP_MS = 60_000
/** Addresses remembered at once, some 300 bytes each; those beyond share what one has: memory is bounded before it is fair. */
const MAX_ADDRESSES = 100_000
const OTHERS = 'others'

export type AddressLimits = Pick<
  PreAuthLimits,
  'unknownConnectionsPerAddress' | 'handshakesPerMinute' | 'callsPerMinute' | 'faultsPerMinute'
> & { readonly holdOffMs: number }

/** What one address may take, whoever is behind it: a host, an IPv6 network, or a whole hospital. */
type Address = {
  unknown: number
  heldUntil: number
  readonly handshakes: TokenBucket
  readonly calls: TokenBucket
  readonly faults: TokenBucket
}

/**
 * What strangers may take, by address: connections, calls, and mistakes. Who makes too many of the last is held off for
 * `holdOffMs`: nothing new is taken from the address. What is open and signed in there goes on.
 */
export class Addresses {
  readonly #limits: AddressLimits
  readonly #clock: Clock
  readonly #onHeld: (ip: string) => void
  readonly #known = new Map<string, Address>()
  readonly #stop: () => void

  /** `onHeld` is called once for each time that an address begins to be held off. */
  constructor(limits: AddressLimits, clock: Clock, onHeld: (ip: string) => void) {
    this.#limits = limits
    this.#clock = clock
    this.#onHeld = onHeld
    this.#stop = clock.every(SWEEP_MS, () => this.#sweep())
  }

  /**
   * A TCP connection has come. Null where it may stay for now; else why not, and for how long (ms). `known` is called once
   * somebody has signed in on it, `gone` when it closes, in any order and as often as one likes.
   */
  connect(
    ip: string,
  ):
    | { readonly refused: 'held-off' | 'connections'; readonly retryAfterMs: number }
    | { readonly settled: () => void } {
    const address = this.#of(ip)
    const now = this.#clock.now()
    if (now < address.heldUntil) return { refused: 'held-off', retryAfterMs: address.heldUntil - now }
    if (address.unknown >= this.#limits.unknownConnectionsPerAddress) {
      return { refused: 'connections', retryAfterMs: this.#limits.holdOffMs }
    }
    const wait = address.handshakes.take(now)
    if (wait > 0) return { refused: 'connections', retryAfterMs: wait }
    address.unknown += 1
    let settled = false
    return {
      settled: () => {
        if (settled) return
        settled = true
        address.unknown -= 1
      },
    }
  }

  /**
   * A call has come. Answers 0, or in how many milliseconds the next one may; then this one is not to be done. `isKnown`: on a connection on
   * which somebody has signed in, who does not answer for what others do at their address.
   */
  call(ip: string, isKnown = false): number {
    const address = this.#of(ip)
    const now = this.#clock.now()
    return !isKnown && now < address.heldUntil ? address.heldUntil - now : address.calls.take(now)
  }

  /** The call was somebody's who is signed in: it does not count. */
  knownCaller(ip: string): void {
    this.#of(ip).calls.giveBack()
  }

  /** For how many milliseconds nothing is taken from the address; 0 where it is. */
  heldFor(ip: string): number {
    return Math.max(0, this.#of(ip).heldUntil - this.#clock.now())
  }

  /** Something was wrong that no honest client does again and again. */
  fault(ip: string): void {
    const address = this.#of(ip)
    const now = this.#clock.now()
    if (address.faults.take(now) === 0 || now < address.heldUntil) return
    address.heldUntil = now + this.#limits.holdOffMs
    this.#onHeld(ip)
  }

  close(): void {
    this.#stop()
  }

  #of(ip: string): Address {
    const network = networkOf(ip)
    const known = this.#known.get(network)
    if (known !== undefined) return known
    if (this.#known.size > MAX_ADDRESSES && network !== OTHERS) return this.#of(OTHERS)
    const now = this.#clock.now()
    const { handshakesPerMinute, callsPerMinute, faultsPerMinute } = this.#limits
    const perMinute = (count: number) => new TokenBucket(count / 60, count, now)
    const address = {
      unknown: 0,
      heldUntil: 0,
      handshakes: perMinute(handshakesPerMinute),
      calls: perMinute(callsPerMinute),
      faults: perMinute(faultsPerMinute),
    }
    this.#known.set(network, address)
    return address
  }

  #sweep(): void {
    const now = this.#clock.now()
    for (const [network, { unknown, heldUntil, handshakes, calls, faults }] of this.#known) {
      const isAsNew = unknown === 0 && now >= heldUntil
      if (isAsNew && handshakes.isFull(now) && calls.isFull(now) && faults.isFull(now)) this.#known.delete(network)
    }
  }
}
