import type { Actor, ChannelResource } from '@wardline/policy'
import { noScopes, withoutStepUp } from '@wardline/policy'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { manualClock } from '../clock.ts'
import { createLogger } from '../log.ts'
import { type Frame, payloadOf, textFrame } from './frame.ts'
import { Hub } from './hub.ts'
import type { Line } from './line.ts'
import type { FramedEvent } from './recent-events.ts'
import { type Subscriber, Subscription } from './subscription.ts'

const TENANT = '3f2504e0-4f89-41d3-9a0c-0305e82c3301'
const CHANNEL = '3f2504e0-4f89-41d3-9a0c-0305e82c3302'
const USER = '3f2504e0-4f89-41d3-9a0c-0305e82c3303'
const channel: ChannelResource = {
  kind: 'channel',
  tenant: TENANT,
  id: CHANNEL,
  channelKind: 'group',
  patient: null,
  archived: false,
}
const BUFFER = 100

function actorWith(memberships: Actor['memberships']): Actor {
  return {
    tenant: TENANT,
    user: USER,
    kind: 'person',
    status: 'active',
    roles: new Set(['nurse']),
    permissions: new Set(['channel.read'] as const),
    careTeam: new Map(),
    memberships,
    emergencyAccess: new Map(),
    scopes: { ...noScopes, families: new Set(['clinical'] as const) },
    authTime: 0,
    acr: 'aal1',
    mtls: false,
  }
}
const member = actorWith(new Map([[CHANNEL, { joinedAt: 0 }]]))
const stranger = actorWith(new Map())

const event = (seq: number): FramedEvent => ({ seq, frame: textFrame(String(seq)), sender: USER, urgent: false })

/** What has been committed, and readings of it that are answered when the test says so, with what there was when they were asked. */
class Store {
  head = 0
  readonly pending: { answer: () => void; fail: () => void }[] = []
  reads = 0

  read = (_tenant: string, _channel: string, after: number, limit: number): Promise<readonly FramedEvent[]> => {
    this.reads += 1
    const last = Math.min(this.head, after + limit)
    const events = Array.from({ length: Math.max(0, last - after) }, (_, place) => event(after + 1 + place))
    return new Promise((resolve, reject) => {
      this.pending.push({ answer: () => resolve(events), fail: () => reject(new Error('away')) })
    })
  }
}

/** A socket that takes bytes as long as it is not stuck. */
class Reader implements Subscriber {
  readonly clock = manualClock()
  readonly policy = withoutStepUp
  readonly bufferBytes = BUFFER
  actor = member
  backlog = 0
  readonly behind = new Set<Subscription>()
  readonly sequences: number[] = []
  readonly frames: string[] = []
  readonly line: Line
  #waiting: (() => void)[] = []
  stuck = false

  constructor() {
    const send = (frame: Frame) => {
      const text = payloadOf(frame).toString()
      if (/^\d+$/.test(text)) this.sequences.push(Number(text))
      else this.frames.push(text)
      if (this.stuck) this.backlog += 40
    }
    const backlog = () => this.backlog
    this.line = {
      get backlog() {
        return backlog()
      },
      send,
    } as Line
  }

  fellBehind(subscription: Subscription): void {
    this.behind.add(subscription)
  }
  readFailed(subscription: Subscription): void {
    this.behind.add(subscription)
  }
  missedReceipts(): void {
    this.frames.push('receipts')
  }
  room(): Promise<void> {
    return this.backlog <= BUFFER / 2 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve))
  }
  async turn(): Promise<() => void> {
    await this.room()
    return () => undefined
  }
  reading<T>(read: () => Promise<T>): Promise<T> {
    return read()
  }
  ended(): void {}

  drain(): void {
    this.stuck = false
    this.backlog = 0
    for (const resolve of this.#waiting.splice(0)) resolve()
    for (const subscription of [...this.behind]) {
      this.behind.delete(subscription)
      void subscription.catchUp()
    }
  }
}

function node(store: Store): Hub {
  return new Hub({ readEvents: store.read, log: createLogger('silent'), onMessage: () => undefined })
}

const settle = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}

/** Subscribes as the act does: first the subscription, then the head, then the replay. */
function subscribe(hub: Hub, store: Store, reader: Reader, after: number): Subscription {
  const subscription = new Subscription(hub.feed(TENANT, CHANNEL), channel, reader)
  subscription.feed.begin(store.head)
  subscription.begun()
  void subscription.replay(after)
  return subscription
}

async function answerAll(store: Store): Promise<void> {
  await settle()
  while (store.pending.length > 0) {
    store.pending.shift()?.answer()
    await settle()
  }
}

describe('subscription', () => {
  it('replays what was missed, says that it is live, and goes on without reading the store again', async () => {
    const store = new Store()
    store.head = 250
    const hub = node(store)
    const reader = new Reader()
    const subscription = subscribe(hub, store, reader, 0)
    await answerAll(store)
    expect(reader.sequences).toEqual(Array.from({ length: 250 }, (_, place) => place + 1))
    expect(subscription.state).toBe('live')
    expect(reader.frames).toEqual([JSON.stringify({ type: 'channel.live', channel: CHANNEL, seq: 250 })])
    const reads = store.reads
    store.head = 251
    hub.committed(TENANT, CHANNEL, event(251))
    expect(reader.sequences.at(-1)).toBe(251)
    expect(store.reads).toBe(reads)
  })

  it('[P3] reads what another node committed before it gives what this one did', async () => {
    const store = new Store()
    const hub = node(store)
    const reader = new Reader()
    subscribe(hub, store, reader, 0)
    await settle()
    store.head = 3
    hub.committed(TENANT, CHANNEL, event(3))
    expect(reader.sequences).toEqual([])
    await answerAll(store)
    expect(reader.sequences).toEqual([1, 2, 3])
  })

  it('serves many who ask for the same from one reading', async () => {
    const store = new Store()
    store.head = 50
    const hub = node(store)
    const readers = Array.from({ length: 20 }, () => new Reader())
    for (const reader of readers) subscribe(hub, store, reader, 10)
    await answerAll(store)
    expect(store.reads).toBe(1)
    for (const reader of readers) expect(reader.sequences).toHaveLength(40)
  })

  it('[P8] puts a slow reader off, holds nothing for it, and lets it read on when it has drained', async () => {
    const store = new Store()
    const hub = node(store)
    const [slow, fast] = [new Reader(), new Reader()]
    const subscription = subscribe(hub, store, slow, 0)
    subscribe(hub, store, fast, 0)
    await settle()
    slow.stuck = true
    for (let seq = 1; seq <= 300; seq += 1) {
      store.head = seq
      hub.committed(TENANT, CHANNEL, event(seq))
    }
    expect(subscription.state).toBe('lagging')
    expect(slow.sequences).toEqual([1, 2, 3])
    expect(fast.sequences).toHaveLength(300)
    subscription.tell(textFrame('a receipt'))
    slow.drain()
    await answerAll(store)
    expect(slow.sequences).toEqual(fast.sequences)
    expect(slow.frames.filter((text) => text.includes('channel.live'))).toHaveLength(2)
    expect(slow.frames.at(-1)).toBe('receipts')
  })

  it('[P5] ends at the first event after the right to it, says so, and gives nothing more', async () => {
    const store = new Store()
    const hub = node(store)
    const reader = new Reader()
    const subscription = subscribe(hub, store, reader, 0)
    await settle()
    reader.actor = stranger
    store.head = 2
    hub.committed(TENANT, CHANNEL, event(1))
    hub.committed(TENANT, CHANNEL, event(2))
    subscription.tell(textFrame('typing'))
    expect(reader.sequences).toEqual([])
    expect(reader.frames.at(-1)).toBe(JSON.stringify({ type: 'channel.closed', channel: CHANNEL, reason: 'removed' }))
    expect(subscription.closed).toBe(true)
    expect([...hub.readers(TENANT, CHANNEL)]).toEqual([])
  })

  it('keeps what is told before it has begun for when it has', () => {
    const store = new Store()
    const reader = new Reader()
    const subscription = new Subscription(node(store).feed(TENANT, CHANNEL), channel, reader)
    subscription.tell(textFrame('early'))
    expect(reader.frames).toEqual([])
    subscription.begun()
    subscription.tell(textFrame('late'))
    expect(reader.frames).toEqual(['early', 'late'])
  })

  it('goes live where the store does not have what a hint promised', async () => {
    const store = new Store()
    store.head = 2
    const hub = node(store)
    const reader = new Reader()
    const subscription = subscribe(hub, store, reader, 0)
    hub.learn(TENANT, CHANNEL, 9)
    await answerAll(store)
    expect(subscription.state).toBe('live')
    store.head = 3
    hub.committed(TENANT, CHANNEL, event(3))
    await answerAll(store)
    expect(reader.sequences).toEqual([1, 2, 3])
  })
})

describe('[P3] any interleaving', () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('commit' as const),
        at: fc.integer({ min: 0, max: 1 }),
        late: fc.boolean(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('told' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('hint' as const), at: fc.integer({ min: 0, max: 1 }) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('subscribe' as const), at: fc.integer({ min: 0, max: 1 }) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const), which: fc.nat(5) }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('answer' as const), which: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), which: fc.nat(5) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('stick' as const), which: fc.nat(5) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('drain' as const), which: fc.nat(5) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  )

  it('of commits on two nodes, lost and late hints, cuts, resumes, slow readers and failed readings: each once, in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), async (steps) => {
        const store = new Store()
        const hubs = [node(store), node(store)] as const
        // What each reader has seen before it was cut is where its next subscription resumes.
        const open: { hub: Hub; reader: Reader; subscription: Subscription; from: number; cut: boolean }[] = []
        // A node hears of its own commit when its transaction is answered, which may be after another's.
        const unheard: { hub: Hub; seq: number }[] = []
        for (const each of steps) {
          const which = 'which' in each ? open[each.which] : undefined
          if (each.do === 'commit') {
            store.head += 1
            const own = { hub: hubs[each.at]!, seq: store.head }
            if (each.late) unheard.push(own)
            else own.hub.committed(TENANT, CHANNEL, event(own.seq))
          } else if (each.do === 'told') {
            const own = unheard.shift()
            own?.hub.committed(TENANT, CHANNEL, event(own.seq))
          } else if (each.do === 'hint') hubs[each.at]!.learn(TENANT, CHANNEL, store.head)
          else if (each.do === 'subscribe') {
            const last = open.findLast((other) => other.cut)?.reader.sequences.at(-1) ?? 0
            const reader = new Reader()
            const hub = hubs[each.at]!
            open.push({ hub, reader, from: last, cut: false, subscription: subscribe(hub, store, reader, last) })
          } else if (each.do === 'cut' && which !== undefined && !which.cut) {
            which.cut = true
            which.subscription.close()
            which.hub.left(which.subscription.feed)
          } else if (each.do === 'answer') store.pending.splice(each.which, 1)[0]?.answer()
          else if (each.do === 'fail') store.pending.splice(each.which, 1)[0]?.fail()
          else if (each.do === 'stick' && which !== undefined) which.reader.stuck = true
          else if (each.do === 'drain') which?.reader.drain()
          else await settle()
          for (const { reader, from } of open) {
            expect(reader.sequences).toEqual(reader.sequences.map((_, place) => from + 1 + place))
          }
        }
        // The poll, and readers that drain: everybody who is still there has everything.
        for (let round = 0; round < 6; round += 1) {
          await answerAll(store)
          for (const { reader } of open) reader.drain()
          for (const hub of hubs) hub.learn(TENANT, CHANNEL, store.head)
        }
        await answerAll(store)
        for (const { reader, from, cut, subscription } of open) {
          const expected = Array.from({ length: store.head - from }, (_, place) => from + 1 + place)
          if (cut) expect(expected.slice(0, reader.sequences.length)).toEqual(reader.sequences)
          else {
            expect(reader.sequences).toEqual(expected)
            expect(subscription.state).toBe('live')
          }
        }
      }),
      { numRuns: 500 },
    )
  })
})
