import type { Server, Socket } from 'node:net'
import type { PreAuthLimits } from '@wardline/protocol'
import { networkOf } from '../gateway/admission.ts'
import { plainAddress } from '../http/forwarded.ts'
import type { Addresses } from './addresses.ts'
import { Crowd } from './crowd.ts'
import type { Handshakes } from './handshakes.ts'

export type DoorLimits = Pick<PreAuthLimits, 'connections' | 'unknownConnections'>

/** Connections of one user that are theirs and no stranger's: a browser opens six, beside its sockets, which are counted by themselves. */
const MAX_KNOWN_OF_USER = 64

type Parts = {
  readonly limits: DoorLimits
  readonly addresses: Pick<Addresses, 'connect'>
  /** Whether connections from there are a trusted proxy's: everybody behind it is counted where their address is known. */
  readonly isProxy: (ip: string) => boolean
  readonly handshakes: Pick<Handshakes, 'await'>
  readonly onRefused: (ip: string, because: 'held-off' | 'connections' | 'overloaded') => void
}

/** A connection on which nobody has signed in: TLS begins on it; somebody has signed in, or it is gone. */
type Stranger = { readonly begin: () => void; readonly settled: () => void }

/** The two ends of a connection are all that TLS and TCP know of each other by public names. */
type Ends = Pick<Socket, 'remoteAddress' | 'remotePort'>

/**
 * Counts connections as TCP has them, before a byte of TLS is read or a buffer for it made: those on which nobody has signed
 * in, of each address and of all, and all there are. One too many is reset, which costs a few microseconds; of strangers, one of the network
 * that has most of them.
 */
export class Door {
  readonly #parts: Parts
  readonly #unknown = new Map<string, Stranger>()
  /** How many of those, by network, have begun with TLS. */
  readonly #begun = new Map<string, number>()
  readonly #strangers = new Crowd()
  /** Whose a connection is, by its name; and how many somebody has. */
  readonly #users = new Map<string, string>()
  readonly #ofUser = new Map<string, number>()
  #open = 0

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Connections that are open. */
  get open(): number {
    return this.#open
  }

  /** Those of them on which nobody has signed in yet. */
  get unknown(): number {
    return this.#unknown.size
  }

  /** Those of a network that have begun with TLS. */
  begunOf(network: string): number {
    return this.#begun.get(network) ?? 0
  }

  /**
   * Somebody has signed in on this connection: it is nobody's who is counted here any more. `user`: whose call it was; of more connections
   * than one has use for, the rest count as a stranger's of the same address.
   */
  known(ends: Ends, user?: string): void {
    const name = nameOf(ends)
    const stranger = this.#unknown.get(name)
    if (stranger === undefined) return
    if (user !== undefined) {
      const held = this.#ofUser.get(user) ?? 0
      if (held >= MAX_KNOWN_OF_USER) return
      this.#ofUser.set(user, held + 1)
      this.#users.set(name, user)
    }
    stranger.settled()
  }

  /** Whether somebody's call has made it theirs. */
  isKnown(ends: Ends): boolean {
    return this.#users.has(nameOf(ends))
  }

  /** Stands before everything that listens for the server's connections by now: they hear of those that are let in, when TLS may begin. */
  guard(server: Server): void {
    const listeners = server.listeners('connection')
    server.removeAllListeners('connection')
    server.on('connection', (socket: Socket) => {
      if (!this.#letIn(socket)) return void socket.resetAndDestroy()
      this.#parts.handshakes.await(socket, () => {
        this.#unknown.get(nameOf(socket))?.begin()
        for (const listener of listeners) listener.call(server, socket)
      })
    })
  }

  #letIn(socket: Socket): boolean {
    const { limits, addresses, isProxy, onRefused } = this.#parts
    // Undefined where the peer is gone already.
    const ip = plainAddress(socket.remoteAddress)
    if (ip === undefined) return false
    if (this.#open >= limits.connections) {
      onRefused(ip, 'overloaded')
      return false
    }
    if (!isProxy(ip)) {
      const connected = addresses.connect(ip)
      if ('refused' in connected) {
        onRefused(ip, connected.refused)
        return false
      }
      const network = networkOf(ip)
      if (this.#strangers.size >= limits.unknownConnections && !this.#strangers.makeRoom(network)) {
        connected.settled()
        onRefused(ip, 'overloaded')
        return false
      }
      const name = nameOf(socket)
      const leave = this.#strangers.enter(network, () => {
        onRefused(ip, 'overloaded')
        settled()
        socket.resetAndDestroy()
      })
      let hasBegun = false
      const begin = () => {
        hasBegun = true
        this.#begun.set(network, this.begunOf(network) + 1)
      }
      const settled = () => {
        leave()
        connected.settled()
        if (this.#unknown.get(name)?.settled === settled) this.#unknown.delete(name)
        if (!hasBegun) return
        hasBegun = false
        const others = this.begunOf(network) - 1
        if (others > 0) this.#begun.set(network, others)
        else this.#begun.delete(network)
      }
      this.#unknown.set(name, { begin, settled })
      socket.once('close', () => {
        settled()
        this.#forget(name)
      })
    }
    this.#open += 1
    socket.once('close', () => {
      this.#open -= 1
    })
    return true
  }

  #forget(name: string): void {
    const user = this.#users.get(name)
    if (user === undefined) return
    this.#users.delete(name)
    const held = this.#ofUser.get(user) ?? 0
    if (held > 1) this.#ofUser.set(user, held - 1)
    else this.#ofUser.delete(user)
  }
}

function nameOf({ remoteAddress, remotePort }: Ends): string {
  return `${remoteAddress} ${remotePort}`
}
