import type { Cancel, Environment } from './environment.ts'

/** Marks are gathered for so long, so that a replay of a thousand events sends one. Milliseconds. */
const GATHER_MS = 250

type Marks = { delivered: number; read: number }

/** Tells the server how far this person has got: gathered, only ever forward, and again where it was lost. */
export class ReceiptMarker {
  readonly #setTimer: Environment['setTimer']
  /** False when it could not be sent now. */
  readonly #send: (marks: Partial<Marks>) => boolean
  #wanted: Marks = { delivered: 0, read: 0 }
  #known: Marks = { delivered: 0, read: 0 }
  #timer: Cancel | null = null
  #live = false

  constructor(setTimer: Environment['setTimer'], send: (marks: Partial<Marks>) => boolean) {
    this.#setTimer = setTimer
    this.#send = send
  }

  /** What is read has also been delivered. */
  mark({ delivered = 0, read = 0 }: Partial<Marks>): void {
    this.#wanted = {
      delivered: Math.max(this.#wanted.delivered, delivered, read),
      read: Math.max(this.#wanted.read, read),
    }
    this.#schedule()
  }

  /** The channel is live, and this is what the server holds: what was marked beyond it has been lost, and is sent again. */
  start(marks: Marks): void {
    this.#live = true
    this.#known = { delivered: marks.delivered, read: marks.read }
    this.#schedule()
  }

  /** The line or the channel is gone: marks wait for the next start. */
  stop(): void {
    this.#live = false
    this.#timer?.()
    this.#timer = null
  }

  #schedule(): void {
    if (this.#live && this.#behind()) this.#timer ??= this.#setTimer(GATHER_MS, () => this.#flush())
  }

  #behind(): boolean {
    return this.#wanted.delivered > this.#known.delivered || this.#wanted.read > this.#known.read
  }

  #flush(): void {
    this.#timer = null
    const marks: Partial<Marks> = {}
    if (this.#wanted.delivered > this.#known.delivered) marks.delivered = this.#wanted.delivered
    if (this.#wanted.read > this.#known.read) marks.read = this.#wanted.read
    if (this.#send(marks)) this.#known = { ...this.#wanted }
    else this.#schedule()
  }
}
