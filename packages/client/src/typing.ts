import type { Cancel, Environment } from './environment.ts'

/** While somebody types, it is said this often; who hears nothing more for `HEARD_MS` takes it for over. Milliseconds. */
const REPEAT_MS = 3_000
const HEARD_MS = 8_000
/** Without a further key for so long, a person has stopped. */
const PAUSED_MS = 5_000

/** Says that this person types: seldom, and that it is over when they pause. */
export class TypingSignal {
  readonly #env: Pick<Environment, 'now' | 'setTimer'>
  readonly #send: (active: boolean) => void
  #saidAt: number | null = null
  #pause: Cancel | null = null

  constructor(env: Pick<Environment, 'now' | 'setTimer'>, send: (active: boolean) => void) {
    this.#env = env
    this.#send = send
  }

  /** To be called at every key, and with false when the text is sent or thrown away. */
  set(active: boolean): void {
    this.#pause?.()
    this.#pause = null
    if (!active) {
      if (this.#saidAt !== null) this.#send(false)
      this.#saidAt = null
      return
    }
    const now = this.#env.now()
    if (this.#saidAt === null || now - this.#saidAt >= REPEAT_MS) {
      this.#saidAt = now
      this.#send(true)
    }
    this.#pause = this.#env.setTimer(PAUSED_MS, () => this.set(false))
  }

  /** The line or the channel is gone: nothing is said. */
  stop(): void {
    this.#pause?.()
    this.#pause = null
    this.#saidAt = null
  }
}

/** Who types now, by what was heard. Each entry ends by itself: the word that it is over may be lost. */
export class TypingUsers {
  readonly #setTimer: Environment['setTimer']
  readonly #changed: (users: ReadonlySet<string>) => void
  readonly #timers = new Map<string, Cancel>()

  constructor(setTimer: Environment['setTimer'], changed: (users: ReadonlySet<string>) => void) {
    this.#setTimer = setTimer
    this.#changed = changed
  }

  heard(user: string, active: boolean): void {
    const timer = this.#timers.get(user)
    timer?.()
    if (active)
      this.#timers.set(
        user,
        this.#setTimer(HEARD_MS, () => this.heard(user, false)),
      )
    else this.#timers.delete(user)
    if ((timer !== undefined) !== active) this.#changed(new Set(this.#timers.keys()))
  }

  clear(): void {
    for (const cancel of this.#timers.values()) cancel()
    const some = this.#timers.size > 0
    this.#timers.clear()
    if (some) this.#changed(new Set())
  }
}
