import { setTimeout as pause } from 'node:timers/promises'
import { DEFAULT_LIMITS } from '@wardline/protocol'
import WebSocket from 'ws'
import { inspectable, openInspector } from '../inspector.ts'
import { median } from '../statistics.ts'
import type { Peer } from '../target.ts'
import { freePort } from '../wardline-server.ts'
import { wardlineTarget } from '../wardline-target.ts'
import { type Latency, runPhase } from '../workload.ts'
import type { AbuseOptions } from './run.ts'

export type FrozenReport = {
  readonly sockets: number
  /** The others' deliveries, in milliseconds: phases in which the reader is frozen, and those between them in which it reads. */
  readonly frozen: readonly Latency[]
  readonly thawed: readonly Latency[]
  /**
   * What the server held more while the reader was frozen still than after the phases before and after, its garbage collected each time:
   * so what every phase adds to its caches does not count.
   */
  readonly heldMib: readonly number[]
  /** What it may hold for a socket that does not read, at most. */
  readonly boundMib: number
  /** By round: events that it did not read while it was frozen, and those that it had in the end. */
  readonly missed: readonly number[]
  readonly caughtUp: readonly number[]
  readonly lost: number
}

/** At scale 1: 2,000 sockets in a hundred channels, and the reader's own with somebody who never stops. */
const CHANNELS = 100
const PER_CHANNEL = 20
const POSTS_PER_SECOND = 60
/** So much that the kernel's own buffers, which are megabytes, are full in a second or two. */
const LARGE_BODY = 7_500
const LARGE_POSTS_PER_SECOND = 150
const ROUNDS = 8
/** For what it holds; and rounds before them, until the server's caches hold what they ever hold. */
const MEMORY_ROUNDS = 4
const MEMORY_WARM_UPS = 2
/** What one socket that does not read may hold (gateway/reader.ts): its buffer, one write, eight pages of the store. */
const SOCKET_BYTES = DEFAULT_LIMITS.bufferBytes + 64 * 1024 + 8 * 128 * 1024
/** For what it has missed, at most. */
const CATCH_UP_MS = 30_000

/** Freezes one reader of a channel that is loud, phase by phase in turns, and says what everybody else noticed. */
export async function runFrozen({
  scale,
  seconds,
  progress,
}: Omit<AbuseOptions, 'rounds' | 'attacks'>): Promise<FrozenReport> {
  const port = await freePort()
  const target = wardlineTarget({ env: inspectable(port), cores: 'all' })
  try {
    progress('Starting a server, and signing people in')
    const channels = Math.max(1, Math.round(CHANNELS * scale))
    const all = await target.open({ channels: channels + 1, peersPerChannel: PER_CHANNEL })
    const others = all.filter(({ channel }) => channel < channels)
    const [talker, reader] = all.filter(({ channel }) => channel === channels) as [Peer, Peer]
    const socket = target.sockets[all.indexOf(reader)] as WebSocket
    // Of the loud channel these two are enough: what the others would have to read is not what is measured.
    const spare = target.sockets.slice(all.indexOf(reader) + 1)
    for (const each of spare) each.terminate()
    const inspector = await openInspector(port)
    const body = 'x'.repeat(LARGE_BODY)
    let delivered = 0
    reader.onDelivered = () => {
      delivered += 1
    }

    const measure = async (during: number) => {
      let said = 0
      const talk = setInterval(() => {
        const due = Math.min(during, Math.floor(((performance.now() - began) / 1000) * LARGE_POSTS_PER_SECOND))
        for (; said < due; said += 1) talker.post(said, body)
      }, 5)
      const began = performance.now()
      const figures = await runPhase(target, others, { kind: 'open', postsPerSecond: POSTS_PER_SECOND, seconds })
      while (said < during) await pause(5)
      clearInterval(talk)
      return figures.deliver
    }
    const posts = LARGE_POSTS_PER_SECOND * seconds
    const readOn = async (count: number) => {
      const deadline = performance.now() + CATCH_UP_MS
      while (delivered < count && performance.now() < deadline) await pause(20)
    }

    const read = async () => {
      delivered = 0
      const figures = await measure(posts)
      await readOn(posts)
      return figures
    }
    const freeze = async (look?: () => Promise<void>) => {
      delivered = 0
      socket.pause()
      const figures = await measure(posts)
      const atFreeze = delivered
      await look?.()
      socket.resume()
      await readOn(posts)
      missed.push(posts - atFreeze)
      caughtUp.push(delivered - atFreeze)
      return figures
    }
    const missed: number[] = []
    const caughtUp: number[] = []
    const frozen: Latency[] = []
    const thawed: Latency[] = []
    for (let round = 1; round <= ROUNDS; round += 1) {
      progress(`Round ${round} of ${ROUNDS}`)
      thawed.push(await read())
      frozen.push(await freeze())
    }
    // Apart from the latencies: who collects its garbage this thoroughly collects often, and is slow, for a while afterwards.
    const live = async () => (await inspector.memory()).live
    const unheld: number[] = []
    const held: number[] = []
    for (let round = 1 - MEMORY_WARM_UPS; round <= MEMORY_ROUNDS; round += 1) {
      progress(round < 1 ? 'Collecting garbage' : `What it holds, round ${round} of ${MEMORY_ROUNDS}`)
      await read()
      const before = await live()
      if (round > 0) unheld.push(before)
      await freeze(async () => {
        const during = await live()
        if (round > 0) held.push(during)
      })
    }
    await read()
    unheld.push(await live())
    inspector.close()
    const isLost = (each: WebSocket) => each.readyState !== WebSocket.OPEN && !spare.includes(each)
    return {
      sockets: others.length + 1,
      frozen,
      thawed,
      heldMib: held.map((each, round) => each - median(unheld.slice(round, round + 2))),
      boundMib: SOCKET_BYTES / 2 ** 20,
      missed,
      caughtUp,
      lost: target.sockets.filter(isLost).length,
    }
  } finally {
    await target.close()
  }
}
