import type { Wardline } from '@wardline/client'
import type { ChannelSummary } from '@wardline/protocol'
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react'
import { useMe, useWardline } from '../wardline/context.tsx'
import { type Attention, attentionOf } from './attention.ts'
import { Conversation } from './conversation.ts'
import type { PostedMessage, Timeline } from './timeline.ts'

/** Events are gathered for about one frame. A timer and not a frame: a hidden tab has no frames, and must still announce. */
const GATHER_MS = 16
/** Conversations that are kept open at once: within the server’s limit of subscriptions and its burst of requests. */
const MOST_OPEN = 80
/** Of what is unread, at most so many are fetched before the conversation is looked at. */
const MOST_UNREAD = 200

/** Why a channel is closed to this person for good, unless somebody lets them in again. */
const ENDS: ReadonlySet<string> = new Set(['forbidden', 'removed', 'not-found'])

export type Arrival = (channel: string, message: PostedMessage) => void

/** All conversations that this page keeps up with, opened or not: so that a STAT anywhere is known at once. */
export class Conversations {
  readonly #wardline: Wardline
  readonly #me: string
  readonly #open = new Map<string, Conversation>()
  readonly #listeners = new Set<() => void>()
  readonly #arrivals = new Set<Arrival>()
  readonly #ended = new Set<(channel: string) => void>()
  readonly #stops = new Map<string, () => void>()
  readonly #attentionBy = new WeakMap<Timeline, Attention>()
  #attention: ReadonlyMap<string, Attention> = new Map()

  constructor(wardline: Wardline, me: string) {
    this.#wardline = wardline
    this.#me = me
  }

  /** What waits for me, by channel id. The same map until that changes. */
  get attention(): ReadonlyMap<string, Attention> {
    return this.#attention
  }

  readonly subscribe = (run: () => void): (() => void) => {
    this.#listeners.add(run)
    return () => this.#listeners.delete(run)
  }

  /** Calls back for each new message of somebody else, in whichever conversation. */
  readonly onArrival = (run: Arrival): (() => void) => {
    this.#arrivals.add(run)
    return () => this.#arrivals.delete(run)
  }

  /** The conversation, opened if it was not. */
  open(channel: Pick<ChannelSummary, 'id' | 'head' | 'read'>): Conversation {
    const known = this.#open.get(channel.id)
    if (known !== undefined) return known
    const { id, head, read } = channel
    const after = Math.max(Math.min(read, head), head - MOST_UNREAD)
    const conversation = new Conversation(
      {
        channel: this.#wardline.channel(id),
        history: (before, limit) => this.#wardline.api.history(id, { before, limit }),
        me: this.#me,
        later: (run) => setTimeout(run, GATHER_MS),
        onArrival: (message) => {
          for (const run of this.#arrivals) run(id, message)
        },
      },
      after,
      head,
    )
    this.#open.set(id, conversation)
    conversation.subscribe(() => this.#look())
    const source = this.#wardline.channel(id)
    const stop = source.subscribe(() => {
      if (source.state.is !== 'closed' || !ENDS.has(source.state.reason ?? '')) return
      stop()
      for (const run of this.#ended) run(id)
    })
    this.#stops.set(id, stop)
    return conversation
  }

  /** Keeps up with these, those with unread messages and the most recent ones first; lets go of what is not among them. */
  keep(channels: readonly ChannelSummary[]): void {
    const kept = channels
      .toSorted((a, b) => Math.sign(b.unread) - Math.sign(a.unread) || (b.lastAt ?? '').localeCompare(a.lastAt ?? ''))
      .slice(0, MOST_OPEN)
    for (const channel of kept) this.open(channel)
    const mine = new Set(channels.map((each) => each.id))
    for (const id of this.#open.keys()) if (!mine.has(id)) this.drop(id)
    this.#look()
  }

  /** Calls back when the server has ended one: its right to be read is gone, and so is what was read. */
  readonly onEnded = (run: (channel: string) => void): (() => void) => {
    this.#ended.add(run)
    return () => this.#ended.delete(run)
  }

  /** Lets go of one: it is no longer mine to read. */
  drop(id: string): void {
    this.#stops.get(id)?.()
    this.#stops.delete(id)
    this.#open.get(id)?.close()
    this.#open.delete(id)
  }

  close(): void {
    for (const id of [...this.#open.keys()]) this.drop(id)
    this.#listeners.clear()
    this.#arrivals.clear()
    this.#ended.clear()
  }

  #look(): void {
    const attention = new Map<string, Attention>()
    for (const [id, conversation] of this.#open) {
      const { timeline } = conversation.state
      const known = this.#attentionBy.get(timeline) ?? attentionOf(timeline, this.#me)
      this.#attentionBy.set(timeline, known)
      if (known.since !== null) attention.set(id, known)
    }
    const same =
      attention.size === this.#attention.size &&
      [...attention].every(([id, each]) => {
        const before = this.#attention.get(id)
        return before?.stat === each.stat && before.urgent === each.urgent && before.since === each.since
      })
    if (same) return
    this.#attention = attention
    for (const listener of this.#listeners) listener()
  }
}

const ConversationsContext = createContext<Conversations | null>(null)

/** For as long as one person is signed in. */
export function ConversationsProvider({ children }: { readonly children: ReactNode }) {
  const wardline = useWardline()
  const me = useMe().id
  const [conversations, setConversations] = useState<Conversations | null>(null)
  useEffect(() => {
    const made = new Conversations(wardline, me)
    setConversations(made)
    return () => made.close()
  }, [wardline, me])
  return conversations === null ? null : <ConversationsContext value={conversations}>{children}</ConversationsContext>
}

export function useConversations(): Conversations {
  const conversations = useContext(ConversationsContext)
  if (conversations === null) throw new Error('outside of ConversationsProvider')
  return conversations
}

/** What waits for me, by channel id. */
export function useAttention(): ReadonlyMap<string, Attention> {
  const conversations = useConversations()
  return useSyncExternalStore(conversations.subscribe, () => conversations.attention)
}
