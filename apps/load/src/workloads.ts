import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { floorTarget } from './floor-target.ts'
import type { Layout, Target } from './target.ts'
import { wardlineTarget } from './wardline-target.ts'
import { type Figures, type Phase, runPhase } from './workload.ts'

/** measures.md, "Workloads". `about` is what `--help` says. */
export const WORKLOADS = {
  s: {
    about: '200 sockets, channels of 5; closed loop with 32 in flight, open loop at 400 and 1,000 posts/s',
    layout: { channels: 40, peersPerChannel: 5 },
    inFlight: 32,
    rates: [400, 1000],
  },
  l: {
    about: '2,000 sockets, channels of 20; closed loop with 64 in flight, open loop at 200 posts/s',
    layout: { channels: 100, peersPerChannel: 20 },
    inFlight: 64,
    rates: [200],
  },
} as const satisfies Record<string, { about: string; layout: Layout; inFlight: number; rates: readonly number[] }>

export type WorkloadName = keyof typeof WORKLOADS

export type Side = { readonly name: string; readonly figures: readonly Figures[] }
export type PhaseResult = { readonly phase: Phase; readonly sides: readonly Side[] }
export type WorkloadResult = {
  readonly workload: WorkloadName
  readonly rounds: number
  readonly phases: readonly PhaseResult[]
}

export type RunOptions = {
  readonly rounds: number
  readonly seconds: number
  readonly progress: (text: string) => void
}

/** Runs each phase `rounds` times on each side, the sides alternating, so that a noisy minute touches both. */
export async function runWorkload(
  name: WorkloadName,
  { rounds, seconds, progress }: RunOptions,
): Promise<WorkloadResult> {
  const { layout, inFlight, rates } = WORKLOADS[name]
  const phases: Phase[] = [
    { kind: 'closed', inFlight, seconds },
    ...rates.map((postsPerSecond) => ({ kind: 'open' as const, postsPerSecond, seconds })),
  ]
  const folder = mkdtempSync(join(tmpdir(), 'wardline-floor-'))
  const targets: Target[] = [wardlineTarget(), floorTarget(selfSigned(folder))]
  const figures = phases.map(() => targets.map((): Figures[] => []))
  try {
    const peers = []
    for (const target of targets) {
      progress(`Opening ${layout.channels * layout.peersPerChannel} sockets: ${target.name}`)
      peers.push(await target.open(layout))
    }
    for (const [side, target] of targets.entries()) {
      progress(`Warming up: ${target.name}`)
      await runPhase(target, peers[side] ?? [], { kind: 'closed', inFlight, seconds: 1 })
    }
    for (let round = 1; round <= rounds; round++) {
      for (const [index, phase] of phases.entries()) {
        for (const [side, target] of targets.entries()) {
          progress(`Round ${round} of ${rounds}, ${describe(phase)}: ${target.name}`)
          figures[index]?.[side]?.push(await runPhase(target, peers[side] ?? [], phase))
        }
      }
    }
  } finally {
    for (const target of targets) await target.close()
    rmSync(folder, { recursive: true, force: true })
  }
  const sidesOf = (index: number) =>
    targets.map(({ name: side }, s) => ({ name: side, figures: figures[index]?.[s] ?? [] }))
  return { workload: name, rounds, phases: phases.map((phase, index) => ({ phase, sides: sidesOf(index) })) }
}

export function describe(phase: Phase): string {
  return phase.kind === 'closed'
    ? `closed loop, ${phase.inFlight} in flight`
    : `open loop, ${phase.postsPerSecond} posts/s`
}

/** A key and certificate for the floor's TLS, by openssl, for the time of the run. */
function selfSigned(folder: string): string {
  const [key, certificate, both] = ['key.pem', 'cert.pem', 'both.pem'].map((file) => join(folder, file)) as [
    string,
    string,
    string,
  ]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const made = spawnSync('openssl', [
    'req',
    '-x509',
    ...curve,
    '-keyout',
    key,
    '-out',
    certificate,
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
  ])
  if (made.status !== 0) throw new Error('openssl is needed to make a certificate for the floor')
  writeFileSync(both, readFileSync(key, 'utf8') + readFileSync(certificate, 'utf8'), { mode: 0o600 })
  return both
}
