import type { ChannelEvent } from '@wardline/protocol'
import { append, emptyTimeline, type PostedMessage, prepend, rewind, skip, type Timeline } from './timeline.ts'

/** What a conversation needs of the SDK’s channel. */
export interface ChannelSource {
  open(options: { after: number }): void
  close(): void
  on(name: 'event', run: (event: ChannelEvent) => void): () => void
  on(name: 'hole', run: (hole: { from: number; to: number }) => void): () => void
  on(name: 'rewound', run: (rewound: { head: number }) => void): () => void
}

/** A page of the past, ascending, and whether something precedes it. */
export type LoadHistory = (
  before: number,
  limit: number,
) => Promise<{ readonly items: readonly ChannelEvent[]; readonly next: string | null }>

export interface ConversationState {
  readonly timeline: Timeline
  /** The page of the past that was asked for last. */
  readonly older: 'idle' | 'loading' | 'failed'
  /** Why it failed. */
  readonly error: unknown
}

interface ConversationDeps {
  readonly channel: ChannelSource
  readonly history: LoadHistory
  /** Who looks: their own messages are shown at once and never announced. */
  readonly me: string
  /** Calls back a little later, once: events that come together are shown together. */
  readonly later: (run: () => void) => void
  /** A message of somebody else, newer than what there was when the conversation was opened. */
  readonly onArrival: (message: PostedMessage) => void
}

/** How many events a page of the past holds. */
const PAGE = 100

/**
 * One conversation on this device: what the SDK delivers and what history brings, in one timeline. Events are gathered for a
 * moment before anybody is told, so that a replay of thousands costs one rendering and not thousands.
 */
export class Conversation {
  readonly #deps: ConversationDeps
  readonly #listeners = new Set<() => void>()
  readonly #stops: readonly (() => void)[]
  readonly #announceAfter: number
  #state: ConversationState
  #pending: ChannelEvent[] = []
  #scheduled = false

  /**
   * @param after leave everything up to this sequence on the server, until `loadOlder` asks for it
   * @param head the last sequence there was when this was opened: what is newer is announced
   */
  constructor(deps: ConversationDeps, after: number, head: number) {
    this.#deps = deps
    this.#announceAfter = head
    this.#state = { timeline: emptyTimeline(after), older: 'idle', error: null }
    this.#stops = [
      deps.channel.on('event', (event) => this.#take(event)),
      deps.channel.on('hole', ({ from, to }) => {
        this.#flush()
        this.#set({ timeline: skip(this.#state.timeline, from, to) })
      }),
      deps.channel.on('rewound', ({ head }) => {
        this.#flush()
        this.#set({ timeline: rewind(this.#state.timeline, head) })
      }),
    ]
    deps.channel.open({ after })
  }

  get state(): ConversationState {
    return this.#state
  }

  /** Calls back whenever `state` is another. */
  readonly subscribe = (run: () => void): (() => void) => {
    this.#listeners.add(run)
    return () => this.#listeners.delete(run)
  }

  /** Fetches the page before what there is; does nothing while one is on its way or when there is none. */
  readonly loadOlder = async (): Promise<void> => {
    const { timeline, older } = this.#state
    if (older === 'loading' || timeline.complete) return
    this.#set({ older: 'loading', error: null })
    try {
      const page = await this.#deps.history(timeline.from + 1, PAGE)
      this.#flush()
      this.#set({ older: 'idle', timeline: prepend(this.#state.timeline, page.items, page.next === null) })
    } catch (error) {
      this.#set({ older: 'failed', error })
    }
  }

  /** Lets go of the channel and of everything that was read. */
  close(): void {
    for (const stop of this.#stops) stop()
    this.#deps.channel.close()
    this.#listeners.clear()
    this.#pending = []
  }

  #take(event: ChannelEvent): void {
    this.#pending.push(event)
    // My own message takes the place of its unsent copy in the same turn, or it would vanish for a moment.
    if (event.event.type === 'message.posted' && event.event.sender === this.#deps.me) {
      this.#flush()
    } else if (!this.#scheduled) {
      this.#scheduled = true
      this.#deps.later(() => {
        this.#scheduled = false
        this.#flush()
      })
    }
  }

  #flush(): void {
    if (this.#pending.length === 0) return
    const before = this.#state.timeline
    const timeline = append(before, this.#pending)
    this.#pending = []
    if (timeline === before) return
    this.#set({ timeline })
    for (const item of timeline.items.slice(before.items.length)) {
      const mine = item.kind !== 'message' || item.sender === this.#deps.me
      if (!mine && item.seq > this.#announceAfter) this.#deps.onArrival(item)
    }
  }

  #set(change: Partial<ConversationState>): void {
    this.#state = { ...this.#state, ...change }
    for (const listener of this.#listeners) listener()
  }
}
