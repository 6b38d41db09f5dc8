import type { ChannelEvent, Member, Receipt, ServerFrameOf } from '@wardline/protocol'
import type { Environment } from './environment.ts'
import { TypingUsers } from './typing.ts'

/** Who is in a channel, how far each has got, who types. Every value is replaced, never changed, when it changes. */
export class ChannelPeople {
  readonly #env: Pick<Environment, 'now' | 'setTimer'>
  readonly #changed: () => void
  readonly #typingUsers: TypingUsers
  #members: readonly Member[] = []
  #receipts: ReadonlyMap<string, Receipt> = new Map()
  #abilities: readonly string[] = []
  #typing: ReadonlySet<string> = new Set()

  constructor(env: Pick<Environment, 'now' | 'setTimer'>, changed: () => void) {
    this.#env = env
    this.#changed = changed
    this.#typingUsers = new TypingUsers(env.setTimer, (users) => {
      this.#typing = users
      changed()
    })
  }

  get members(): readonly Member[] {
    return this.#members
  }

  get receipts(): ReadonlyMap<string, Receipt> {
    return this.#receipts
  }

  get abilities(): readonly string[] {
    return this.#abilities
  }

  get typing(): ReadonlySet<string> {
    return this.#typing
  }

  /** Takes the whole, as each subscription states it. */
  replace({ members, receipts, abilities }: ServerFrameOf<'channel.subscribed'>): void {
    this.#members = members
    this.#receipts = new Map(receipts.map((receipt) => [receipt.user, receipt]))
    this.#abilities = abilities
    this.#changed()
  }

  /** True when the event brought somebody whose name is not known here. */
  apply({ event }: ChannelEvent): boolean {
    if (event.type === 'member.left') {
      this.#members = this.#members.filter(({ user }) => user !== event.user)
      this.#typingUsers.heard(event.user, false)
      this.#changed()
    }
    if (event.type === 'message.posted') this.#typingUsers.heard(event.sender, false)
    return event.type === 'member.joined' && !this.#members.some(({ user }) => user === event.user)
  }

  receiptMoved({ user, delivered, read }: ServerFrameOf<'receipt.moved'>): void {
    const at = new Date(this.#env.now()).toISOString()
    this.#receipts = new Map(this.#receipts).set(user, { user, delivered, read, at })
    this.#changed()
  }

  typingChanged({ user, active }: ServerFrameOf<'typing.changed'>): void {
    this.#typingUsers.heard(user, active)
  }

  /** The line is gone: who typed is not known any more. */
  down(): void {
    this.#typingUsers.clear()
  }
}
