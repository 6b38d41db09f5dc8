import { type Actor, decide, type PolicySettings } from '@wardline/policy'
import type { KnownChannels } from '../channels/known-channels.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { GatewayReads } from '../storage/gateway-reads.ts'
import { encode, type Frame } from './frame.ts'

/** A socket's inbox changes so often at most: one busy channel is one line of a list. */
const QUIET_MS = 1_000
/** What has changed is looked through at this pace, while there is anything. */
const TICK_MS = 100
/** Unread messages are counted up to this. */
export const MAX_UNREAD = 1_000
/** A count made here is checked against the store's after this. */
const TRUSTED_MS = 60_000

/** The socket of somebody who has an inbox. */
export interface InboxHolder {
  readonly tenant: string
  readonly user: string
  readonly actor: Actor
  send(frame: Frame): void
}

/** What of a message an inbox counts. */
export interface Passing {
  readonly seq: number
  readonly sender: string | null
  readonly urgent: boolean
}

/** A channel that is in somebody's inbox: how far it has got, as far as is known here. */
type Passage = { head: number; readonly inboxes: Set<Inbox> }

type Count = { unread: number; urgent: number; readonly readAt: number }

type Inbox = {
  readonly tenant: string
  readonly user: string
  readonly holders: Set<InboxHolder>
  channels: ReadonlyMap<string, number>
  readonly counts: Map<string, Count>
  readonly changed: Set<string>
  quietUntil: number
}

type Parts = {
  readonly clock: Clock
  readonly policy: PolicySettings
  readonly channels: KnownChannels
  readonly readUnread: GatewayReads['readUnread']
  readonly log: Logger
}

/**
 * `inbox.changed` for every channel that is somebody's, subscribed or not: how far it has got and what of it they have not read,
 * never what it says. Counts are kept as messages come by, and read from the store when something was missed.
 */
export class Inboxes {
  readonly #parts: Parts
  readonly #inboxes = new Map<string, Inbox>()
  readonly #byChannel = new Map<string, Map<string, Passage>>()
  readonly #changed = new Set<Inbox>()
  #cancelTick: (() => void) | null = null

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** `channels`: all that are theirs, each with the head that the store had. */
  join(holder: InboxHolder, channels: ReadonlyMap<string, number>): void {
    const key = `${holder.tenant}/${holder.user}`
    const known = this.#inboxes.get(key)
    if (known !== undefined) {
      known.holders.add(holder)
      return
    }
    const { tenant, user } = holder
    const inbox: Inbox = {
      tenant,
      user,
      holders: new Set([holder]),
      channels: new Map(),
      counts: new Map(),
      changed: new Set(),
      quietUntil: 0,
    }
    this.#inboxes.set(key, inbox)
    this.#belong(inbox, channels)
  }

  /** The channels of a user have changed. */
  revise(holder: InboxHolder, channels: ReadonlyMap<string, number>): void {
    const inbox = this.#inboxes.get(`${holder.tenant}/${holder.user}`)
    if (inbox === undefined) return
    const before = inbox.channels
    this.#belong(inbox, channels)
    // A channel that has become theirs is news, even before anybody writes in it.
    for (const channel of channels.keys()) if (!before.has(channel)) this.#mark(inbox, channel)
  }

  leave(holder: InboxHolder): void {
    const key = `${holder.tenant}/${holder.user}`
    const inbox = this.#inboxes.get(key)
    if (inbox === undefined || !inbox.holders.delete(holder) || inbox.holders.size > 0) return
    this.#belong(inbox, new Map())
    this.#inboxes.delete(key)
    this.#changed.delete(inbox)
  }

  /** A message has come by. */
  message(tenant: string, channel: string, { seq, sender, urgent }: Passing): void {
    const there = this.#byChannel.get(tenant)?.get(channel)
    if (there === undefined || seq <= there.head) return
    const isNext = seq === there.head + 1
    there.head = seq
    for (const inbox of there.inboxes) {
      const count = inbox.counts.get(channel)
      if (count === undefined || !isNext) inbox.counts.delete(channel)
      else if (sender !== inbox.user) {
        count.unread += 1
        if (urgent) count.urgent += 1
      }
      this.#mark(inbox, channel)
    }
  }

  /** Somebody says how far the channel has got: what was in between was not seen here. */
  learn(tenant: string, channel: string, head: number): void {
    const there = this.#byChannel.get(tenant)?.get(channel)
    if (there === undefined || head <= there.head) return
    there.head = head
    for (const inbox of there.inboxes) {
      inbox.counts.delete(channel)
      this.#mark(inbox, channel)
    }
  }

  /** Somebody has read further. */
  read(tenant: string, { channel, user, read }: { channel: string; user: string; read: number }): void {
    const inbox = this.#inboxes.get(`${tenant}/${user}`)
    if (inbox?.channels.has(channel) !== true || read === 0) return
    const count = inbox.counts.get(channel)
    const head = this.#byChannel.get(tenant)?.get(channel)?.head ?? 0
    if (count !== undefined && read >= head) Object.assign(count, { unread: 0, urgent: 0 })
    else inbox.counts.delete(channel)
    this.#mark(inbox, channel)
  }

  /** By tenant, the channels whose heads are to be polled: nobody need have a subscription to them. */
  channels(tenant: string): Iterable<string> {
    return this.#byChannel.get(tenant)?.keys() ?? []
  }

  close(): void {
    this.#cancelTick?.()
    this.#changed.clear()
  }

  #belong(inbox: Inbox, channels: ReadonlyMap<string, number>): void {
    const passages = this.#byChannel.get(inbox.tenant) ?? new Map<string, Passage>()
    for (const channel of inbox.channels.keys()) {
      if (channels.has(channel)) continue
      const there = passages.get(channel)
      there?.inboxes.delete(inbox)
      if (there?.inboxes.size === 0) passages.delete(channel)
      inbox.counts.delete(channel)
      inbox.changed.delete(channel)
    }
    for (const [channel, head] of channels) {
      const there = passages.get(channel)
      if (there === undefined) passages.set(channel, { head, inboxes: new Set([inbox]) })
      else there.inboxes.add(inbox)
    }
    inbox.channels = channels
    if (passages.size > 0) this.#byChannel.set(inbox.tenant, passages)
    else this.#byChannel.delete(inbox.tenant)
  }

  #mark(inbox: Inbox, channel: string): void {
    inbox.changed.add(channel)
    this.#changed.add(inbox)
    this.#cancelTick ??= this.#parts.clock.after(TICK_MS, () => void this.#tick())
  }

  async #tick(): Promise<void> {
    const now = this.#parts.clock.now()
    const due = [...this.#changed].filter((inbox) => inbox.quietUntil <= now)
    for (const inbox of due) {
      this.#changed.delete(inbox)
      inbox.quietUntil = now + QUIET_MS
    }
    const byTenant = Map.groupBy(due, (inbox) => inbox.tenant)
    await Promise.all([...byTenant].map(([tenant, inboxes]) => this.#send(tenant, inboxes, now)))
    this.#cancelTick = this.#changed.size === 0 ? null : this.#parts.clock.after(TICK_MS, () => void this.#tick())
  }

  async #send(tenant: string, inboxes: readonly Inbox[], now: number): Promise<void> {
    try {
      await this.#count(tenant, inboxes, now)
      for (const inbox of inboxes) {
        for (const channel of [...inbox.changed].filter((each) => inbox.counts.has(each))) {
          inbox.changed.delete(channel)
          await this.#tell(inbox, channel)
        }
      }
    } catch (error) {
      this.#parts.log.warn('inbox.failed', { tenant, error })
      for (const inbox of inboxes) if (inbox.changed.size > 0) this.#changed.add(inbox)
    }
  }

  /** Reads what is not known, or was counted here for long. */
  async #count(tenant: string, inboxes: readonly Inbox[], now: number): Promise<void> {
    const asked = inboxes.flatMap((inbox) =>
      [...inbox.changed]
        .filter((channel) => now - (inbox.counts.get(channel)?.readAt ?? 0) >= TRUSTED_MS)
        .map((channel) => ({ user: inbox.user, channel })),
    )
    if (asked.length === 0) return
    const heads = new Map<{ head: number }, number>()
    for (const { user, channel, head, unread, urgent } of await this.#parts.readUnread(tenant, asked, MAX_UNREAD)) {
      const inbox = this.#inboxes.get(`${tenant}/${user}`)
      const there = this.#byChannel.get(tenant)?.get(channel)
      if (inbox === undefined || there?.inboxes.has(inbox) !== true) continue
      // Something came by while this was read, or a hint was wrong: once more, from what the store says.
      if (head < there.head) this.#mark(inbox, channel)
      else inbox.counts.set(channel, { unread, urgent, readAt: now })
      heads.set(there, head)
    }
    for (const [there, head] of heads) there.head = head
  }

  async #tell(inbox: Inbox, channel: string): Promise<void> {
    const known = await this.#parts.channels.load(inbox.tenant, channel)
    const count = inbox.counts.get(channel)
    const head = this.#byChannel.get(inbox.tenant)?.get(channel)?.head
    if (known === null || count === undefined || head === undefined) return
    const context = { now: this.#parts.clock.now(), policy: this.#parts.policy }
    const frame = encode({ type: 'inbox.changed', channel, head, unread: count.unread, urgent: count.urgent })
    for (const holder of inbox.holders) {
      if (decide(holder.actor, 'channel.read', known.resource, context).allowed) holder.send(frame)
    }
  }
}
