import { PARTS } from './cpu.ts'
import { pinned } from './processes.ts'
import { median, spread } from './statistics.ts'
import type { Figures } from './workload.ts'
import { describe, type PhaseResult, type WorkloadResult } from './workloads.ts'

/** Above this share of a core the generator was the bottleneck, and the figures say nothing about the server. */
const GENERATOR_LIMIT = 0.85

/** The result as Markdown: a table for each phase, medians with their spread, and each side as a ratio to the last (the floor). */
export function renderReport({ workload, rounds, phases }: WorkloadResult): string {
  const where = pinned
    ? 'Server and database share one core, the generator has another.'
    : 'Server, database and generator share the cores: no `taskset` here.'
  const head = `# Workload ${workload.toUpperCase()}: medians of ${rounds} (± half the range)\n\n${where} Every delivery was checked: none lost, none double, none out of order.\n`
  return head + phases.map(renderPhase).join('')
}

function renderPhase({ phase, sides }: PhaseResult): string {
  const rows = [
    '',
    `## ${describe(phase)}`,
    '',
    '| | posts/s | deliveries/s | to the floor | CPU ms per 1,000 | accept p50/p95/p99 ms | deliver p50/p95/p99 ms | generator |',
    '|---|---|---|---|---|---|---|---|',
  ]
  const floor = median((sides.at(-1)?.figures ?? []).map((f) => f.deliveriesPerSecond))
  for (const { name, figures } of sides) {
    const rates = figures.map((f) => f.deliveriesPerSecond)
    const generator = median(figures.map((f) => f.generatorLoad))
    rows.push(
      `| ${[
        name,
        Math.round(median(figures.map((f) => f.postsPerSecond))),
        `${Math.round(median(rates))} ± ${(spread(rates) * 100).toFixed(0)} %`,
        (median(rates) / floor).toFixed(2),
        median(figures.map((f) => f.cpuPerThousand)).toFixed(1),
        latency(figures, 'accept'),
        latency(figures, 'deliver'),
        `${(generator * 100).toFixed(0)} %${generator > GENERATOR_LIMIT ? ' (the bottleneck)' : ''}`,
      ].join(' | ')} |`,
    )
  }
  return `${rows.join('\n')}\n\n${sides.map(renderParts).join('')}`
}

/** Where the CPU of a side went, as one line. */
function renderParts({ name, figures }: PhaseResult['sides'][number]): string {
  const parts = PARTS.map((part) => `${part} ${median(figures.map((f) => f.cpuParts[part])).toFixed(1)}`)
  return `CPU ms per 1,000 of ${name}: ${parts.join(', ')}\n`
}

function latency(figures: readonly Figures[], which: 'accept' | 'deliver'): string {
  return (['p50', 'p95', 'p99'] as const).map((p) => median(figures.map((f) => f[which][p])).toFixed(2)).join('/')
}
