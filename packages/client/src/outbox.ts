import { type ChannelEvent, messagePost } from '@wardline/protocol'
import type { Connection } from './connection.ts'
import { Emitter } from './emitter.ts'
import type { Cancel, Environment } from './environment.ts'
import { WardlineError } from './error.ts'
import type { OnFault } from './fault.ts'
import { inOrder, loadKept, type OutboxStore } from './outbox-store.ts'
import type { Accepted, Draft, Post, PostState } from './post.ts'
import { jittered } from './reconnect.ts'
import type { Outcome } from './request.ts'

export type OutboxEvents = { changed: undefined; post: Post }

export type OutboxDeps = {
  env: Pick<Environment, 'now' | 'random' | 'setTimer' | 'newId'>
  connection: Pick<Connection, 'ask' | 'state'>
  store: OutboxStore
  /** Whether the event at `seq` is yet to be delivered: an accepted post stays until then, so that a screen never blinks. */
  awaits: (channel: string, seq: number) => boolean
  onFault: OnFault
}

/** Posts that wait at once, over all channels. */
const CAPACITY = 1_000
/** A post that the server fails on so often is not tried again: it must not hold up those behind it. */
const INTERNAL_ATTEMPTS = 8

type Entry = {
  post: Post
  owner: string
  attempts: number
  failures: number
  settle: Settle | null
  asked: Promise<Accepted> | null
}
type Settle = { resolve: (accepted: Accepted) => void; reject: (error: WardlineError) => void }

/**
 * Posts until they are on the server's disk: in order within a channel, one of a channel on the wire at a time, again
 * after every cut under the same `clientId`, so that none is lost and none is doubled (P4, P7).
 */
export class Outbox {
  readonly #deps: OutboxDeps
  readonly #events: Emitter<OutboxEvents>
  readonly #entries = new Map<string, Entry>()
  /** By channel; dropped at a change, so that an unchanged list stays the same object. */
  readonly #lists = new Map<string | null, readonly Post[]>()
  readonly #timers = new Map<string, Cancel>()
  readonly #store: ReturnType<typeof inOrder>
  /** Whose posts these are. */
  #owner: string | null = null
  /** Whose kept posts are among these. */
  #loadedFor: string | null = null
  #signedIn = false

  constructor(deps: OutboxDeps) {
    this.#deps = deps
    this.#events = new Emitter(deps.onFault)
    this.#store = inOrder(deps.store, deps.onFault)
  }

  /** Calls back whenever a list is another. */
  readonly subscribe = (run: () => void): Cancel => this.#events.on('changed', run)

  on<K extends keyof OutboxEvents>(name: K, run: (value: OutboxEvents[K]) => void): Cancel {
    return this.#events.on(name, run)
  }

  /** All posts that are not settled, or those of one channel, in the order they were written. */
  list(channel: string | null = null): readonly Post[] {
    let list = this.#lists.get(channel)
    if (list === undefined) {
      const posts = [...this.#entries.values()].map(({ post }) => post)
      list = channel === null ? posts : posts.filter((post) => post.channel === channel)
      this.#lists.set(channel, list)
    }
    return list
  }

  /** Takes a post. Throws WardlineError `invalid` for what no server would take, `rate-limited` when too many wait. */
  post(channel: string, draft: Draft): Post {
    const owner = this.#owner
    if (owner === null || !this.#signedIn) throw new WardlineError('unauthenticated')
    if (this.#entries.size >= CAPACITY) throw new WardlineError('rate-limited')
    const clientId = this.#deps.env.newId()
    if (!messagePost.safeParse({ ...draft, type: 'message.post', id: '1', channel, clientId }).success) {
      throw new WardlineError('invalid')
    }
    const queuedAt = this.#deps.env.now()
    const post = this.#add(owner, { clientId, channel, draft, queuedAt }, false)
    this.#store((store) => store.put({ clientId, owner, channel, draft, queuedAt }))
    this.#pump(channel)
    return post
  }

  /** When it is on the server's disk. Rejects with WardlineError when it is refused for good or taken back. */
  accepted(clientId: string): Promise<Accepted> {
    const entry = this.#entries.get(clientId)
    if (entry === undefined) return Promise.reject(new WardlineError('not-found'))
    const { state } = entry.post
    if (state.is === 'accepted') return Promise.resolve(state)
    if (state.is === 'refused') return Promise.reject(new WardlineError(state.code, { retry: state.retry }))
    entry.asked ??= new Promise((resolve, reject) => {
      entry.settle = { resolve, reject }
    })
    return entry.asked
  }

  /** Takes back a post that has never been on the wire. False when that is too late. */
  cancel(clientId: string): boolean {
    const state = this.#entries.get(clientId)?.post.state
    if (state?.is !== 'queued' || state.maybeSent) return false
    this.#drop(clientId)
    return true
  }

  /** Sends a refused post again, in its old place. */
  retry(clientId: string): void {
    const entry = this.#entries.get(clientId)
    if (entry?.post.state.is !== 'refused') return
    entry.failures = 0
    this.#set(entry, { is: 'queued', maybeSent: true, retryAt: null })
    this.#pump(entry.post.channel)
  }

  /** Throws a refused post away. */
  discard(clientId: string): void {
    if (this.#entries.get(clientId)?.post.state.is === 'refused') this.#drop(clientId)
  }

  /** `owner` is signed in: their kept posts are taken up, before those that are written now. For Wardline. */
  async start(owner: string): Promise<void> {
    this.#signedIn = true
    if (this.#owner === owner) return
    this.#forget()
    this.#owner = owner
    this.#loadedFor = null
    const kept = await loadKept(this.#deps.store, owner, this.#deps.env.setTimer, this.#deps.onFault)
    if (this.#owner !== owner) return
    this.#loadedFor = owner
    const newer = [...this.#entries]
    this.#entries.clear()
    for (const stored of kept.toSorted((a, b) => a.queuedAt - b.queuedAt)) {
      if (stored.owner === owner && !newer.some(([id]) => id === stored.clientId)) this.#add(owner, stored, true)
    }
    for (const [id, entry] of newer) this.#entries.set(id, entry)
    this.#changed()
    this.up()
  }

  /**
   * Nobody is signed in. `wipe`: nothing typed stays on this device; otherwise the posts wait for the same person, and a
   * session that ran out costs nobody their words. For Wardline.
   */
  stop(wipe: boolean): void {
    this.#signedIn = false
    if (!wipe) return
    this.#owner = null
    this.#forget()
    this.#store((store) => store.clear())
  }

  /** The channel's events are not delivered any more: what is accepted waits for none. For Wardline. */
  release(channel: string): void {
    for (const { post } of this.#entries.values()) {
      if (post.channel === channel && post.state.is === 'accepted') this.#remove(post.clientId)
    }
  }

  /** A line is live. For Wardline. */
  up(): void {
    for (const channel of new Set([...this.#entries.values()].map(({ post }) => post.channel))) this.#pump(channel)
  }

  /** The channel's own word that a post is committed: as good as the answer, which a cut may have taken. For Wardline. */
  seen({ seq, at, event }: ChannelEvent): void {
    if (event.type !== 'message.posted') return
    const entry = this.#entries.get(event.clientId)
    if (entry === undefined || entry.owner !== event.sender) return
    if (entry.post.state.is !== 'accepted') this.#accept(entry, { message: event.message, seq, at })
    this.#remove(event.clientId)
  }

  #pump(channel: string): void {
    if (this.#deps.connection.state.is !== 'live' || this.#timers.has(channel)) return
    // What was written before comes first.
    if (this.#loadedFor !== this.#owner) return
    for (const entry of this.#entries.values()) {
      if (entry.post.channel !== channel) continue
      if (entry.post.state.is === 'sending') return
      if (entry.post.state.is === 'queued') {
        this.#send(entry)
        return
      }
    }
  }

  #send(entry: Entry): void {
    const { clientId, channel, draft } = entry.post
    entry.attempts += 1
    this.#set(entry, { is: 'sending' })
    this.#deps.connection.ask({ ...draft, type: 'message.post', channel, clientId }, (outcome) => {
      // Its event may have settled it first.
      if (entry.post.state.is === 'sending' && this.#entries.get(clientId) === entry) this.#outcome(entry, outcome)
      // On a lost line nothing can be sent; `up` goes on.
      if (outcome.is !== 'lost') this.#pump(channel)
    })
  }

  #outcome(entry: Entry, outcome: Outcome): void {
    const { clientId, channel } = entry.post
    if (outcome.is === 'lost') {
      this.#set(entry, { is: 'queued', maybeSent: true, retryAt: null })
      return
    }
    if (outcome.is === 'answered') {
      if (outcome.frame.type !== 'message.accepted') return
      const { message, seq, at } = outcome.frame
      this.#accept(entry, { message, seq, at })
      if (!this.#deps.awaits(channel, seq)) this.#remove(clientId)
      return
    }
    const { code, retry, retryAfterMs } = outcome.error
    if (code === 'internal') entry.failures += 1
    if (retry === 'never' || retry === 'after-step-up' || entry.failures >= INTERNAL_ATTEMPTS) {
      this.#set(entry, { is: 'refused', code, retry })
      entry.settle?.reject(new WardlineError(code, { retry }))
      entry.settle = entry.asked = null
      return
    }
    const pauseMs = (retryAfterMs ?? 0) + jittered(entry.attempts, this.#deps.env.random)
    this.#set(entry, { is: 'queued', maybeSent: true, retryAt: this.#deps.env.now() + pauseMs })
    const timer = this.#deps.env.setTimer(pauseMs, () => {
      this.#timers.delete(channel)
      this.#pump(channel)
    })
    this.#timers.set(channel, timer)
  }

  #accept(entry: Entry, accepted: Accepted): void {
    this.#store((store) => store.remove(entry.post.clientId))
    this.#set(entry, { is: 'accepted', ...accepted })
    entry.settle?.resolve(accepted)
    entry.settle = entry.asked = null
  }

  #add(owner: string, post: Omit<Post, 'state'>, maybeSent: boolean): Post {
    const { clientId, channel, draft, queuedAt } = post
    const state: PostState = { is: 'queued', maybeSent, retryAt: null }
    const entry: Entry = {
      post: { clientId, channel, draft, queuedAt, state },
      owner,
      attempts: 0,
      failures: 0,
      settle: null,
      asked: null,
    }
    this.#entries.set(clientId, entry)
    this.#changed()
    return entry.post
  }

  #set(entry: Entry, state: PostState): void {
    entry.post = { ...entry.post, state }
    this.#changed()
    this.#events.emit('post', entry.post)
  }

  /** Taken back or thrown away: whoever waits for it is told. */
  #drop(clientId: string): void {
    const entry = this.#entries.get(clientId)
    this.#store((store) => store.remove(clientId))
    this.#remove(clientId)
    entry?.settle?.reject(new WardlineError('not-found'))
    if (entry !== undefined) this.#pump(entry.post.channel)
  }

  #remove(clientId: string): void {
    this.#entries.delete(clientId)
    this.#changed()
  }

  #forget(): void {
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
    const entries = [...this.#entries.values()]
    this.#entries.clear()
    for (const { settle } of entries) settle?.reject(new WardlineError('unauthenticated'))
    this.#changed()
  }

  #changed(): void {
    this.#lists.clear()
    this.#events.emit('changed', undefined)
  }
}
