import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import WebSocket from 'ws'
import { inspectable, type Memory, openInspector } from '../inspector.ts'
import { makeIdle } from '../processes.ts'
import { median } from '../statistics.ts'
import { freePort } from '../wardline-server.ts'
import { wardlineTarget } from '../wardline-target.ts'
import { type Phase, runPhase } from '../workload.ts'
import { readyAttacker } from './attacker.ts'
import { type Aim, ATTACKS, type Attack } from './attacks.ts'
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
  /** Connections, in all measured rounds together. */
  readonly tried: number
  readonly ended: number
  /** The deliveries' p99 in each round, in milliseconds. */
  readonly p99: readonly number[]
  /** The same while another server is attacked in the same way, which nobody uses: what that costs this machine and not the server. */
  readonly elsewhere: readonly number[]
  /** Whether the server's process still runs, and how many of the people's sockets have closed. */
  readonly alive: boolean
  readonly lost: number
}

export type AbuseReport = {
  readonly cases: readonly AbuseCase[]
  /** The same while nobody attacked, in the first round and between attacks, and once everything was over. */
  readonly quiet: readonly number[]
  readonly after: number
  /** At rest: after a round of all attacks that nothing else is measured in, and after the last. */
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
/** Posts of large bodies, for so many phases, before any measure: until the server is what it is under a load. */
const SETTLING_PHASES = 4
/** What a server may take to get over an attack, in milliseconds: longer than any of its deadlines. */
const RECOVERY_MS = 15_000

/**
 * Attacks a server of its own, one attack after the other, while people post and read on it, and says what they noticed. Attackers are
 * elsewhere, and here they are not: so each attack is made on another server as well, which runs on what nobody else wants.
 */
export async function runAbuse({ scale, seconds, rounds, attacks, progress }: AbuseOptions): Promise<AbuseReport> {
  const port = await freePort()
  const target = wardlineTarget({ env: { ...LIMITS, ...inspectable(port) }, cores: 'all' })
  const other = wardlineTarget({ env: LIMITS, cores: 'all' })
  try {
    progress('Starting two servers, and signing people in')
    await other.open({ channels: 1, peersPerChannel: 2 })
    other.processes().forEach(makeIdle)
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
    }

    const under = async (it: Attack, { url, ca }: Pick<Aim, 'url' | 'ca'>, from: string) => {
      const attacker = await readyAttacker()
      attacker.attack(ATTACKS.indexOf(it), { url, ca, from }, Math.max(1, Math.round(it.connections * scale)))
      const p99 = await measure()
      return { p99, ...(await attacker.stop()) }
    }

    const quiet: number[] = []
    const cases = new Map<string, AbuseCase>()
    const attackAll = async (round: number) => {
      for (const [place, it] of attacks.entries()) {
        if (place % QUIET_EVERY === 0) quiet.push(await measure())
        progress(
          `${round === 0 ? 'Unmeasured' : `Round ${round} of ${rounds}`}, attack ${place + 1} of ${attacks.length}: ${it.name}`,
        )
        const { p99, tried, ended } = await under(it, target.server, `127.66.${round}.${place + 1}`)
        const elsewhere = round === 0 ? [] : [(await under(it, other.server, `127.67.${round}.${place + 1}`)).p99]
        const before = cases.get(it.name)
        cases.set(it.name, {
          name: it.name,
          tried: tried + (before?.tried ?? 0),
          ended: ended + (before?.ended ?? 0),
          p99: [...(before?.p99 ?? []), p99],
          elsewhere: [...(before?.elsewhere ?? []), ...elsewhere],
          alive: isAlive(pid),
          lost: target.sockets.filter(({ readyState }) => readyState !== WebSocket.OPEN).length,
        })
      }
      await rest()
    }
    // What the server has of code and caches afterwards it has for good.
    await attackAll(0)
    const first = await inspector.memory()
    cases.clear()
    quiet.length = 0
    // Collecting all that can be has V8 collect a good deal more often for a while, attack or no attack.
    for (let phases = 0; phases < SETTLING_PHASES; phases += 1) await runPhase(target, people, phase, LARGE_BODY)
    for (let round = 1; round <= rounds; round += 1) await attackAll(round)
    const after = await measure()
    const last = await inspector.memory()
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
    await Promise.all([target.close(), other.close()])
  }
}

/** How much longer the slowest deliveries took while the attack went on, than while it was made elsewhere: medians of all rounds. */
export function ratioOf({ p99, elsewhere }: Pick<AbuseCase, 'p99' | 'elsewhere'>): number {
  return median(p99) / median(elsewhere)
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
