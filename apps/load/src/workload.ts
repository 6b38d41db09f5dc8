import { performance } from 'node:perf_hooks'
import { type Cpu, PARTS, type Part, watchCpu } from './cpu.ts'
import { quantile } from './statistics.ts'
import type { Peer, Target } from './target.ts'

/** Posts are this long (measures.md), in ASCII characters. */
const BODY_BYTES = 300
/** Deliveries that are still under way after this are lost, and the phase fails. */
const SETTLE_MS = 15_000

export type Phase =
  | { readonly kind: 'closed'; readonly inFlight: number; readonly seconds: number }
  | { readonly kind: 'open'; readonly postsPerSecond: number; readonly seconds: number }

export type Figures = {
  readonly postsPerSecond: number
  readonly deliveriesPerSecond: number
  /** CPU milliseconds of server and database for 1,000 deliveries; NaN where it cannot be read. */
  readonly cpuPerThousand: number
  /** Of which each part of the server used so much. */
  readonly cpuParts: Cpu
  /** Share of one core that the generator used; above 0.85 it was the bottleneck. */
  readonly generatorLoad: number
  readonly accept: Latency
  readonly deliver: Latency
}
export type Latency = { readonly p50: number; readonly p95: number; readonly p99: number }

/**
 * Runs one phase. Closed: so many posts wait for acceptance at any time. Open: posts leave on a clock whatever comes back,
 * so that a server which stalls is charged for the wait. Throws where a delivery is missing, double or out of order.
 */
export async function runPhase(
  target: Target,
  peers: readonly Peer[],
  phase: Phase,
  bodyBytes = BODY_BYTES,
): Promise<Figures> {
  const perChannel = peers.filter((peer) => peer.channel === 0).length
  const body = 'x'.repeat(bodyBytes)
  const sentAt: number[] = []
  const accepted: number[] = []
  const delivered: number[] = []
  let nextTag = 0
  let posting = true

  const send = (due: number) => {
    const tag = nextTag++
    sentAt[tag] = due
    ;(peers[tag % peers.length] as Peer).post(tag, body)
  }
  for (const peer of peers) {
    peer.onAccepted = (tag) => {
      accepted.push(performance.now() - (sentAt[tag] as number))
      if (posting && phase.kind === 'closed') send(performance.now())
    }
    peer.onDelivered = (tag) => {
      delivered.push(performance.now() - (sentAt[tag] as number))
    }
  }

  const cpuSince = watchCpu(() => target.processes())
  const began = performance.now()
  const ownBefore = process.cpuUsage()
  if (phase.kind === 'closed') {
    for (let i = 0; i < phase.inFlight; i++) send(performance.now())
    await pause(phase.seconds * 1000)
  } else {
    await postOnClock(phase, began, send)
  }
  posting = false
  const posts = nextTag
  await until(
    () => accepted.length === posts && delivered.length === posts * perChannel,
    SETTLE_MS,
    () => {
      return `${posts} posts: ${accepted.length} accepted, ${delivered.length} of ${posts * perChannel} deliveries`
    },
  )
  const elapsedMs = performance.now() - began
  const own = process.cpuUsage(ownBefore)
  const cpu = cpuSince()
  const perThousand = (ms: number) => (ms / delivered.length) * 1000
  return {
    postsPerSecond: (posts / elapsedMs) * 1000,
    deliveriesPerSecond: (delivered.length / elapsedMs) * 1000,
    cpuPerThousand:
      target.processes().length > 0 ? perThousand(PARTS.reduce((sum, part) => sum + cpu[part], 0)) : Number.NaN,
    cpuParts: Object.fromEntries(PARTS.map((part) => [part, perThousand(cpu[part])])) as Record<Part, number>,
    generatorLoad: (own.user + own.system) / 1000 / elapsedMs,
    accept: latency(accepted),
    deliver: latency(delivered),
  }
}

async function postOnClock(phase: Phase & { kind: 'open' }, began: number, send: (due: number) => void): Promise<void> {
  const total = Math.round(phase.postsPerSecond * phase.seconds)
  let sent = 0
  while (sent < total) {
    const due = Math.min(total, Math.floor(((performance.now() - began) / 1000) * phase.postsPerSecond) + 1)
    // A post is timed from when it was due and not from when a busy generator got to it.
    for (; sent < due; sent++) send(began + (sent / phase.postsPerSecond) * 1000)
    await pause(1)
  }
}

function latency(values: readonly number[]): Latency {
  return { p50: quantile(values, 0.5), p95: quantile(values, 0.95), p99: quantile(values, 0.99) }
}

async function until(done: () => boolean, withinMs: number, describe: () => string): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!done()) {
    if (performance.now() > deadline) throw new Error(`deliveries are missing: ${describe()}`)
    await pause(2)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
