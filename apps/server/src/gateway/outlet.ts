import type { Frame } from './frame.ts'

/** Takes bytes for one socket. `written` is called once, when the kernel has them or never will. */
export interface Sink {
  write(bytes: Buffer, written: () => void): void
}

/** For whom a frame is: once it is closed, frames of it that still wait are not written (P5). */
export interface Owner {
  readonly closed: boolean
}

/** Bytes handed over in one write at most: what can no longer be taken back after a revocation. */
const MAX_WRITE_BYTES = 64 * 1024

/**
 * Gathers what is sent to many sockets during one turn of the event loop, then lets each write once: the one thing that makes
 * a fan-out cheap, above all over TLS, where each write is a record and a system call (design: measures.md).
 */
export class Turn {
  #waiting: Outlet[] = []
  readonly #schedule: (run: () => void) => void
  readonly #run = (): void => this.end()

  constructor(schedule: (run: () => void) => void = setImmediate) {
    this.#schedule = schedule
  }

  add(outlet: Outlet): void {
    if (this.#waiting.length === 0) this.#schedule(this.#run)
    this.#waiting.push(outlet)
  }

  end(): void {
    const outlets = this.#waiting
    this.#waiting = []
    for (const outlet of outlets) outlet.flush()
  }
}

/**
 * What waits to be written to one socket. One write is under way at a time, and whatever is not in it can still be dropped:
 * the stream below never queues. `backlog` is the measure of a slow reader.
 */
export class Outlet {
  #frames: Frame[] = []
  #owners: (Owner | null)[] = []
  #waitingBytes = 0
  #writingBytes = 0
  #inTurn = false
  #stopped = false
  readonly #sink: Sink
  readonly #turn: Turn
  readonly #onWritten: () => void
  readonly #written = (): void => this.#afterWrite()

  /** `onWritten` is called after each write, when `backlog` has fallen. */
  constructor(sink: Sink, turn: Turn, onWritten: () => void) {
    this.#sink = sink
    this.#turn = turn
    this.#onWritten = onWritten
  }

  /** Bytes that the peer has not taken yet. */
  get backlog(): number {
    return this.#waitingBytes + this.#writingBytes
  }

  push(frame: Frame, owner: Owner | null): void {
    if (this.#stopped) return
    this.#frames.push(frame)
    this.#owners.push(owner)
    this.#waitingBytes += frame.length
    if (this.#inTurn || this.#writingBytes > 0) return
    this.#inTurn = true
    this.#turn.add(this)
  }

  /** Writes what waits, up to one write's worth, unless a write is under way. */
  flush(): void {
    this.#inTurn = false
    if (this.#writingBytes > 0 || this.#frames.length === 0) return
    const bytes = this.#take()
    if (bytes === null) return
    this.#writingBytes = bytes.length
    this.#sink.write(bytes, this.#written)
  }

  /** Nothing more is taken, and what waits is written if nothing is under way, else dropped. Then the socket is closed. */
  finish(): void {
    this.flush()
    this.discard()
  }

  /** Nothing more is taken, and nothing that waits is written: after a revocation. */
  discard(): void {
    this.#stopped = true
    this.#frames = []
    this.#owners = []
    this.#waitingBytes = 0
  }

  #take(): Buffer | null {
    const frames = this.#frames
    const first = frames[0]
    if (frames.length === 1 && first !== undefined) {
      const dropped = this.#owners[0]?.closed === true
      frames.length = 0
      this.#owners.length = 0
      this.#waitingBytes = 0
      return dropped ? null : first
    }
    return this.#takeSeveral(frames)
  }

  #takeSeveral(frames: Frame[]): Buffer | null {
    const chosen: Frame[] = []
    let bytes = 0
    let next = 0
    for (; next < frames.length; next += 1) {
      const frame = frames[next]
      if (frame === undefined) break
      if (bytes > 0 && bytes + frame.length > MAX_WRITE_BYTES) break
      this.#waitingBytes -= frame.length
      if (this.#owners[next]?.closed === true) continue
      chosen.push(frame)
      bytes += frame.length
    }
    this.#frames = next === frames.length ? [] : frames.slice(next)
    this.#owners = next === frames.length ? [] : this.#owners.slice(next)
    if (chosen.length === 0) return null
    const [only] = chosen
    return chosen.length === 1 && only !== undefined ? only : Buffer.concat(chosen, bytes)
  }

  #afterWrite(): void {
    this.#writingBytes = 0
    if (!this.#stopped && this.#frames.length > 0) this.flush()
    this.#onWritten()
  }
}
