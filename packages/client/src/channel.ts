import type { ChannelEvent, Member, Receipt, ServerFrame, ServerFrameOf } from '@wardline/protocol'
import { ChannelPeople } from './channel-people.ts'
import type { ChannelDeps, ChannelEvents, ChannelState } from './channel-state.ts'
import { Emitter } from './emitter.ts'
import type { Cancel } from './environment.ts'
import { NamedTimers } from './named-timers.ts'
import { ReceiptMarker } from './receipt-marker.ts'
import { jittered } from './reconnect.ts'
import type { Outcome } from './request.ts'
import { SequenceGate } from './sequence-gate.ts'
import { TypingSignal } from './typing.ts'

/** A committed sequence that has not come within the server's `pollMs` and this is asked for. Milliseconds. */
const LATE_MS = 2_000
/** A replay in which nothing comes for so long has come to a halt. Milliseconds. */
const STALL_MS = 10_000
/** Before a gap that was asked for and came back is asked for again. Milliseconds. */
const GAP_MS = 1_000
/** New members come in groups; their names are fetched once. Milliseconds. */
const JOINED_MS = 500

/** One channel, kept up to date over any number of lines: subscribed, resumed, each event in its place. */
export class Channel {
  readonly id: string
  readonly #deps: ChannelDeps
  readonly #events: Emitter<ChannelEvents>
  readonly #people: ChannelPeople
  readonly #marker: ReceiptMarker
  readonly #typing: TypingSignal
  #state: ChannelState = { is: 'closed', reason: null }
  /** Null until something is known: then only what comes is asked for. */
  #gate: SequenceGate | null = null
  /** Each subscription's own; an answer to an older one is dropped. */
  #subscription = 0
  #awaiting = false
  #attempt = 0
  readonly #timers: NamedTimers<'ask-again' | 'late' | 'stall'>
  /** The highest sequence that is known to be committed. */
  #expected = 0

  constructor(id: string, deps: ChannelDeps) {
    this.id = id
    this.#deps = deps
    this.#events = new Emitter(deps.onFault)
    this.#timers = new NamedTimers(deps.env.setTimer)
    this.#people = new ChannelPeople(deps.env, () => this.#events.emit('changed', undefined))
    this.#marker = new ReceiptMarker(deps.env.setTimer, (marks) =>
      deps.connection.notify({ type: 'receipt.mark', channel: id, ...marks }),
    )
    this.#typing = new TypingSignal(deps.env, (active) => {
      deps.connection.notify({ type: 'typing.set', channel: id, active })
    })
  }

  get state(): ChannelState {
    return this.#state
  }

  /** The last sequence delivered; null before the first subscription where `open` gave none. */
  get last(): number | null {
    return this.#gate?.last ?? null
  }

  get members(): readonly Member[] {
    return this.#people.members
  }

  get receipts(): ReadonlyMap<string, Receipt> {
    return this.#people.receipts
  }

  get abilities(): readonly string[] {
    return this.#people.abilities
  }

  get typing(): ReadonlySet<string> {
    return this.#people.typing
  }

  /** Calls back whenever state, members, receipts, abilities or typing is another. */
  readonly subscribe = (run: () => void): Cancel => this.#events.on('changed', run)

  on<K extends keyof ChannelEvents>(name: K, run: (value: ChannelEvents[K]) => void): Cancel {
    return this.#events.on(name, run)
  }

  /**
   * Wants the channel's events from `after + 1` on (0: all that is kept; absent: only what comes) and stays subscribed, on
   * whatever line there is, until `close` or the server's word. Does nothing where it is open.
   */
  open({ after }: { after?: number } = {}): void {
    if (this.#state.is !== 'closed') return
    this.#gate = after === undefined ? null : new SequenceGate(after)
    this.#attempt = 0
    this.#expected = 0
    this.#setState({ is: 'waiting' })
    if (this.#deps.connection.state.is === 'live') this.up()
  }

  /** Wants nothing more of it. */
  close(): void {
    if (this.#state.is === 'closed') return
    const subscribed = this.#state.is !== 'waiting'
    this.#endSubscription()
    this.#setState({ is: 'closed', reason: null })
    if (subscribed) this.#deps.connection.ask({ type: 'channel.unsubscribe', channel: this.id }, () => undefined)
  }

  /** Everything up to `seq` has been read by this person. */
  markRead(seq: number): void {
    this.#marker.mark({ read: seq })
  }

  /** To be called at every key typed, and with false when the text is sent or thrown away. */
  setTyping(active: boolean): void {
    if (this.#state.is === 'live') this.#typing.set(active)
  }

  /** A line is live: subscribes on it. For Wardline. */
  up(): void {
    if (this.#state.is === 'closed') return
    this.#setState({ is: 'opening' })
    this.#subscribe()
  }

  /** The line is gone. For Wardline. */
  down(): void {
    if (this.#state.is === 'closed') return
    this.#endSubscription()
    this.#setState({ is: 'waiting' })
  }

  /** A frame about this channel. For Wardline. */
  receive(frame: ServerFrame): void {
    if (this.#state.is === 'closed' || this.#state.is === 'waiting') return
    // Until the new subscription is answered, what comes is of the old one.
    if (this.#awaiting) return
    switch (frame.type) {
      case 'channel.event':
        this.#event(frame)
        return
      case 'channel.live':
        this.#live(frame.seq)
        return
      case 'channel.closed':
        this.#endSubscription()
        this.#setState({ is: 'closed', reason: frame.reason })
        return
      case 'receipt.moved':
        this.#people.receiptMoved(frame)
        return
      case 'typing.changed':
        this.#people.typingChanged(frame)
        return
      default:
    }
  }

  /** It is known from elsewhere that `seq` is committed: where it does not come by itself, it is asked for. For Wardline. */
  expect(seq: number): void {
    this.#expected = Math.max(this.#expected, seq)
    if (this.#state.is === 'live') this.#watchForExpected()
  }

  #watchForExpected(): void {
    if (this.#gate === null || this.#expected <= this.#gate.last) return
    const { state } = this.#deps.connection
    const pollMs = state.is === 'live' ? state.limits.pollMs : 0
    this.#timers.ensure('late', pollMs + LATE_MS, () => {
      if (this.#state.is === 'live' && this.#gate !== null && this.#gate.last < this.#expected) this.#subscribe()
    })
  }

  #subscribe(): void {
    this.#timers.stop('ask-again')
    this.#timers.stop('stall')
    const subscription = ++this.#subscription
    this.#awaiting = true
    const after = this.#gate?.last
    this.#deps.connection.ask(
      { type: 'channel.subscribe', channel: this.id, ...(after === undefined ? {} : { after }) },
      (outcome) => {
        if (subscription === this.#subscription) this.#answered(outcome)
      },
    )
  }

  #answered(outcome: Outcome): void {
    // A lost line has its own way of saying so: `down`, and later `up`.
    if (outcome.is === 'lost') return
    if (outcome.is === 'refused') {
      const { code, retry, retryAfterMs } = outcome.error
      if (retry === 'later' || retry === 'after-renewal') {
        const pauseMs = (retryAfterMs ?? 0) + jittered(this.#attempt, this.#deps.env.random)
        this.#attempt += 1
        this.#timers.set('ask-again', pauseMs, () => this.#subscribe())
        return
      }
      this.#endSubscription()
      this.#setState({ is: 'closed', reason: code })
      return
    }
    this.#awaiting = false
    if (outcome.frame.type === 'channel.subscribed') this.#subscribed(outcome.frame)
  }

  #subscribed(frame: ServerFrameOf<'channel.subscribed'>): void {
    this.#attempt = 0
    const from = this.#gate?.last ?? null
    if (from === null) {
      this.#gate = new SequenceGate(frame.head)
    } else if (frame.head < from) {
      this.#gate = new SequenceGate(frame.head)
      this.#expected = 0
      this.#events.emit('rewound', { from, head: frame.head })
    }
    this.#people.replace(frame)
    const mine = frame.receipts.find(({ user }) => user === this.#deps.me())
    this.#marker.start(mine ?? { delivered: 0, read: 0 })
    if (this.#gate !== null && this.#gate.last < frame.head) this.#setState({ is: 'replaying', head: frame.head })
    this.#awaitLive()
  }

  /** A replay that stands still without having ended is asked for again. */
  #awaitLive(): void {
    const last = this.#gate?.last
    this.#timers.set('stall', STALL_MS, () => {
      if (this.#gate?.last === last) this.#subscribe()
      else this.#awaitLive()
    })
  }

  #event(frame: ChannelEvent): void {
    const verdict = this.#gate?.event(frame.seq)
    if (verdict === undefined || verdict.is === 'repeat') return
    if (verdict.is === 'gap') {
      this.#askAgain(verdict.sightings)
      return
    }
    if (verdict.is === 'hole') this.#events.emit('hole', verdict.hole)
    const unknown = this.#people.apply(frame)
    // Members are stated by a subscription alone; a replay that ends later will have ended with the newest.
    if (unknown && this.#state.is === 'live') this.#timers.ensure('ask-again', JOINED_MS, () => this.#subscribe())
    const heard = this.#events.has('event')
    this.#events.emit('event', frame)
    // What nobody was given is not delivered, whatever this socket has received.
    if (this.#deps.pass(frame) || heard) this.#marker.mark({ delivered: frame.seq })
  }

  /** At once for the first time; then after a pause, in which a lagging replica or a newer node may catch up. */
  #askAgain(sightings: number): void {
    if (sightings === 1) {
      this.#subscribe()
      return
    }
    this.#awaiting = true
    this.#timers.set('ask-again', GAP_MS, () => this.#subscribe())
  }

  #live(seq: number): void {
    const verdict = this.#gate?.upTo(seq)
    if (verdict?.is === 'gap') {
      this.#askAgain(verdict.sightings)
      return
    }
    if (verdict?.is === 'hole') this.#events.emit('hole', verdict.hole)
    this.#timers.stop('stall')
    this.#setState({ is: 'live' })
    this.#watchForExpected()
  }

  #endSubscription(): void {
    this.#subscription += 1
    this.#awaiting = false
    this.#timers.stopAll()
    this.#marker.stop()
    this.#typing.stop()
    this.#people.down()
  }

  #setState(state: ChannelState): void {
    this.#state = state
    this.#events.emit('changed', undefined)
  }
}
