import type { AbuseReport } from './run.ts'

/** What a server may keep of the memory that it once needed, and of files, after everything. */
const KEPT_MIB = 128
const KEPT_FILES = 16

/** Whether nothing failed that nobody foresaw, nothing leaked, and every frozen reader has everything. */
export function hasHeld({ faults, files, memory, frozen }: AbuseReport): boolean {
  const hasLeaked = files.after > files.before + KEPT_FILES || memory.afterMib > memory.beforeMib + KEPT_MIB
  return faults.length === 0 && !hasLeaked && frozen.caughtUp === frozen.readers
}

/** A table for people: per attack the connections, and the deliveries' p99 of those who are signed in, before and during. */
export function renderAbuse(report: AbuseReport): string {
  const { cases, after, frozen, memory, files, faults } = report
  const [first] = cases
  const ms = (value: number) => value.toFixed(1)
  const line = (name: string, tried: string, ended: string, before: number, during: number, mib: number) =>
    `| ${name} | ${tried} | ${ended} | ${ms(before)} | ${ms(during)} | ${(during / before).toFixed(2)} | ${Math.round(mib)} |`
  return [
    '| Attack | tried | ended by the server | p99 before, ms | p99 during, ms | ratio | RSS, MiB |',
    '|---|---|---|---|---|---|---|',
    ...cases.map(({ name, tried, ended, before, during, mib }) =>
      line(name, String(tried), String(ended), before.deliver.p99, during.deliver.p99, mib),
    ),
    line(
      `${frozen.readers} frozen readers`,
      String(frozen.readers),
      '0',
      frozen.before.deliver.p99,
      frozen.during.deliver.p99,
      frozen.mib,
    ),
    '',
    `p99 before everything ${ms(first?.before.deliver.p99 ?? Number.NaN)} ms, after everything ${ms(after.deliver.p99)} ms.`,
    `Frozen readers that had exactly what they had missed once they read on: ${frozen.caughtUp} of ${frozen.readers}.`,
    `Crashes: 0 (the server still serves). Faults in its log: ${faults.length}.`,
    `Memory ${Math.round(memory.beforeMib)} → ${Math.round(memory.afterMib)} MiB, files ${files.before} → ${files.after}: ${
      hasHeld(report) ? 'it held.' : 'IT DID NOT HOLD.'
    }`,
    '',
  ].join('\n')
}
