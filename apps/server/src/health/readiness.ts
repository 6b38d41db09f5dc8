import type { Clock } from '../clock.ts'
import { Coalesced } from '../coalesced.ts'
import type { Database } from '../storage/open.ts'

/** A check that takes longer has failed, in milliseconds. */
const CHECK_MS = 2_000

export type ReadinessReport = { readonly ready: boolean; readonly checks: Readonly<Record<string, 'ok' | 'failed'>> }

/** Whether this node should be given work. Not while it drains; not without its database. */
export class Readiness {
  /** One for all who ask at once, who may be anybody. */
  readonly #ping: Coalesced
  readonly #clock: Clock
  readonly #shown = new Map<string, () => boolean>()
  #draining = false

  constructor(database: Pick<Database, 'ping'>, clock: Clock) {
    this.#ping = new Coalesced(() => database.ping())
    this.#clock = clock
  }

  /** From now on this node wants no more work. */
  drain(): void {
    this.#draining = true
  }

  /**
   * Reports this too, without making the node unready by it: what must be mended, but would be no better off on another node while
   * patients' messages wait.
   */
  show(name: string, isWell: () => boolean): void {
    this.#shown.set(name, isWell)
  }

  async report(): Promise<ReadinessReport> {
    const checks = {
      draining: this.#draining ? 'failed' : 'ok',
      database: (await this.#answersInTime(this.#ping.run())) ? 'ok' : 'failed',
    } as const
    const shown = [...this.#shown].map(([name, isWell]) => [name, isWell() ? 'ok' : 'failed'] as const)
    const ready = Object.values(checks).every((state) => state === 'ok')
    return { ready, checks: { ...checks, ...Object.fromEntries(shown) } }
  }

  async #answersInTime(check: Promise<void>): Promise<boolean> {
    let cancel = () => {}
    const tooLate = new Promise<boolean>((resolve) => {
      cancel = this.#clock.after(CHECK_MS, () => resolve(false))
    })
    const answered = check.then(
      () => true,
      () => false,
    )
    return Promise.race([answered, tooLate]).finally(() => cancel())
  }
}
