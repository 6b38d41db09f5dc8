import type {
  AcknowledgeResponse,
  ChannelEvent,
  PasskeyAssertion,
  PresenceStatus,
  RecallReason,
  SecondFactorRequest,
  ServerFrame,
  ServerFrameOf,
  SignedInUser,
  StepUpRequest,
} from '@wardline/protocol'
import { type Api, createApi } from './api.ts'
import { Channel } from './channel.ts'
import { Connection, type ConnectionState } from './connection.ts'
import type { Storage } from './csrf-store.ts'
import type { KeyStore } from './device-key.ts'
import { Emitter } from './emitter.ts'
import type { Cancel, Environment } from './environment.ts'
import type { Fault } from './fault.ts'
import { createHttp } from './http.ts'
import { Idle } from './idle.ts'
import { Outbox } from './outbox.ts'
import type { OutboxStore } from './outbox-store.ts'
import type { Draft, Post } from './post.ts'
import { createProofs, type Proofs } from './proof.ts'
import { ServerClock } from './server-clock.ts'
import { Session } from './session.ts'
import type { SessionState, SignIn } from './session-state.ts'
import type { Locks, Tabs } from './tabs.ts'

export type WardlineEvents = {
  session: SessionState
  connection: ConnectionState
  /** Every event of every open channel, each once and in its channel's order. */
  event: ChannelEvent
  inbox: ServerFrameOf<'inbox.changed'>
  presence: ServerFrameOf<'presence.changed'>
  /** Of who may see alerts: how many nobody has acknowledged; again when anything about them has changed. */
  alerts: ServerFrameOf<'alerts.changed'>
  /** A post whose state is another. */
  outbox: Post
  fault: Fault
}

/** Everything that the SDK needs of the world. `index.ts` and `node/index.ts` fill it in for browsers and Node. */
export type Parts = {
  /** `https://host[:port]`, or a function that is asked before every call and every line. */
  url: string | (() => string)
  environment: Environment
  storage: Storage
  keyStore: KeyStore
  outboxStore: OutboxStore
  tabs: Tabs
  locks: Locks
  /** Instead of proofs by the key in `keyStore`: for tests. */
  proofs?: Proofs | undefined
}

export type Wardline = ReturnType<typeof assemble>

/** Puts the parts together. One object for each person at a time; it may sign in and out again and again. */
export function assemble(parts: Parts) {
  const { environment: env } = parts
  // A listener for faults that throws is the one fault that is told to nobody: it would be told to itself.
  const events: Emitter<WardlineEvents> = new Emitter((fault) => {
    if (!faulting) onFault(fault)
  })
  let faulting = false
  function onFault(fault: Fault): void {
    faulting = true
    events.emit('fault', fault)
    faulting = false
  }

  const origin = () => new URL(typeof parts.url === 'string' ? parts.url : parts.url()).origin
  const clock = new ServerClock(env.now)
  const proofs = parts.proofs ?? createProofs(parts.keyStore, clock)
  const http = createHttp({ fetch: env.fetch, setTimer: env.setTimer, origin, proofs, clock, onFault })
  const session = new Session({ ...parts, env, http, proofs, onFault })
  const connection = new Connection({ env, clock, proofs, session, origin, onFault })
  const idle = new Idle({
    env,
    tabs: parts.tabs,
    tell: () => connection.notify({ type: 'session.activity' }),
    isLive: () => connection.state.is === 'live',
    isWarned: () => session.state.is === 'signed-in' && session.state.warning?.reason === 'idle',
    lock: () => session.lockHere(),
  })
  const channels = new Map<string, Channel>()
  const outbox = new Outbox({
    env,
    connection,
    store: parts.outboxStore,
    awaits: (id, seq) => {
      const channel = channels.get(id)
      return channel !== undefined && channel.state.is !== 'closed' && (channel.last ?? 0) < seq
    },
    onFault,
  })
  const api: Api = createApi((call) => (call.open === true ? http.send(call, {}) : session.call(call)))

  function channel(id: string): Channel {
    let found = channels.get(id)
    if (found === undefined) {
      const made = new Channel(id, { env, connection, me: () => session.user?.id ?? null, pass, onFault })
      made.subscribe(() => {
        if (made.state.is === 'closed') outbox.release(id)
      })
      channels.set(id, made)
      found = made
    }
    return found
  }

  function pass(event: ChannelEvent): boolean {
    outbox.seen(event)
    events.emit('event', event)
    return events.has('event')
  }

  function route(frame: ServerFrame): void {
    if (frame.type === 'inbox.changed') {
      channels.get(frame.channel)?.expect(frame.head)
      events.emit('inbox', frame)
    } else if (frame.type === 'presence.changed') {
      events.emit('presence', frame)
    } else if (frame.type === 'alerts.changed') {
      events.emit('alerts', frame)
    } else if (frame.type === 'session.warning') {
      session.warned(
        frame.at === null ? null : { reason: frame.reason, at: env.now() + clock.until(Date.parse(frame.at)) },
      )
    } else if ('channel' in frame) {
      channels.get(frame.channel)?.receive(frame)
    }
  }

  /** Who has to enrol a second factor first is let in on no socket; from then on as anybody. */
  let enrolling = false
  session.on('signed-in', (user) => {
    void outbox.start(user.id)
    enrolling = user.mustEnrol === true
    if (!enrolling) connection.start()
  })
  session.on('refreshed', (user) => {
    const before = enrolling
    enrolling = user.mustEnrol === true
    if (enrolling) connection.stop()
    else if (before) connection.start()
  })
  session.on('unlocked', (user) => {
    void outbox.start(user.id)
    connection.start()
  })
  // What was read is not kept behind the lock; what was written and not sent yet waits in the outbox.
  session.on('locked', () => {
    idle.end()
    connection.stop()
    for (const one of channels.values()) one.close()
    outbox.stop(false)
  })
  session.on('ended', (reason) => {
    idle.end()
    connection.stop()
    for (const one of channels.values()) one.close()
    outbox.stop(reason === 'signed-out' || reason === 'elsewhere' || reason === 'revoked')
  })
  session.on('changed', (state) => events.emit('session', state))
  connection.on('changed', (state) => events.emit('connection', state))
  connection.on('frame', route)
  connection.on('live', (times) => {
    idle.begin(times)
    for (const one of channels.values()) one.up()
    outbox.up()
  })
  connection.on('down', () => {
    for (const one of channels.values()) one.down()
  })
  outbox.on('post', (post) => {
    if (post.state.is === 'accepted') channels.get(post.channel)?.expect(post.state.seq)
    events.emit('outbox', post)
  })

  return {
    session,
    connection,
    outbox,
    api,
    /** Who is signed in, or null. */
    get me(): SignedInUser | null {
      return session.user
    },
    /** Signs in and opens the line. Throws WardlineError: `unauthenticated` for a wrong name or password. */
    signIn: (credentials: SignIn) => session.signIn(credentials),
    /** Answers the challenge of a sign-in that asks for a second factor. Throws WardlineError: with `why` it was the code. */
    secondFactor: (answer: SecondFactorRequest) => session.secondFactor(answer),
    /** Signs in by a passkey alone: its answer to `session.passkeyOptions()`. Throws WardlineError. */
    signInWithPasskey: (passkey: PasskeyAssertion) => session.signInWithPasskey(passkey),
    /** Takes up the sign-in of an earlier page; null when there is none. Throws WardlineError where trying again can help. */
    restore: () => session.restore(),
    /** Ends the session, here in any case. `reached`: whether the server could be told. */
    signOut: () => session.signOut(),
    /** Locks the session because its person goes away: here and in the other tabs at once. `reached`: whether the server knows. */
    lock: () => session.lock(),
    /** Opens a locked session. Throws WardlineError: with `why` it was wrong; `step-up-required` where a password is not enough. */
    unlock: (given: StepUpRequest) => session.unlock(given),
    /** Somebody touches the screen: call it as often as you like. An app that does is locked when nobody is there. */
    active: () => idle.active(),
    /** The channels of the person who is signed in. */
    channels: api.channels,
    /** The one object of this channel, open or not. */
    channel,
    /** Posts, now or when there is a line. Throws WardlineError for what no server would take. */
    post: (channelId: string, draft: string | Draft): Post =>
      outbox.post(channelId, typeof draft === 'string' ? { body: draft } : draft),
    correct: (message: string, body: string) => connection.request({ type: 'message.correct', message, body }),
    recall: (message: string, reason: RecallReason) => connection.request({ type: 'message.recall', message, reason }),
    acknowledge: (message: string, response?: AcknowledgeResponse) =>
      connection.request({ type: 'message.acknowledge', message, ...(response === undefined ? {} : { response }) }),
    /** Says to colleagues whether one can be reached, and until when; `cover`: who covers, by user id. Not kept: a server that restarts forgets it. */
    setPresence: (status: PresenceStatus, more: { readonly cover?: string; readonly until?: string } = {}) =>
      connection.request({ type: 'presence.set', status, ...more }),
    on: <K extends keyof WardlineEvents>(name: K, run: (value: WardlineEvents[K]) => void): Cancel =>
      events.on(name, run),
    /** Lets go of line, timers and tabs without signing out: the end of a process or a page. */
    close(): void {
      connection.close()
      idle.close()
      for (const one of channels.values()) one.close()
      session.close()
    },
  }
}
