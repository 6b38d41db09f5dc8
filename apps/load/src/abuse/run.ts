import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import WebSocket from 'ws'
import { inspectable, type Memory, openInspector } from '../inspector.ts'
import { median } from '../statistics.ts'
import { freePort } from '../wardline-server.ts'
import { wardlineTarget } from '../wardline-target.ts'
import { type Phase, runPhase } from '../workload.ts'
import { readyAttacker } from './attacker.ts'
import { ATTACKS, type Attack } from './attacks.ts'
import { LIMITS } from './limits.ts'

export type AbuseOptions = {
  /** Share of each attack's connections, 0 to 1. */
  readonly scale: number
  /** How long each phase is measured. */
  readonly seconds: number
  /** A p99 of a few seconds on a shared machine may be its neighbours': every attack is made so often, in turns with the others. */
  readonly rounds: number
  readonly attacks: readonly Attack[]
  readonly progress: (text: string) => void
}

export type AbuseCase = {
  readonly name: string
  /** Connections, in all rounds together. */
  readonly tried: number
  readonly ended: number
  /** The deliveries' p99 in each round, in milliseconds. */
  readonly p99: readonly number[]
  /** Whether the server's process still runs, and how many of the people's sockets have closed. */
  readonly alive: boolean
  readonly lost: number
}

export type AbuseReport = {
  readonly cases: readonly AbuseCase[]
  /** The same while nobody attacked, in the first round and between attacks, and once everything was over. */
  readonly quiet: readonly number[]
  readonly after: number
  /** At rest: after the first round of all attacks, and after the last. */
  readonly memory: { readonly first: Memory; readonly last: Memory }
  readonly files: { readonly before: number; readonly after: number }
  /** Lines of the server's log of something that nobody foresaw. */
  readonly faults: readonly string[]
}

/** Signed-in people in channels of five. */
const CHANNELS = 8
const READERS = 5
const POSTS_PER_SECOND = 100
/** Bodies so large that all caches soon have what they ever have. */
const LARGE_BODY = 7_500
/** Nobody attacks, for a phase, before every so many attacks. */
const QUIET_EVERY = 3
/** What a server may take to get over an attack, in milliseconds: longer than any of its deadlines. */
const RECOVERY_MS = 15_000

/** Attacks a server of its own, one attack after the other, while people post and read on it, and says what they noticed. */
export async function runAbuse({ scale, seconds, rounds, attacks, progress }: AbuseOptions): Promise<AbuseReport> {
  const port = await freePort()
  const target = wardlineTarget({ env: { ...LIMITS, ...inspectable(port) }, cores: 'all' })
  try {
    progress('Starting a server, and signing people in')
    const people = await target.open({ channels: CHANNELS, peersPerChannel: READERS })
    const inspector = await openInspector(port)
    const [pid = 0] = target.processes()
    const phase: Phase = { kind: 'open', postsPerSecond: POSTS_PER_SECOND, seconds }
    const measure = async () => (await runPhase(target, people, phase)).deliver.p99
    await runPhase(target, people, phase, LARGE_BODY)
    const files = openFiles(pid)
    const rest = async () => {
      progress('Letting the server come to rest')
      await holds(() => openFiles(pid) <= files + 4, RECOVERY_MS)
      return inspector.memory()
    }

    const quiet: number[] = []
    const memories: Memory[] = []
    const cases = new Map<string, AbuseCase>()
    for (let round = 0; round < rounds; round += 1) {
      for (const [place, it] of attacks.entries()) {
        if (place % QUIET_EVERY === 0) quiet.push(await measure())
        progress(`Round ${round + 1} of ${rounds}, attack ${place + 1} of ${attacks.length}: ${it.name}`)
        const aim = { url: target.server.url, ca: target.server.ca, from: `127.66.${round}.${place + 1}` }
        const attacker = await readyAttacker()
        attacker.attack(ATTACKS.indexOf(it), aim, Math.max(1, Math.round(it.connections * scale)))
        const p99 = await measure()
        const { tried, ended } = await attacker.stop()
        const before = cases.get(it.name)
        cases.set(it.name, {
          name: it.name,
          tried: tried + (before?.tried ?? 0),
          ended: ended + (before?.ended ?? 0),
          p99: [...(before?.p99 ?? []), p99],
          alive: isAlive(pid),
          lost: target.sockets.filter(({ readyState }) => readyState !== WebSocket.OPEN).length,
        })
      }
      memories.push(await rest())
    }
    const [first, last] = [memories[0], memories.at(-1)] as [Memory, Memory]
    const after = await measure()
    inspector.close()
    return {
      cases: [...cases.values()],
      quiet,
      after,
      memory: { first, last },
      files: { before: files, after: openFiles(pid) },
      faults: faultsIn(join(target.dataDir, 'wardline.log')),
    }
  } finally {
    await target.close()
  }
}

/** How much longer the slowest deliveries took while the attack went on: medians of all rounds. */
export function ratioOf({ p99 }: Pick<AbuseCase, 'p99'>, { quiet }: Pick<AbuseReport, 'quiet'>): number {
  return median(p99) / median(quiet)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function holds(condition: () => boolean, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!condition() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100))
}

/** Files and sockets that a process has open (proc(5)); NaN where the system does not tell. */
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
