import { isIPv6 } from 'node:net'
import type { Clock } from '../clock.ts'
import { Crowd } from '../limits/crowd.ts'
import { TokenBucket } from './token-bucket.ts'

/** What people without a sign-in may take, per address and in all. */
export interface AdmissionLimits {
  readonly pendingSocketsPerAddress: number
  readonly pendingSockets: number
  readonly connectionsPerMinute: number
}

export type Admitted =
  | { readonly admitted: true /** Once, when the socket has authenticated or is gone. */; readonly settled: () => void }
  | {
      readonly admitted: false
      readonly because: 'connections' | 'pending-sockets' | 'overloaded'
      readonly retryAfterMs: number
    }

/** How long those are told to wait for whom there is no place. */
const NO_PLACE_RETRY_MS = 2_000
/** Addresses are forgotten at this pace, once they are as good as new. */
const SWEEP_MS = 60_000
/** Addresses remembered at once. Beyond it strangers wait for the next sweep: memory is bounded before it is fair. */
const MAX_ADDRESSES = 100_000

type Address = { pending: number; readonly attempts: TokenBucket }

/** Counts sockets that nobody has signed in on, before any of them costs a signature check, let alone a query. */
export class Admission {
  readonly #limits: AdmissionLimits
  readonly #clock: Clock
  readonly #addresses = new Map<string, Address>()
  readonly #crowd = new Crowd()
  readonly #stop: () => void

  constructor(limits: AdmissionLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
    this.#stop = clock.every(SWEEP_MS, () => this.#sweep())
  }

  /** Sockets that have not authenticated, from all addresses. */
  get pending(): number {
    return this.#crowd.size
  }

  /** `giveWay` is called when the place is taken away: all are taken, and the address has more of them than somebody who comes. */
  enter(ip: string, giveWay: () => void): Admitted {
    const network = networkOf(ip)
    const address = this.#addressOf(network)
    if (address === null) return { admitted: false, because: 'overloaded', retryAfterMs: SWEEP_MS }
    const wait = address.attempts.take(this.#clock.now())
    if (wait > 0) return { admitted: false, because: 'connections', retryAfterMs: wait }
    if (address.pending >= this.#limits.pendingSocketsPerAddress) {
      return { admitted: false, because: 'pending-sockets', retryAfterMs: NO_PLACE_RETRY_MS }
    }
    if (this.#crowd.size >= this.#limits.pendingSockets && !this.#crowd.makeRoom(network)) {
      return { admitted: false, because: 'overloaded', retryAfterMs: NO_PLACE_RETRY_MS }
    }
    address.pending += 1
    const leave = this.#crowd.enter(network, () => {
      settled()
      giveWay()
    })
    let isSettled = false
    const settled = () => {
      if (isSettled) return
      isSettled = true
      address.pending -= 1
      leave()
    }
    return { admitted: true, settled }
  }

  close(): void {
    this.#stop()
  }

  #addressOf(network: string): Address | null {
    const known = this.#addresses.get(network)
    if (known !== undefined) return known
    if (this.#addresses.size >= MAX_ADDRESSES) return null
    const perMinute = this.#limits.connectionsPerMinute
    const address = { pending: 0, attempts: new TokenBucket(perMinute / 60, perMinute, this.#clock.now()) }
    this.#addresses.set(network, address)
    return address
  }

  #sweep(): void {
    const now = this.#clock.now()
    for (const [network, address] of this.#addresses) {
      if (address.pending === 0 && address.attempts.isFull(now)) this.#addresses.delete(network)
    }
  }
}

/**
 * Whom an address counts as: an IPv6 host has its /64 to itself, so that is what is counted; an IPv4 address written as IPv6 is
 * the IPv4 address.
 */
export function networkOf(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1]
  if (mapped !== undefined) return mapped
  const [plain = ip] = ip.split('%')
  if (!isIPv6(plain)) return plain
  const [head = '', tail] = plain.toLowerCase().split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0')
  const groups = [...before, ...zeros, ...after].slice(0, 4)
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`
}
