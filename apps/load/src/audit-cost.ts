import { LoadDatabase } from './load-database.ts'
import { median, spread } from './statistics.ts'
import { wardlineTarget } from './wardline-target.ts'
import { type Figures, type Latency, type Phase, runPhase } from './workload.ts'
import { describe, type RunOptions, WORKLOADS } from './workloads.ts'

/** What auditing costs the hot path, and how soon an event is under a signed checkpoint while it is hot (issue 5, "Done when"). */
export type AuditCost = {
  readonly phase: Phase
  readonly audited: readonly Figures[]
  readonly bare: readonly Figures[]
  /** Of each audited round. */
  readonly merging: readonly { readonly events: number; readonly delay: Latency }[]
}

/** The promises: measures.md, and R-72. */
const MAX_SHARE = 0.15
/** Before anything is measured: the sequencer's thread is compiled beside the server then, which happens once. */
const WARM_UP_SECONDS = 5
const MAX_DELAY_MS = 1_000
const REST_MS = 30_000

/**
 * Two whole servers, one that writes its audit log and one whose database leaves the rows out and that runs no sequencer, in turns. What
 * making an event's bytes costs is left on both sides: it cannot be taken out of the product.
 */
export async function runAuditCost({ rounds, seconds, progress }: RunOptions): Promise<AuditCost[]> {
  const { layout, inFlight, rates } = WORKLOADS.s
  const audited = wardlineTarget()
  const bare = wardlineTarget({ name: 'the same without audit', env: { WARDLINE_SEQUENCER: 'off' } })
  const databases: LoadDatabase[] = []
  const connect = async (dataDir: string) => {
    const database = await LoadDatabase.connect(dataDir)
    databases.push(database)
    return database
  }
  try {
    progress(`Opening ${layout.channels * layout.peersPerChannel} sockets on each of two servers`)
    const peers = { audited: await audited.open(layout), bare: await bare.open(layout) }
    const log = await connect(audited.dataDir)
    await (await connect(bare.dataDir)).stopAuditing()
    for (const side of ['audited', 'bare'] as const) {
      await runPhase(side === 'audited' ? audited : bare, peers[side], {
        kind: 'closed',
        inFlight,
        seconds: WARM_UP_SECONDS,
      })
    }
    const phases: Phase[] = [
      { kind: 'closed', inFlight, seconds },
      ...rates.map((postsPerSecond) => ({ kind: 'open' as const, postsPerSecond, seconds })),
    ]
    const costs = phases.map((phase) => ({
      phase,
      audited: [] as Figures[],
      bare: [] as Figures[],
      merging: [] as AuditCost['merging'][number][],
    }))
    for (let round = 1; round <= rounds; round++) {
      for (const cost of costs) {
        progress(`Round ${round} of ${rounds}, ${describe(cost.phase)}`)
        const withoutIt = async () => cost.bare.push(await runPhase(bare, peers.bare, cost.phase))
        const withIt = async () => {
          const watch = log.watchMerging()
          cost.audited.push(await runPhase(audited, peers.audited, cost.phase))
          cost.merging.push(await watch.stop())
          // What the index put off is not what the other side is to be measured beside.
          await log.indexed(REST_MS)
        }
        // Each goes first in every other round: where the machine grows slower or faster, it does so for both.
        if (round % 2 === 1) await withoutIt()
        await withIt()
        if (round % 2 === 0) await withoutIt()
      }
    }
    return costs
  } finally {
    for (const database of databases) await database.close()
    await audited.close()
    await bare.close()
  }
}

/** As Markdown: a row a phase, medians with their spread, and whether the promises hold. */
export function renderAuditCost(costs: readonly AuditCost[]): string {
  const rows = costs.map(({ phase, audited, bare, merging }) => {
    const rate = (all: readonly Figures[]) => all.map((figures) => figures.postsPerSecond)
    const cpu = (all: readonly Figures[]) => median(all.map((figures) => figures.cpuPerThousand))
    const shares = sharesOf(phase, audited, bare)
    const share = median(shares)
    const p99 = median(merging.map(({ delay }) => delay.p99))
    const delay = (['p50', 'p95', 'p99'] as const).map((p) => Math.round(median(merging.map((one) => one.delay[p]))))
    return `| ${[
      describe(phase),
      told(rate(audited)),
      told(rate(bare)),
      `${cpu(audited).toFixed(1)} / ${cpu(bare).toFixed(1)}`,
      `${percent(share)} %${share > MAX_SHARE ? ' (over 15 %)' : ''} of ${shares.map(percent).join(' ')}`,
      `${delay.join('/')}${p99 > MAX_DELAY_MS ? ' (over 1 s)' : ''}`,
      merging.reduce((sum, { events }) => sum + events, 0),
    ].join(' | ')} |`
  })
  return [
    '# What the audit costs: medians (± half the range)',
    '',
    'Its share is of the rate in the closed loop, of the CPU in the open ones: the median of the rounds, of which each is told. Merge delay: from the event to a signed checkpoint over it.',
    '',
    '| | posts/s audited | posts/s without | CPU ms per 1,000 deliveries | audit’s share | merge delay p50/p95/p99 ms | events |',
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

/** Of each round by itself: its two halves follow each other, and a machine that others use is as fast in both as in any two. */
function sharesOf(phase: Phase, audited: readonly Figures[], bare: readonly Figures[]): number[] {
  return audited.map((figures, round) => {
    const without = bare[round] ?? figures
    return phase.kind === 'closed'
      ? 1 - figures.postsPerSecond / without.postsPerSecond
      : 1 - without.cpuPerThousand / figures.cpuPerThousand
  })
}

function percent(share: number): string {
  return (share * 100).toFixed(1)
}

function told(rates: readonly number[]): string {
  return `${Math.round(median(rates))} ± ${(spread(rates) * 100).toFixed(0)} %`
}
