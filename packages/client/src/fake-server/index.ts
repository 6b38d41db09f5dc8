import {
  type ClientRequest,
  DEFAULT_LIMITS,
  DEFAULT_PRE_AUTH,
  type ErrorCode,
  type Limits,
  type MessagePost,
  type RefusalWhy,
  type ServerFrame,
  type ServerFrameOf,
  type SignedInUser,
} from '@wardline/protocol'
import { memoryStorage, type Storage } from '../csrf-store.ts'
import { type Environment, globalTime } from '../environment.ts'
import type { WardlineOptions } from '../index.ts'
import { noLocks, noTabs } from '../tabs.ts'
import { FakeChannel } from './channels.ts'
import { type FakeChannelOptions, fakeId, nurse, physician } from './fixtures.ts'
import { answerCall, answerOf, type CookieJar, type FakeHandler, type FakeRequest, requestOf } from './http.ts'
import { turn } from './manual-time.ts'
import { fakeProofs } from './proofs.ts'
import { SignIns } from './sign-ins.ts'
import { FakeSocket, type SocketWorld } from './sockets.ts'
import { type FaultPlan, Wire } from './wire.ts'

export { fakeId, nurse, patient, physician } from './fixtures.ts'
export { type FakeAnswer, type FakeHandler, type FakeRequest, problemOf } from './http.ts'
export { type ManualTime, manualTime, turn } from './manual-time.ts'
export { fakeProofs } from './proofs.ts'
export type { Fate, FaultPlan, Passing } from './wire.ts'

export type FakeServerOptions = {
  /** A manual clock; the machine's own where absent. */
  time?: Pick<Environment, 'now' | 'setTimer'>
  /** Who may sign in, with any password but `wrong`. Nurse and physician where absent. */
  users?: readonly SignedInUser[]
  channels?: readonly FakeChannelOptions[]
  limits?: Partial<Limits>
  /** Life of an access token; 300 where absent. */
  tokenSeconds?: number
}

export type FakeServer = ReturnType<typeof createFakeServer>

/** A server in memory that speaks the protocol as it should, until a test tells it otherwise. */
export function createFakeServer(options: FakeServerOptions = {}) {
  const { users = [nurse, physician], tokenSeconds = 300 } = options
  const time = options.time ?? globalTime
  const limits: Limits = { ...DEFAULT_PRE_AUTH, ...DEFAULT_LIMITS, ...options.limits }
  const channels = new Map<string, FakeChannel>()
  const sockets = new Set<FakeSocket>()
  const signIns = new SignIns(time.now, tokenSeconds)
  const handlers = new Map<string, FakeHandler>()
  const requests: ClientRequest[] = []
  const calls: FakeRequest[] = []
  let plan: FaultPlan | null = null
  let refusing: ((request: ClientRequest) => ErrorCode | undefined) | null = null
  let reachable = true
  let locked: RefusalWhy | null = null
  let wires = 0
  let activity = 0
  let counter = 0

  const next = () => ++counter
  function addChannel(channel: FakeChannelOptions): FakeChannel {
    const added = new FakeChannel(channel, users, time.now)
    channels.set(added.id, added)
    return added
  }
  for (const channel of options.channels ?? []) addChannel(channel)

  function channelOf(id: string): FakeChannel {
    const channel = channels.get(id)
    if (channel === undefined) throw new Error(`the fake server has no channel ${id}`)
    return channel
  }

  /** To every socket of a member: events and state where it is subscribed, the inbox in any case. */
  function committed(channel: FakeChannel, frames: (user: string) => ServerFrame[], except?: FakeSocket): void {
    for (const socket of sockets) {
      if (socket === except || socket.user === null || !channel.members.has(socket.user.id)) continue
      for (const frame of frames(socket.user.id)) {
        if (frame.type === 'inbox.changed' || socket.subscriptions.has(channel.id)) socket.send(frame)
      }
    }
  }

  const world: SocketWorld = {
    limits,
    now: time.now,
    setTimer: time.setTimer,
    channels,
    holderOf: (token) => signIns.holderOf(token),
    isLocked: () => locked !== null,
    nonce: () => `nonce-${String(next()).padStart(20, '0')}`,
    asked: (request) => {
      requests.push(request)
      return refusing?.(request)
    },
    committed,
    gone: (socket) => void sockets.delete(socket),
  }

  function environment(jar: CookieJar, idBase: number): Environment {
    let ids = 0
    return {
      now: time.now,
      setTimer: time.setTimer,
      random: () => 0.5,
      newId: () => fakeId(idBase + ids++),
      wake: () => () => undefined,
      fetch: async (url, init) => {
        activity += 1
        if (!reachable) throw new TypeError('fetch failed')
        const request = requestOf(url, init, jar)
        calls.push(request)
        const scripted = handlers.get(`${request.method} ${request.path}`)?.(request)
        return answerOf(scripted ?? answerCall(httpWorld, request, jar))
      },
      transport: (_url, _protocols, listener) => {
        let socket: FakeSocket | undefined
        const end = { received: (text: string) => socket?.received(text), closed: () => socket?.closed() }
        const wire = new Wire(listener, () => end, {
          index: wires++,
          plan: () => plan,
          setTimer: time.setTimer,
          moved: () => {
            activity += 1
          },
        })
        queueMicrotask(() => {
          if (!reachable) wire.cut()
          if (!wire.open) return
          socket = new FakeSocket(wire, world)
          sockets.add(socket)
        })
        return { send: (text) => wire.up(text), close: (code) => wire.closeUp(code) }
      },
    }
  }

  const httpWorld = {
    users,
    channels,
    signIns,
    closeSocketsOf: (user: SignedInUser) => {
      for (const socket of sockets) if (socket.user?.id === user.id) socket.wire.closeDown(4403)
    },
    locked: () => locked,
    lock: (why: RefusalWhy | null) => {
      locked = why
      if (why === null) return
      for (const socket of sockets) if (socket.user !== null) socket.wire.closeDown(4423)
    },
    addChannel: ({ kind, title, members }: { kind: 'direct' | 'group'; title: string | null; members: string[] }) => {
      const others = users.filter(({ id }) => members.slice(1).includes(id))
      return addChannel({
        id: fakeId(0xf0000 + next()),
        kind,
        title,
        members,
        with:
          kind === 'direct' ? others.map(({ id, displayName, title: t }) => ({ user: id, displayName, title: t })) : [],
      })
    },
  }

  return {
    url: 'https://wardline.test',
    users,
    limits,
    /** Every request of every socket so far, as decoded. */
    requests: requests as readonly ClientRequest[],
    /** Every HTTP call so far. */
    calls: calls as readonly FakeRequest[],
    /** How many sockets are open; `wires()`: how many were ever opened. */
    open: () => sockets.size,
    wires: () => wires,

    /** Options for `createWardline`: one browser, with a cookie jar and storage of its own. */
    browser(parts: Partial<WardlineOptions> & { storage?: Storage; jar?: CookieJar } = {}): WardlineOptions {
      const { jar = { refresh: null }, ...others } = parts
      return {
        url: this.url,
        ...environment(jar, 0x5000000 + next() * 0x10000),
        proofs: fakeProofs(),
        storage: memoryStorage(),
        tabs: noTabs,
        locks: noLocks,
        ...others,
      }
    },

    addChannel,
    /** A channel's durable events. */
    events: (id: string) => channelOf(id).events,
    /** Everything that was posted to a channel, in order. */
    bodies: (id: string): string[] =>
      channelOf(id).events.flatMap(({ event }) => (event.type === 'message.posted' ? [String(event.body)] : [])),

    /** Somebody (the physician, unless said otherwise) posts. */
    say(id: string, body: string, more: Partial<MessagePost> & { by?: string } = {}) {
      const { by = physician.id, type: _type, id: _id, channel: _channel, ...post } = more
      const channel = channelOf(id)
      const done = channel.post(by, { clientId: fakeId(0x9000000 + next()), ...post, body })
      if (done === undefined) throw new Error('another post has this clientId')
      if (!done.repeated) committed(channel, (reader) => [done.event, channel.inboxOf(reader)])
      return done
    },
    /** Any other event. */
    append(id: string, event: ServerFrameOf<'channel.event'>['event']): void {
      const channel = channelOf(id)
      const frame = channel.append(event)
      committed(channel, () => [frame])
    },
    /** A commit that nobody is told of: a hint that was lost (P6). */
    sayInSilence(id: string, body: string): void {
      channelOf(id).post(physician.id, { clientId: fakeId(0x9000000 + next()), body })
    },
    /** Somebody becomes a member, and the channel says so. */
    join(id: string, user: string): void {
      channelOf(id).members.add(user)
      this.append(id, { type: 'member.joined', user, role: null })
    },
    typing(id: string, user: string, active = true): void {
      committed(channelOf(id), () => [{ type: 'typing.changed', channel: id, user, active }])
    },
    receipt(id: string, user: string, marks: { delivered?: number; read?: number }): void {
      const channel = channelOf(id)
      channel.mark(user, marks)
      const { delivered, read } = channel.receiptOf(user)
      committed(channel, () => [{ type: 'receipt.moved', channel: id, user, delivered, read }])
    },
    receiptOf: (id: string, user: string) => channelOf(id).receiptOf(user),
    /** Ends everybody's subscription, and their membership unless it is only `archived`. */
    closeChannel(id: string, reason: ServerFrameOf<'channel.closed'>['reason']): void {
      const channel = channelOf(id)
      committed(channel, () => [{ type: 'channel.closed', channel: id, reason }])
      for (const socket of sockets) socket.subscriptions.delete(id)
      if (reason !== 'archived') channel.members.clear()
    },
    /** Forgets the newest events: a restored backup. */
    rewind(id: string, head: number): void {
      channelOf(id).events.length = head
    },

    /** Asks every socket to renew. */
    renew(reason: 'expiry' | 'role-change' = 'expiry', beforeMs?: number): void {
      for (const socket of sockets) socket.askToRenew(reason, beforeMs)
    },
    /** Tells every socket to come back later, then closes it. */
    drain(reconnectAfterMs: number): void {
      for (const socket of sockets) {
        socket.send({ type: 'server.draining', reconnectAfterMs })
        socket.wire.closeDown(1012)
      }
    },
    closeAll(code: number): void {
      for (const socket of sockets) socket.wire.closeDown(code)
    },
    /** Every line breaks, and both ends see it. */
    cut(): void {
      for (const socket of sockets) socket.wire.cut()
    },
    /** Every line goes silent, and nobody is told. */
    freeze(): void {
      for (const socket of sockets) socket.wire.freeze()
    },
    /** Nothing can be reached, over HTTP or the socket, until `online`. Open lines break. */
    offline(): void {
      reachable = false
      this.cut()
    },
    online(): void {
      reachable = true
    },
    /** The fate of each frame from now on; null: all are delivered. */
    fault(faults: FaultPlan | null): void {
      plan = faults
    },
    /** Refuses requests of the sockets with this code, before anything is done. */
    refuse(rule: ((request: ClientRequest) => ErrorCode | undefined) | null): void {
      refusing = rule
    },
    /** A frame, or any text, to every socket. */
    send(frame: ServerFrame): void {
      for (const socket of sockets) socket.send(frame)
    },
    sendText(text: string): void {
      for (const socket of sockets) socket.wire.down(text)
    },
    sendBinary(): void {
      for (const socket of sockets) socket.wire.downBinary()
    },
    /** Locks every session, until somebody unlocks it with any password but `wrong`. */
    lock(why: 'locked-idle' | 'locked-own' | 'locked-risk' = 'locked-idle'): void {
      httpWorld.lock(why)
    },
    /** The session is locked, or ends, in so many milliseconds; null: it is not locked after all. */
    warn(reason: 'idle' | 'end', inMs: number | null): void {
      const at = inMs === null ? null : new Date(time.now() + inMs).toISOString()
      this.send({ type: 'session.warning', reason, at })
    },
    /** Ends every session: tokens and cookies are good for nothing from now on. Sockets stay, until somebody closes them. */
    endSessions(): void {
      signIns.endAll()
    },
    /** Access tokens alone are good for nothing; a refresh still works. */
    spoilTokens(): void {
      signIns.spoilTokens()
    },
    /** Answers a call, `GET /patients`, in the server's stead; a handler that gives undefined leaves it to the server. */
    http(call: string, handler: FakeHandler): void {
      handlers.set(call, handler)
    },
    /** When nothing is on its way any more. */
    async settle(): Promise<void> {
      for (let seen = -1; seen !== activity; ) {
        seen = activity
        await turn()
      }
    },
  }
}
