import { setTimeout as pause } from 'node:timers/promises'
import { DEFAULT_LIMITS } from '@wardline/protocol'
import WebSocket from 'ws'
import { inspectable, openInspector } from '../inspector.ts'
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
  /** What the server held more than in the phase before, once its garbage was collected and while the reader was frozen still. */
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
const ROUNDS = 4
/** Rounds that do not count: until the server's caches hold what they ever hold. */
const WARM_UPS = 3
/** What one socket that does not read may hold (gateway/reader.ts): its buffer, one write, eight pages of the store. */
const SOCKET_BYTES = DEFAULT_LIMITS.bufferBytes + 64 * 1024 + 8 * 128 * 1024
/** For what it has missed, at most. */
const CATCH_UP_MS = 30_000

/** Freezes one reader of a channel that is loud, phase by phase in turns, and says what everybody else noticed. */
export async function runFrozen({ scale, seconds, progress }: AbuseOptions): Promise<FrozenReport> {
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

    const frozen: Latency[] = []
    const thawed: Latency[] = []
    const heldMib: number[] = []
    const missed: number[] = []
    const caughtUp: number[] = []
    for (let round = 1 - WARM_UPS; round <= ROUNDS; round += 1) {
      progress(round < 1 ? 'Warming up' : `Round ${round} of ${ROUNDS}`)
      delivered = 0
      const reads = await measure(posts)
      await readOn(posts)
      const before = await inspector.memory()
      delivered = 0
      socket.pause()
      const freezes = await measure(posts)
      const atFreeze = delivered
      const held = (await inspector.memory()).live - before.live
      socket.resume()
      await readOn(posts)
      if (round < 1) continue
      thawed.push(reads)
      frozen.push(freezes)
      heldMib.push(held)
      missed.push(posts - atFreeze)
      caughtUp.push(delivered - atFreeze)
    }
    inspector.close()
    const isLost = (each: WebSocket) => each.readyState !== WebSocket.OPEN && !spare.includes(each)
    return {
      sockets: others.length + 1,
      frozen,
      thawed,
      heldMib,
      boundMib: SOCKET_BYTES / 2 ** 20,
      missed,
      caughtUp,
      lost: target.sockets.filter(isLost).length,
    }
  } finally {
    await target.close()
  }
}
