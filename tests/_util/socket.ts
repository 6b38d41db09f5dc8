import {
  decodeServerFrame,
  type ServerFrame,
  type ServerFrameOf,
  SOCKET_PATH,
  SUBPROTOCOL,
  type WrittenFrame,
} from '@wardline/protocol'
import { WebSocket } from 'ws'
import type { Person } from './person.ts'
import type { Reachable } from './server.ts'

export type Closed = { readonly code: number; readonly reason: string }

/** A frame of the client as it is typed: the `id` of a request is made up where it is left out. */
type Sent = WrittenFrame extends infer F ? (F extends { id: string } ? Omit<F, 'id'> & { id?: string } : F) : never

/** A socket as a client that trusts nothing holds it: every frame is checked against the contract as it comes. */
export class TestSocket {
  readonly ws: WebSocket
  /** Every frame received, in order. */
  readonly received: ServerFrame[] = []
  /** Set when it has closed. */
  closed: Closed | null = null
  readonly #listeners = new Set<() => void>()
  #ids = 0

  constructor(
    server: Reachable,
    options: { origin?: string | null; protocols?: string[]; path?: string; headers?: Record<string, string> } = {},
  ) {
    const url = `${server.url.replace(/^https/, 'wss')}${options.path ?? SOCKET_PATH}`
    const origin = options.origin === undefined ? server.url : options.origin
    this.ws = new WebSocket(url, options.protocols ?? [SUBPROTOCOL], {
      ca: server.ca,
      ...(origin === null ? {} : { origin }),
      ...(server.from === undefined ? {} : { localAddress: server.from }),
      maxPayload: 16 * 1024 * 1024,
      headers: options.headers ?? {},
    })
    this.ws.on('message', (data: Buffer, isBinary) => {
      const decoded = isBinary ? null : decodeServerFrame(data.toString())
      if (decoded?.ok !== true) throw new Error(`the server sent what is no frame: ${data.toString().slice(0, 200)}`)
      this.received.push(decoded.frame)
      this.#changed()
    })
    this.ws.on('error', () => undefined)
    this.ws.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() }
      this.#changed()
    })
  }

  /** Resolves once `check` gives something, which is looked at after each frame and at the close. */
  async until<T>(check: () => T | undefined | null | false, what = 'a condition'): Promise<T> {
    for (;;) {
      const found = check()
      if (found !== undefined && found !== null && found !== false) return found
      if (this.closed !== null) {
        throw new Error(`closed with ${this.closed.code} ${this.closed.reason} while waiting for ${what}`)
      }
      await new Promise<void>((resolve) => {
        const once = () => {
          this.#listeners.delete(once)
          resolve()
        }
        this.#listeners.add(once)
      })
    }
  }

  /** The next frame of a type, or the first there has been; `which` narrows it. */
  frame<T extends ServerFrame['type']>(
    type: T,
    which: (frame: ServerFrameOf<T>) => boolean = () => true,
  ): Promise<ServerFrameOf<T>> {
    const wanted = (frame: ServerFrame): frame is ServerFrameOf<T> =>
      frame.type === type && which(frame as ServerFrameOf<T>)
    return this.until(() => this.received.find(wanted), type)
  }

  closing(): Promise<Closed> {
    return new Promise((resolve) => {
      const look = () => {
        if (this.closed === null) return
        this.#listeners.delete(look)
        resolve(this.closed)
      }
      this.#listeners.add(look)
      look()
    })
  }

  /** Sends a frame and gives its id. */
  send(frame: Sent): string {
    const id = 'id' in frame && frame.id !== undefined ? frame.id : this.nextId()
    this.raw(JSON.stringify({ ...frame, ...(hasNoId(frame.type) ? {} : { id }) }))
    return id
  }

  /** Sends a request and gives its answer, whichever it is. */
  async ask(frame: Sent): Promise<ServerFrame> {
    return this.answer(this.send(frame))
  }

  answer(id: string): Promise<ServerFrame> {
    return this.until(
      () => this.received.find((each) => 'replyTo' in each && each.replyTo === id),
      `an answer to ${id}`,
    )
  }

  raw(data: string | Buffer, options: { binary?: boolean } = {}): void {
    this.ws.send(data, { binary: options.binary ?? false })
  }

  nextId(): string {
    this.#ids += 1
    return `t${this.#ids}`
  }

  /** Ends the connection as a cut line does. */
  cut(): void {
    this.ws.terminate()
  }

  events(channel: string): ServerFrameOf<'channel.event'>[] {
    return this.received.filter((frame) => frame.type === 'channel.event' && frame.channel === channel) as never
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}

function hasNoId(type: string): boolean {
  return type === 'receipt.mark' || type === 'typing.set' || type === 'session.activity'
}

/** A socket on which `person` has signed in. `at`: another node. */
export async function openSocket(person: Person, at: Reachable = person.server): Promise<TestSocket> {
  const socket = new TestSocket(at)
  const { nonce } = await socket.frame('session.challenge')
  socket.send({ type: 'session.authenticate', token: person.token, proof: person.socketProof(nonce, {}, at) })
  await socket.frame('session.authenticated')
  return socket
}
