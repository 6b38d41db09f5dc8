import { median } from '../statistics.ts'
import type { FrozenReport } from './frozen.ts'
import { type AbuseCase, type AbuseReport, ratioOf } from './run.ts'

/** What a server may still refer to after all rounds that it did not after the first, and what more it may hold of the machine. */
const KEPT_LIVE_MIB = 8
const KEPT_RESIDENT_MIB = 48
const KEPT_FILES = 16

/** How much longer deliveries may take while an attack goes on (issue 4), than while the same is made on a server that they do not use. */
const AT_MOST = 2
/** And how much those of others may move for a reader that is frozen. */
const MOVED_AT_MOST = 0.1

/** What was wrong, by kind; all zero where the server held. */
function failuresOf(report: AbuseReport) {
  const { cases, faults, files, memory } = report
  return {
    crashes: cases.filter(({ alive }) => !alive).length,
    faults: faults.length,
    leaks:
      Number(files.after > files.before + KEPT_FILES) +
      Number(memory.last.live > memory.first.live + KEPT_LIVE_MIB) +
      Number(memory.last.resident > memory.first.resident + KEPT_RESIDENT_MIB),
    sockets: Math.max(...cases.map(({ lost }) => lost)),
    slowed: cases.filter((each) => ratioOf(each) > AT_MOST).length,
  }
}

/** Whether the server lives, nothing failed that nobody foresaw, nothing leaked, and who was signed in was served throughout. */
export function hasHeld(report: AbuseReport): boolean {
  return Object.values(failuresOf(report)).every((count) => count === 0)
}

const ms = (value: number) => value.toFixed(1)
const all = (values: readonly number[]) => [...values].map(ms).join(' ')

/** A table for people: per attack the connections, and the deliveries' p99 of those who are signed in. */
export function renderAbuse(report: AbuseReport): string {
  const { cases, quiet, after, memory, files } = report
  const { crashes, faults, leaks, sockets, slowed } = failuresOf(report)
  const line = (each: AbuseCase) =>
    `| ${each.name} | ${each.tried} | ${each.ended} | ${all(each.p99)} | ${all(each.elsewhere)} | ${ratioOf(each).toFixed(2)} | ${(
      median(each.p99) / median(quiet)
    ).toFixed(2)} |`
  const mib = (name: 'live' | 'resident') => `${memory.first[name].toFixed(1)} → ${memory.last[name].toFixed(1)} MiB`
  return [
    '| Attack | tried | ended by the server | p99 of each round, ms | while it was made elsewhere | ratio of medians | to nobody attacking |',
    '|---|---|---|---|---|---|---|',
    ...cases.map(line),
    '',
    `p99 while nobody attacked: median ${ms(median(quiet))} ms, of ${all(quiet)}; after everything ${ms(after)} ms.`,
    `Attacks that more than doubled the p99, beside the same elsewhere: ${slowed}. Sockets of people that were lost: ${sockets}.`,
    `After one round, and after all: live ${mib('live')}, resident ${mib('resident')}, files ${files.before} → ${files.after}.`,
    `Cases tried: ${cases.length}. Crashes: ${crashes}. Faults in its log: ${faults}. Leaks: ${leaks}.`,
    hasHeld(report) ? 'It held.' : 'IT DID NOT HOLD.',
    '',
  ].join('\n')
}

/** By how much the others' p99 moved: medians. */
function movedBy({ frozen, thawed }: FrozenReport): number {
  return median(frozen.map(({ p99 }) => p99)) / median(thawed.map(({ p99 }) => p99)) - 1
}

/** Whether nobody else noticed the reader, the server held no more for it than it says, and nothing was missing or double in the end. */
export function hasShrugged(report: FrozenReport): boolean {
  const { heldMib, boundMib, missed, caughtUp, lost } = report
  const isExact = caughtUp.every((count, round) => count === missed[round])
  return movedBy(report) <= MOVED_AT_MOST && heldMib.every((each) => each <= boundMib) && isExact && lost === 0
}

/** The same phases with the reader frozen and without, in turns. */
export function renderFrozen(report: FrozenReport): string {
  const { sockets, frozen, thawed, heldMib, boundMib, missed, caughtUp, lost } = report
  const line = (name: string, rounds: FrozenReport['frozen'], held: string) =>
    `| ${name} | ${all(rounds.map(({ p50 }) => p50))} | ${all(rounds.map(({ p95 }) => p95))} | ${all(
      rounds.map(({ p99 }) => p99),
    )} | ${ms(median(rounds.map(({ p99 }) => p99)))} | ${held} |`
  return [
    `One reader of ${sockets} sockets, phase by phase in turns; the others' deliveries:`,
    '',
    '| Reader | p50, ms | p95, ms | p99, ms | median | held for it, MiB |',
    '|---|---|---|---|---|---|',
    line('reads', thawed, ''),
    line('frozen', frozen, all(heldMib)),
    '',
    `The others' p99 moved by ${(movedBy(report) * 100).toFixed(1)} % (medians). The server may hold ${boundMib.toFixed(1)} MiB for such a reader.`,
    `Events that it had missed, and had once it read on: ${missed.join(' ')}, ${caughtUp.join(' ')}. Sockets lost: ${lost}.`,
    hasShrugged(report) ? 'It held.' : 'IT DID NOT HOLD.',
    '',
  ].join('\n')
}
