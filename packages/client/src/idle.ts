import type { SessionTimes } from '@wardline/protocol'
import type { Cancel, Environment } from './environment.ts'
import type { Tabs } from './tabs.ts'

/** The server is told at most this often that somebody is there; at once where the screen is about to be locked. */
const TELL_MS = 10_000

type IdleDeps = {
  env: Pick<Environment, 'now' | 'setTimer'>
  tabs: Tabs
  /** Tells the server; false where there is no line. */
  tell: () => boolean
  isLive: () => boolean
  /** Whether a warning is on the screen. */
  isWarned: () => boolean
  /** Nobody has been there for too long, and the server cannot be asked. */
  lock: () => void
}

/**
 * Whether somebody is at this screen. The server decides when a session is locked. Where it cannot be reached, this side
 * does by the same time, in a program that reports what its person does: a screen is not left open because the network is away.
 */
export class Idle {
  readonly #deps: IdleDeps
  readonly #leaveTabs: () => void
  #times: Pick<SessionTimes, 'idleMs'> | null = null
  #seenAt: number | null = null
  #toldAt = Number.NEGATIVE_INFINITY
  #timer: Cancel | null = null

  constructor(deps: IdleDeps) {
    this.#deps = deps
    this.#leaveTabs = deps.tabs.onMessage((message) => {
      if (message.kind === 'active' && this.#seenAt !== null) this.#seen()
    })
  }

  /** The person does something. */
  active(): void {
    const now = this.#seen()
    if (!this.#deps.isWarned() && now - this.#toldAt < TELL_MS && now >= this.#toldAt) return
    this.#toldAt = now
    this.#deps.tabs.post({ kind: 'active' })
    this.#deps.tell()
  }

  /** The server has said what locks the session. */
  begin(times: Pick<SessionTimes, 'idleMs'>): void {
    this.#times = times
    this.#look()
  }

  /** Nobody is signed in, or the session is locked. */
  end(): void {
    this.#timer?.()
    this.#timer = null
    this.#times = null
    this.#seenAt = null
    this.#toldAt = Number.NEGATIVE_INFINITY
  }

  close(): void {
    this.end()
    this.#leaveTabs()
  }

  #seen(): number {
    this.#seenAt = this.#deps.env.now()
    return this.#seenAt
  }

  #look(): void {
    this.#timer?.()
    this.#timer = null
    const idleMs = this.#times?.idleMs ?? null
    if (idleMs === null) return
    const now = this.#deps.env.now()
    // A clock that was set back must not make the wait longer.
    const leftMs = Math.min(idleMs, (this.#seenAt ?? now) + idleMs - now)
    if (leftMs <= 0 && !this.#deps.isLive()) return this.#deps.lock()
    this.#timer = this.#deps.env.setTimer(Math.max(leftMs, 1_000), () => this.#look())
  }
}
