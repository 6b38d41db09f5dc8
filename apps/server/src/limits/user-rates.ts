import type { SignedInLimits } from '@wardline/protocol'
import type { Bus, Hint } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import { TokenBucket } from '../gateway/token-bucket.ts'

/** Nodes tell each other this often how fast a user asks, who asks fast. */
const TELL_MS = 1_000
/** What another node has told counts for so long. */
const TOLD_MS = 2_500
/** Slower than this part of the limit, a user is not worth telling of. */
const WORTH_TELLING = 0.25
/** What a node leaves a user in any case, of the limit: hints are hints. */
const LEAST_SHARE = 0.1
/** Refusals forgiven in a second over HTTP, and as many at once as a burst has. */
const FORGIVEN_PER_SECOND = 1

export type UserRateLimits = Pick<SignedInLimits, 'userRequestsPerSecond' | 'userRequestBurst' | 'holdOffMs'>

type Told = { readonly perSecond: number; readonly until: number }

type User = {
  readonly requests: TokenBucket
  readonly patience: TokenBucket
  readonly elsewhere: Map<string, Told>
  asked: number
  heldUntil: number
}

/**
 * How fast one user may ask, over all their sockets and HTTP together; and who is held off after going on and on. On each node
 * a bucket of its own, which fills the slower the more the user asks of other nodes, as those tell: about one limit for all of them,
 * without a look at the store. A hold is told to every node.
 */
export class UserRates {
  readonly #limits: UserRateLimits
  readonly #clock: Clock
  readonly #bus: Pick<Bus, 'publish'>
  readonly #node: string
  readonly #users = new Map<string, User>()
  readonly #stop: () => void

  /** `node`: this one's name, which no other has. */
  constructor(parts: { limits: UserRateLimits; clock: Clock; bus: Pick<Bus, 'publish'>; node: string }) {
    this.#limits = parts.limits
    this.#clock = parts.clock
    this.#bus = parts.bus
    this.#node = parts.node
    this.#stop = parts.clock.every(TELL_MS, () => this.#tell())
  }

  /** Counts one request. Answers 0, or in how many milliseconds the next one may come; then this one is not to be done. */
  take(tenant: string, user: string): number {
    const it = this.#of(tenant, user)
    it.asked += 1
    return it.requests.take(this.#clock.now())
  }

  /** A call of theirs was one too many. When they have used up our patience too, they are held off. Whether that is now. */
  losePatience(tenant: string, user: string): boolean {
    const tooMuch = this.#of(tenant, user).patience.take(this.#clock.now()) > 0
    return tooMuch && this.hold(tenant, user)
  }

  /** Lets the user in nowhere for `holdOffMs`; what they have open goes on. False where they are held off already. */
  hold(tenant: string, user: string): boolean {
    const until = this.#clock.now() + this.#limits.holdOffMs
    if (this.heldFor(tenant, user) > 0) return false
    this.#of(tenant, user).heldUntil = until
    this.#bus.publish({ k: 'held', t: tenant, u: user, until })
    return true
  }

  /** For how many milliseconds more the user is held off; 0 where they are not. */
  heldFor(tenant: string, user: string): number {
    const heldUntil = this.#users.get(`${tenant}/${user}`)?.heldUntil ?? 0
    return Math.max(0, heldUntil - this.#clock.now())
  }

  /** What another node tells of a user. A hold is taken for no longer than one of our own would be. */
  learn(hint: Hint & { k: 'held' | 'rate' }): void {
    const it = this.#of(hint.t, hint.u)
    const now = this.#clock.now()
    if (hint.k === 'held') it.heldUntil = Math.max(it.heldUntil, Math.min(hint.until, now + this.#limits.holdOffMs))
    else {
      it.elsewhere.set(hint.n, { perSecond: hint.r, until: now + TOLD_MS })
      this.#pace(it, now)
    }
  }

  close(): void {
    this.#stop()
    this.#users.clear()
  }

  #of(tenant: string, user: string): User {
    const key = `${tenant}/${user}`
    const known = this.#users.get(key)
    if (known !== undefined) return known
    const now = this.#clock.now()
    const { userRequestsPerSecond: perSecond, userRequestBurst: burst } = this.#limits
    const it = {
      requests: new TokenBucket(perSecond, burst, now),
      patience: new TokenBucket(FORGIVEN_PER_SECOND, burst, now),
      elsewhere: new Map<string, Told>(),
      asked: 0,
      heldUntil: 0,
    }
    this.#users.set(key, it)
    return it
  }

  /** Once a second: tells of those who ask fast, lets what was told lapse, and forgets who is as good as new. */
  #tell(): void {
    const now = this.#clock.now()
    for (const [key, it] of this.#users) {
      const perSecond = Math.round((it.asked * 1_000) / TELL_MS)
      it.asked = 0
      if (it.elsewhere.size > 0) this.#pace(it, now)
      if (perSecond >= this.#limits.userRequestsPerSecond * WORTH_TELLING) {
        const [t = '', u = ''] = key.split('/')
        this.#bus.publish({ k: 'rate', t, u, n: this.#node, r: perSecond })
      } else if (now >= it.heldUntil && it.elsewhere.size === 0 && it.requests.isFull(now) && it.patience.isFull(now)) {
        this.#users.delete(key)
      }
    }
  }

  #pace(it: User, now: number): void {
    const limit = this.#limits.userRequestsPerSecond
    let elsewhere = 0
    for (const [node, { perSecond, until }] of it.elsewhere) {
      if (now >= until) it.elsewhere.delete(node)
      else elsewhere += perSecond
    }
    it.requests.refillAt(Math.max(limit * LEAST_SHARE, limit - elsewhere), now)
  }
}
