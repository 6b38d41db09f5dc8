import type { Limits, ServerFrame } from '@wardline/protocol'
import type { Cancel, Environment } from './environment.ts'
import { Pace } from './pace.ts'
import type { Notice, Outcome, Request } from './request.ts'

/** A request that has no answer for so long has none to come: the line is dead. Milliseconds. */
const ANSWER_MS = 10_000
/** Requests that wait for their turn. More are refused here, as the server would. */
const WAITING = 2_000

type Waiting = { readonly text: string; readonly id: string | null }
type Pending = { readonly done: (outcome: Outcome) => void; readonly sentAt: number | null }

type Wire = {
  send(text: string): void
  /** A request was not answered in time. */
  unanswered(): void
}

/**
 * The requests of one line: sent in order, as fast and as many as the server's limits allow, each settled exactly once.
 */
export class RequestQueue {
  readonly #limits: Limits
  readonly #env: Pick<Environment, 'now' | 'setTimer'>
  readonly #wire: Wire
  readonly #pace: Pace
  readonly #waiting: Waiting[] = []
  readonly #pending = new Map<string, Pending>()
  #inFlight = 0
  #next = 1
  #pumping: Cancel | null = null
  #checking: Cancel | null = null

  constructor(limits: Limits, env: Pick<Environment, 'now' | 'setTimer'>, wire: Wire) {
    this.#limits = limits
    this.#env = env
    this.#wire = wire
    this.#pace = new Pace(limits, env.now)
  }

  /** Sends when its turn comes; `done` runs exactly once. */
  ask(request: Request, done: (outcome: Outcome) => void): void {
    if (this.#waiting.length >= WAITING) {
      done({ is: 'refused', error: { code: 'rate-limited', retry: 'later', retryAfterMs: 1000 } })
      return
    }
    const id = this.#newId()
    const text = JSON.stringify({ ...request, id })
    if (!this.#fits(text)) {
      done({ is: 'refused', error: { code: 'too-large', retry: 'never' } })
      return
    }
    this.#pending.set(id, { done, sentAt: null })
    this.#waiting.push({ text, id })
    this.#pump()
  }

  /** Sends before all that waits, and over the pace: a renewal must not be late. */
  askAtOnce(request: { type: 'session.renew'; token: string; proof: string }): void {
    const id = this.#newId()
    this.#pending.set(id, { done: () => undefined, sentAt: null })
    this.#put({ text: JSON.stringify({ ...request, id }), id })
  }

  /** Sends what has no answer, at once or not at all: where requests wait, they matter more. True when it was sent. */
  tell(notice: Notice): boolean {
    if (this.#waiting.length > 0 || this.#pace.waitMs() > 0) return false
    this.#put({ text: JSON.stringify(notice), id: null })
    return true
  }

  /** Hands an answer to its request. False when nobody asked. */
  settle(frame: ServerFrame & { replyTo?: string | undefined }): boolean {
    const id = frame.replyTo
    const pending = id === undefined ? undefined : this.#pending.get(id)
    if (id === undefined || pending === undefined || pending.sentAt === null) return false
    this.#pending.delete(id)
    this.#inFlight -= 1
    pending.done(frame.type === 'error' ? { is: 'refused', error: frame } : { is: 'answered', frame })
    this.#pump()
    return true
  }

  /** The line has ended: everything unsettled is lost. */
  abandon(): void {
    this.#pumping?.()
    this.#checking?.()
    const unsettled = [...this.#pending.values()]
    this.#pending.clear()
    this.#waiting.length = 0
    for (const { done } of unsettled) done({ is: 'lost' })
  }

  #newId(): string {
    return `r${this.#next++}`
  }

  #fits(text: string): boolean {
    // A UTF-16 unit is at most three bytes of UTF-8: most frames need not be counted.
    return (
      text.length * 3 <= this.#limits.frameBytes || new TextEncoder().encode(text).length <= this.#limits.frameBytes
    )
  }

  #pump(): void {
    while (this.#waiting.length > 0 && this.#inFlight < this.#limits.inFlight) {
      const waitMs = this.#pace.waitMs()
      if (waitMs > 0) {
        this.#pumping ??= this.#env.setTimer(waitMs, () => {
          this.#pumping = null
          this.#pump()
        })
        return
      }
      const first = this.#waiting.shift()
      if (first !== undefined) this.#put(first)
    }
  }

  #put({ text, id }: Waiting): void {
    this.#pace.take()
    if (id !== null) {
      const pending = this.#pending.get(id)
      if (pending === undefined) return
      this.#pending.set(id, { ...pending, sentAt: this.#env.now() })
      this.#inFlight += 1
      this.#checking ??= this.#env.setTimer(ANSWER_MS, () => this.#check())
    }
    this.#wire.send(text)
  }

  /** One timer for all: it looks at the oldest, and comes back when that one is due. */
  #check(): void {
    this.#checking = null
    for (const { sentAt } of this.#pending.values()) {
      if (sentAt === null) continue
      const leftMs = sentAt + ANSWER_MS - this.#env.now()
      if (leftMs <= 0) this.#wire.unanswered()
      // A clock that was set back must not make the wait longer.
      else this.#checking = this.#env.setTimer(Math.min(leftMs, ANSWER_MS), () => this.#check())
      return
    }
  }
}
