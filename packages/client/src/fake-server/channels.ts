import type {
  ChannelEvent,
  ChannelSummary,
  MessagePost,
  Receipt,
  ServerFrameOf,
  SignedInUser,
} from '@wardline/protocol'
import { type FakeChannelOptions, fakeId } from './fixtures.ts'

type EventBody = ChannelEvent['event']

export type Committed = { message: string; seq: number; at: string; repeated: boolean; event: ChannelEvent }

/** One channel as a server holds it: its events are the truth, and each `(sender, clientId)` has one (P4). */
export class FakeChannel {
  readonly id: string
  readonly events: ChannelEvent[] = []
  readonly members: Set<string>
  readonly receipts = new Map<string, Receipt>()
  readonly #options: FakeChannelOptions
  readonly #people: readonly SignedInUser[]
  readonly #now: () => number
  readonly #posts = new Map<string, { digest: string; committed: Committed }>()

  constructor(options: FakeChannelOptions, people: readonly SignedInUser[], now: () => number) {
    this.id = options.id
    this.#options = options
    this.#people = people
    this.#now = now
    this.members = new Set(options.members ?? people.map(({ id }) => id))
  }

  get head(): number {
    return this.events.length
  }

  /** Appends an event. */
  append(event: EventBody): ChannelEvent {
    const frame: ChannelEvent = {
      type: 'channel.event',
      channel: this.id,
      seq: this.head + 1,
      at: new Date(this.#now()).toISOString(),
      event,
    }
    this.events.push(frame)
    return frame
  }

  /** Commits a post, or finds the first of its kind. Undefined: another post has this `clientId`. */
  post(
    sender: string,
    post: Omit<MessagePost, 'type' | 'id' | 'channel' | 'body'> & { body: string },
  ): Committed | undefined {
    const { clientId, body, priority = 'routine', intent = null, ackRequired = false, inReplyTo = null } = post
    const key = `${sender} ${clientId}`
    const digest = JSON.stringify([body, priority, intent, ackRequired, inReplyTo])
    const earlier = this.#posts.get(key)
    if (earlier !== undefined) return earlier.digest === digest ? { ...earlier.committed, repeated: true } : undefined
    const message = fakeId(0x100000 + Number.parseInt(this.id.slice(-4), 16) * 0x10000 + this.head)
    const event = this.append({
      type: 'message.posted',
      message,
      sender,
      clientId,
      body,
      priority,
      intent,
      ackRequired,
      inReplyTo,
      mentions: post.mentions ?? [],
      attachments: post.attachments ?? [],
      to: post.to ?? [],
    })
    const committed = { message, seq: event.seq, at: event.at, repeated: false, event }
    this.#posts.set(key, { digest, committed })
    return committed
  }

  receiptOf(user: string): Receipt {
    return this.receipts.get(user) ?? { user, delivered: 0, read: 0, at: null }
  }

  /** Moves a receipt forward, never past the head. True when it moved. */
  mark(user: string, marks: { delivered?: number | undefined; read?: number | undefined }): boolean {
    const before = this.receiptOf(user)
    const read = Math.max(before.read, Math.min(marks.read ?? 0, this.head))
    const delivered = Math.max(before.delivered, read, Math.min(marks.delivered ?? 0, this.head))
    this.receipts.set(user, { user, delivered, read, at: new Date(this.#now()).toISOString() })
    return delivered !== before.delivered || read !== before.read
  }

  subscribed(replyTo: string): ServerFrameOf<'channel.subscribed'> {
    const members = this.#people.filter(({ id }) => this.members.has(id))
    return {
      type: 'channel.subscribed',
      replyTo,
      channel: this.id,
      head: this.head,
      members: members.map(({ id, displayName, title, roles }) => ({
        user: id,
        displayName,
        title,
        role: roles[0] ?? null,
        until: null,
      })),
      receipts: members.map(({ id }) => this.receiptOf(id)),
      abilities: [...(this.#options.abilities ?? ['message.post'])],
    }
  }

  inboxOf(user: string): ServerFrameOf<'inbox.changed'> {
    const { read } = this.receiptOf(user)
    const unread = this.events.filter(({ seq, event }) => {
      return seq > read && event.type === 'message.posted' && event.sender !== user
    })
    const urgent = unread.filter(({ event }) => event.type === 'message.posted' && event.priority !== 'routine')
    return { type: 'inbox.changed', channel: this.id, head: this.head, unread: unread.length, urgent: urgent.length }
  }

  summaryFor(user: string): ChannelSummary {
    const { head, unread, urgent } = this.inboxOf(user)
    const { kind = 'group', title = 'Night shift', patient = null, with: others = [], abilities } = this.#options
    return {
      id: this.id,
      kind,
      title: kind === 'group' ? title : null,
      patient,
      with: others,
      head,
      read: this.receiptOf(user).read,
      unread,
      urgent,
      awaiting: this.#awaitingOf(user),
      lastAt: this.events.at(-1)?.at ?? null,
      abilities: [...(abilities ?? ['message.post'])],
    }
  }
  #awaitingOf(user: string): ChannelSummary['awaiting'] {
    const settled = new Set<string>()
    for (const { event } of this.events) {
      if (event.type === 'message.recalled' || (event.type === 'message.acknowledged' && event.by === user)) {
        settled.add(event.message)
      }
    }
    const counts = { stat: 0, urgent: 0, routine: 0 }
    const oldest: Partial<Record<keyof typeof counts, string>> = {}
    for (const { at, event } of this.events) {
      if (event.type !== 'message.posted' || !event.ackRequired || event.sender === user) continue
      if (settled.has(event.message)) continue
      counts[event.priority] += 1
      oldest[event.priority] ??= at
    }
    return { ...counts, since: oldest.stat ?? oldest.urgent ?? oldest.routine ?? null }
  }
}
