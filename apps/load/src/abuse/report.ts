import { type AbuseReport, ratioOf } from './run.ts'

/** What a server may keep of the memory that it once needed, and of files, after everything. */
const KEPT_MIB = 128
const KEPT_FILES = 16

/** How much longer deliveries may take while an attack goes on (issue 4). */
const AT_MOST = 2

/** What was wrong, by kind; all zero where the server held. */
function failuresOf({ cases, faults, files, memory, frozen }: AbuseReport) {
  return {
    crashes: cases.filter(({ alive }) => !alive).length,
    faults: faults.length,
    leaks: Number(files.after > files.before + KEPT_FILES) + Number(memory.afterMib > memory.beforeMib + KEPT_MIB),
    sockets: Math.max(...cases.map(({ lost }) => lost)),
    slowed: cases.filter((each) => ratioOf(each) > AT_MOST).length,
    readers: frozen.readers - frozen.caughtUp,
  }
}

/** Whether the server lives, nothing failed that nobody foresaw, nothing leaked, and who was signed in was served throughout. */
export function hasHeld(report: AbuseReport): boolean {
  return Object.values(failuresOf(report)).every((count) => count === 0)
}

/** A table for people: per attack the connections, and the deliveries' p99 of those who are signed in, before and during. */
export function renderAbuse(report: AbuseReport): string {
  const { cases, after, frozen, memory, files } = report
  const { crashes, faults, leaks, sockets, slowed } = failuresOf(report)
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
    `They may make the server hold ${frozen.boundMib.toFixed(0)} MiB at most.`,
    `Attacks under which the p99 more than doubled, in each of three tries: ${slowed}. Sockets of people that were lost: ${sockets}.`,
    `Cases tried: ${cases.length + 1}. Crashes: ${crashes}. Faults in its log: ${faults}. Leaks: ${leaks} (memory ${Math.round(
      memory.beforeMib,
    )} → ${Math.round(memory.afterMib)} MiB, files ${files.before} → ${files.after}).`,
    hasHeld(report) ? 'It held.' : 'IT DID NOT HOLD.',
    '',
  ].join('\n')
}
