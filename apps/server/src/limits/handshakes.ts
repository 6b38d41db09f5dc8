import type { Socket } from 'node:net'
import { networkOf } from '../gateway/admission.ts'
import { plainAddress } from '../http/forwarded.ts'
import { judgeHello } from './client-hello.ts'
import type { FamiliarNetworks } from './familiar-networks.ts'
import { Pace, type PaceParts } from './pace.ts'
import { Turns } from './turns.ts'

/** A record of TLS at its longest (RFC 8446 §5.1), and no client says more before it is answered. */
const MAX_HELLO_BYTES = 16 * 1024 + 5
/**
 * Who is going to be asked for another key costs little now and as much as others later, at a moment of their own choice: of those one is
 * begun in so long (ms), so that never more of them can choose the same one than this goes into the time of a handshake.
 */
const ASKED_AGAIN_REST_MS = 200

type Parts = PaceParts & {
  readonly familiar: FamiliarNetworks
  /** Whether connections from there are a trusted proxy's, which are many people's. */
  readonly isProxy: (ip: string) => boolean
  /** How long a peer may take to say its first words, in milliseconds; and then, how long it is let wait. */
  readonly handshakeMs: number
  /** A peer took longer, or said more than fits. It is cut off. */
  readonly onFault: (ip: string, because: 'timeout' | 'malformed') => void
}

/**
 * Lets TLS begin on a connection once its peer has said the whole of its ClientHello, at a pace: a handshake and what follows it take this
 * thread milliseconds. Who says nothing, or not all of it, costs no TLS at all, and a crowd that says the rest at once waits in line.
 */
export class Handshakes {
  readonly #parts: Parts
  readonly #turns: Turns
  readonly #askedAgain: Pace

  constructor(parts: Parts) {
    this.#parts = parts
    this.#turns = new Turns(parts.familiar, parts)
    this.#askedAgain = new Pace({ ...parts, isCrowded: () => false, restMs: ASKED_AGAIN_REST_MS })
  }

  /** Connections whose peers have spoken and whose turn has not come. */
  get waiting(): number {
    return this.#turns.waiting + this.#askedAgain.waiting
  }

  /** `begin` is called at most once, and finds in the socket what was said. Until then nobody else may listen to it. */
  await(socket: Socket, begin: () => void): void {
    const ip = plainAddress(socket.remoteAddress) ?? ''
    const network = networkOf(ip)
    let said: Buffer = Buffer.alloc(0)
    let line: Pick<Turns, 'leaveOut'> | undefined
    const take = () => {
      leave()
      socket.unshift(said)
      begin()
    }
    const leave = () => {
      clearTimeout(late)
      line?.leaveOut(network, take)
      socket.off('readable', hear).off('end', cut).off('error', ignore).off('close', leave)
    }
    const hear = () => {
      const heard: Buffer[] = [said]
      for (let chunk = read(socket); chunk !== null; chunk = read(socket)) heard.push(chunk)
      if (heard.length === 1) return
      said = Buffer.concat(heard)
      if (said.length > MAX_HELLO_BYTES) return blame('malformed')
      const judged = line === undefined ? judgeHello(said) : 'partial'
      if (judged === 'partial') return
      late.refresh()
      if (judged === 'again') this.#askedAgain.await(network, take)
      else this.#turns.await(network, take, this.#parts.isProxy(ip) || undefined)
      line = judged === 'again' ? this.#askedAgain : this.#turns
    }
    // Who has spoken, and was not served in time, is not to blame for it.
    const tire = () => (line === undefined ? blame('timeout') : cut())
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
    // Real time, as that of the handshake is: it is other people's machines that are waited for.
    const late = setTimeout(tire, this.#parts.handshakeMs)
    socket.on('readable', hear).on('end', cut).on('error', ignore).on('close', leave)
  }
}

function read(socket: Socket): Buffer | null {
  return socket.read() as Buffer | null
}
