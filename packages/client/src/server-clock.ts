/** A `Date` header has seconds, and a slow answer is old: closer than this it says nothing. */
const DATE_HEADER_PRECISION_MS = 2_000

/**
 * The server's time, as far as it is known. Proofs are judged by the server's clock (RFC 9449 §11.1), so a workstation
 * whose own is wrong must correct for it or be locked out.
 */
export class ServerClock {
  readonly #now: () => number
  #offsetMs = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** The server's time in milliseconds since 1970. */
  now(): number {
    return this.#now() + this.#offsetMs
  }

  /** How long from now until a moment of the server's clock, in milliseconds; negative when it is past. */
  until(serverMs: number): number {
    return serverMs - this.now()
  }

  /** Takes a time that the server stated to the millisecond. */
  observe(serverMs: number): void {
    if (Number.isFinite(serverMs)) this.#offsetMs = serverMs - this.#now()
  }

  /** Takes the `Date` header of an answer. True when it showed the clock to be wrong, and corrected it. */
  observeDateHeader(value: string | null): boolean {
    if (value === null) return false
    const date = Date.parse(value)
    // The header is cut to the second: its middle is the better guess.
    const offsetMs = date + 500 - this.#now()
    if (Number.isNaN(date) || Math.abs(offsetMs - this.#offsetMs) <= DATE_HEADER_PRECISION_MS) return false
    this.#offsetMs = offsetMs
    return true
  }
}
