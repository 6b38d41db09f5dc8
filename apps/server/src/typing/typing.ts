import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import { encode } from '../gateway/frame.ts'
import type { Hub } from '../gateway/hub.ts'

/** Who says nothing more has stopped. The SDK repeats itself well within this. */
const EXPIRES_MS = 8_000
/** The same again within this is not told again. */
const REPEAT_MS = 2_000
/** People typing at once on one node, beyond which nobody is told. */
const MAX_TYPING = 20_000

type Typing = {
  readonly tenant: string
  readonly channel: string
  readonly user: string
  toldAt: number
  endsAt: number
}

/** Who is writing where, for as long as it lasts: in memory alone, told as it changes to who reads the channel. */
export class TypingSigns {
  readonly #clock: Clock
  readonly #hub: Hub
  readonly #bus: Bus
  readonly #typing = new Map<string, Typing>()
  #cancelTimer: (() => void) | null = null

  constructor(parts: { readonly clock: Clock; readonly hub: Hub; readonly bus: Bus }) {
    this.#clock = parts.clock
    this.#hub = parts.hub
    this.#bus = parts.bus
  }

  /** On this node: the others are told as well. */
  set(tenant: string, channel: string, user: string, active: boolean): void {
    if (this.learn(tenant, channel, user, active)) {
      this.#bus.publish({ k: 'typing', t: tenant, c: channel, u: user, active })
    }
  }

  /** Here or on another node. Answers whether there was anything to tell. */
  learn(tenant: string, channel: string, user: string, active: boolean): boolean {
    const key = `${tenant}/${channel}/${user}`
    const now = this.#clock.now()
    const known = this.#typing.get(key)
    if (!active) {
      if (known === undefined) return false
      this.#typing.delete(key)
      this.#tell(tenant, channel, user, false)
      return true
    }
    if (known !== undefined) {
      known.endsAt = now + EXPIRES_MS
      if (now - known.toldAt < REPEAT_MS) return false
      known.toldAt = now
    } else {
      if (this.#typing.size >= MAX_TYPING) return false
      this.#typing.set(key, { tenant, channel, user, toldAt: now, endsAt: now + EXPIRES_MS })
    }
    this.#tell(tenant, channel, user, true)
    this.#cancelTimer ??= this.#clock.after(EXPIRES_MS, () => this.#expire())
    return true
  }

  close(): void {
    this.#cancelTimer?.()
    this.#typing.clear()
  }

  #expire(): void {
    const now = this.#clock.now()
    let next = Number.POSITIVE_INFINITY
    for (const [key, { tenant, channel, user, endsAt }] of this.#typing) {
      if (endsAt > now) {
        next = Math.min(next, endsAt)
        continue
      }
      this.#typing.delete(key)
      // Each node notices by itself: nothing is sent over the bus.
      this.#tell(tenant, channel, user, false)
    }
    this.#cancelTimer = next === Number.POSITIVE_INFINITY ? null : this.#clock.after(next - now, () => this.#expire())
  }

  #tell(tenant: string, channel: string, user: string, active: boolean): void {
    if (!this.#hub.isRead(tenant, channel)) return
    const frame = encode({ type: 'typing.changed', channel, user, active })
    for (const reader of this.#hub.readers(tenant, channel)) {
      if (reader.subscriber.actor.user !== user) reader.tell(frame)
    }
  }
}
