import type { Cancel } from '../environment.ts'
import type { SocketListener } from '../socket-like.ts'

/** A frame on its way. `up`: from the client. `index`: the how-manieth of this direction on this wire, from 0. */
export type Passing = {
  readonly direction: 'up' | 'down'
  readonly index: number
  /** The how-manieth wire of the server this is, from 0. */
  readonly wire: number
  readonly text: string
  /** The frame's `type`; empty where it cannot be read. */
  readonly type: string
}

/** What happens to a frame. A cut is noticed by both sides at once, as code 1006. */
export type Fate = 'deliver' | 'drop' | 'twice' | 'cut-before' | 'cut-after' | { readonly delayMs: number }

/** Decides the fate of every frame; deliver where there is none. */
export type FaultPlan = (passing: Passing) => Fate

type WireDeps = {
  index: number
  plan: () => FaultPlan | null
  setTimer: (ms: number, run: () => void) => Cancel
  /** Something happened: whoever waits for quiet waits on. */
  moved: () => void
}

type End = { received(text: string): void; closed(code: number): void }

/** Both ends of one socket in memory, frame by frame, each in a turn of its own. */
export class Wire {
  readonly index: number
  readonly #deps: WireDeps
  readonly #client: SocketListener
  readonly #server: () => End
  readonly #counts = { up: 0, down: 0 }
  readonly #queue: (() => void)[] = []
  #running = false
  #open = true
  #frozen = false

  constructor(client: SocketListener, server: () => End, deps: WireDeps) {
    this.index = deps.index
    this.#deps = deps
    this.#client = client
    this.#server = server
  }

  get open(): boolean {
    return this.#open
  }

  up(text: string): void {
    this.#pass('up', text, () => this.#server().received(text))
  }

  down(text: string): void {
    this.#pass('down', text, () => this.#client.received(text))
  }

  /** A binary frame, which the protocol does not have. */
  downBinary(): void {
    this.#run(() => this.#client.received(null))
  }

  /** The server closes, after what it has sent. */
  closeDown(code: number): void {
    this.#run(() => this.#end(code, code))
  }

  /** The client closes. */
  closeUp(code: number): void {
    this.#run(() => this.#end(code, code))
  }

  /** The line breaks: both sides see 1006, and what is on its way is gone. */
  cut(): void {
    this.#queue.length = 0
    this.#end(1006, 1006)
  }

  /** The line goes silent, and nobody is told. */
  freeze(): void {
    this.#frozen = true
  }

  #pass(direction: 'up' | 'down', text: string, deliver: () => void): void {
    if (!this.#open) return
    const passing: Passing = {
      direction,
      index: this.#counts[direction]++,
      wire: this.index,
      text,
      type: typeOf(text),
    }
    const fate = this.#deps.plan()?.(passing) ?? 'deliver'
    if (typeof fate === 'object') {
      this.#deps.setTimer(fate.delayMs, () => this.#run(deliver))
      return
    }
    switch (fate) {
      case 'drop':
        return
      case 'deliver':
        this.#run(deliver)
        return
      case 'twice':
        this.#run(deliver)
        this.#run(deliver)
        return
      case 'cut-before':
        this.#run(() => this.cut())
        return
      case 'cut-after':
        this.#run(() => {
          deliver()
          this.cut()
        })
    }
  }

  #run(work: () => void): void {
    this.#queue.push(work)
    if (this.#running) return
    this.#running = true
    queueMicrotask(() => this.#next())
  }

  #next(): void {
    this.#deps.moved()
    const work = this.#queue.shift()
    if (work !== undefined && this.#open && !this.#frozen) work()
    if (this.#queue.length > 0) queueMicrotask(() => this.#next())
    else this.#running = false
  }

  #end(clientSees: number, serverSees: number): void {
    if (!this.#open) return
    this.#open = false
    this.#deps.moved()
    this.#server().closed(serverSees)
    this.#client.closed(clientSees)
  }
}

function typeOf(text: string): string {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && 'type' in value ? String(value.type) : ''
  } catch {
    return ''
  }
}
