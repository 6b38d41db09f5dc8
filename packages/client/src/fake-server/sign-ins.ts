import type { SignedInUser } from '@wardline/protocol'

type Holder = { user: SignedInUser; family: string }

/** The tokens that the fake server has given: each family is one sign-in. */
export class SignIns {
  readonly #now: () => number
  readonly #tokenSeconds: number
  readonly #tokens = new Map<string, Holder & { expiresAt: number }>()
  readonly #refreshes = new Map<string, Holder & { csrfToken: string }>()
  #count = 0

  constructor(now: () => number, tokenSeconds: number) {
    this.#now = now
    this.#tokenSeconds = tokenSeconds
  }

  /** A new sign-in, or new tokens of an old one. */
  grant(user: SignedInUser, family: string = `family-${++this.#count}`) {
    const accessToken = `access.${++this.#count}.unsigned`
    const refresh = `refresh-${this.#count}`
    const csrfToken = `csrf-${family}`
    this.#tokens.set(accessToken, { user, family, expiresAt: this.#now() + this.#tokenSeconds * 1000 })
    this.#refreshes.set(refresh, { user, family, csrfToken })
    return { accessToken, refresh, csrfToken, expiresIn: this.#tokenSeconds }
  }

  /** Whose token this is, while it lives. */
  holderOf(token: string) {
    const holder = this.#tokens.get(token)
    return holder !== undefined && holder.expiresAt > this.#now() ? holder : undefined
  }

  /** Whose refresh token this is. It is spent by the question. */
  spend(refresh: string | null, csrfToken: string | undefined): Holder | undefined {
    const held = refresh === null ? undefined : this.#refreshes.get(refresh)
    if (refresh === null || held === undefined || held.csrfToken !== csrfToken) return undefined
    this.#refreshes.delete(refresh)
    return held
  }

  /** Ends the sign-in that either token belongs to, and says whose it was. */
  end(token: string | undefined, refresh: string | null): SignedInUser | undefined {
    const holder = this.#tokens.get(token ?? '') ?? this.#refreshes.get(refresh ?? '')
    if (holder === undefined) return undefined
    for (const [other, { family }] of this.#tokens) if (family === holder.family) this.#tokens.delete(other)
    for (const [other, { family }] of this.#refreshes) if (family === holder.family) this.#refreshes.delete(other)
    return holder.user
  }

  spoilTokens(): void {
    this.#tokens.clear()
  }

  endAll(): void {
    this.#tokens.clear()
    this.#refreshes.clear()
  }
}
