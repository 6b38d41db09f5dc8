import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { networkOf } from '../gateway/admission.ts'
import { plainAddress } from '../http/forwarded.ts'

/** No record of TLS is longer (RFC 8446 §5.1), and no client says more before it is answered. */
const MAX_HELLO_BYTES = 16 * 1024 + 5
/** The next one is begun when the loop has been idle for as long as it was busy since the last; after so long (ms) in any case. */
const MAX_REST_MS = 20

type Parts = {
  /** How long a peer may be silent, in milliseconds. */
  readonly handshakeMs: number
  /** A peer was silent for that long, or said more than fits. It is cut off. */
  readonly onFault: (ip: string, because: 'timeout' | 'malformed') => void
  /** Calls back in another turn of the loop, after `ms` milliseconds. */
  readonly later?: (ms: number, run: () => void) => void
  /** What the loop has been doing for how many milliseconds, all in all. */
  readonly usage?: () => Usage
}

type Usage = { readonly idle: number; readonly active: number }

/**
 * Lets TLS begin on a connection once its peer has said something, one at a time and only as fast as half of the loop stays idle: a
 * handshake and what follows it take this thread milliseconds, and those that a thousand peers ask for at once must not keep it from
 * who is signed in. Networks take turns, so one that asks for many waits for itself. Who says nothing costs no TLS at all.
 */
export class Handshakes {
  readonly #parts: Parts
  readonly #later: (ms: number, run: () => void) => void
  readonly #usage: () => Usage
  /** What is to be begun, by network, in the order of their turns. */
  readonly #waiting = new Map<string, Set<() => void>>()
  #isScheduled = false
  /** As the last one began. */
  #since: Usage

  constructor(parts: Parts) {
    this.#parts = parts
    this.#later = parts.later ?? ((ms, run) => void (ms === 0 ? setImmediate(run) : setTimeout(run, ms)))
    this.#usage = parts.usage ?? (() => performance.eventLoopUtilization())
    this.#since = this.#usage()
  }

  /** Connections whose peers have spoken and whose turn has not come. */
  get waiting(): number {
    let count = 0
    for (const same of this.#waiting.values()) count += same.size
    return count
  }

  /** `begin` is called at most once, and finds in the socket what was said. Until then nobody else may listen to it. */
  await(socket: Socket, begin: () => void): void {
    const ip = plainAddress(socket.remoteAddress) ?? ''
    const network = networkOf(ip)
    const heard: Buffer[] = []
    let bytes = 0
    const take = () => {
      leave()
      for (const chunk of heard.reverse()) socket.unshift(chunk)
      begin()
    }
    const leave = () => {
      this.#remove(network, take)
      socket.off('readable', hear).off('end', cut).off('timeout', tire).off('error', ignore).off('close', leave)
      socket.setTimeout(0)
    }
    const hear = () => {
      for (let chunk = read(socket); chunk !== null; chunk = read(socket)) {
        heard.push(chunk)
        bytes += chunk.length
      }
      if (bytes > MAX_HELLO_BYTES) blame('malformed')
      else if (bytes > 0) this.#add(network, take)
    }
    // Who has spoken, and was not served in time, is not to blame for it.
    const tire = () => (bytes > 0 ? cut() : blame('timeout'))
    const ignore = () => undefined
    const cut = () => {
      leave()
      // An error may still be on its way to it.
      socket.on('error', ignore).destroy()
    }
    const blame = (because: 'timeout' | 'malformed') => {
      cut()
      this.#parts.onFault(ip, because)
    }
    socket.on('readable', hear).on('end', cut).on('timeout', tire).on('error', ignore).on('close', leave)
    // Real time, as that of the handshake is: it is other people's machines that are waited for.
    socket.setTimeout(this.#parts.handshakeMs)
  }

  #add(network: string, take: () => void): void {
    const same = this.#waiting.get(network)
    if (same === undefined) this.#waiting.set(network, new Set([take]))
    else same.add(take)
    this.#schedule(0)
  }

  #remove(network: string, take: () => void): void {
    const same = this.#waiting.get(network)
    if (same?.delete(take) && same.size === 0) this.#waiting.delete(network)
  }

  #schedule(ms: 0 | 1): void {
    if (this.#isScheduled || this.#waiting.size === 0) return
    this.#isScheduled = true
    this.#later(ms, () => {
      this.#isScheduled = false
      if (this.#isRested()) this.#next()
      this.#schedule(1)
    })
  }

  #isRested(): boolean {
    const now = this.#usage()
    const idle = now.idle - this.#since.idle
    const active = now.active - this.#since.active
    return idle >= active || idle + active >= MAX_REST_MS
  }

  #next(): void {
    const [first] = this.#waiting
    if (first === undefined) return
    const [network, same] = first
    const [take] = same
    // The last in line from now on.
    this.#waiting.delete(network)
    this.#waiting.set(network, same)
    this.#since = this.#usage()
    take?.()
  }
}

function read(socket: Socket): Buffer | null {
  return socket.read() as Buffer | null
}
