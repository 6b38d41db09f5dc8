import { FINDING_KINDS, type Finding } from './finding.ts'

/** Collects findings: neighbours of one kind become one range, and past a limit they are only counted. */
export type FindingList = {
  add(finding: Finding): void
  /** Those kept, most telling kind first, then in the order they were found. */
  all(): readonly Finding[]
  /** How many were left out. */
  readonly dropped: number
}

/** A list that keeps at most `limit` findings, so that a wholly ruined log is reported in bounded memory. */
export function findingList(limit: number): FindingList {
  const found: Finding[] = []
  let dropped = 0
  return {
    add(finding) {
      if (finding.kind === 'forked' && found.some((one) => isSameFork(one, finding))) return
      const last = found.at(-1)
      const joined = last === undefined ? undefined : join(last, finding)
      if (joined !== undefined) found[found.length - 1] = joined
      else if (found.length < limit) found.push(finding)
      else dropped++
    },
    all: () => FINDING_KINDS.flatMap((kind) => found.filter((finding) => finding.kind === kind)),
    get dropped() {
      return dropped
    },
  }
}

/** A fork shows between checkpoints before the entries are read, and again against the entries. */
function isSameFork(a: Finding, b: Finding): boolean {
  return a.kind === 'forked' && b.kind === 'forked' && a.size === b.size && a.path === b.path
}

/** One finding for two whose ranges meet, within one file and of one kind; `undefined` where they do not. */
function join(a: Finding, b: Finding): Finding | undefined {
  if (!('from' in a && 'from' in b) || a.to !== b.from || a.path !== b.path) return undefined
  if (a.kind === 'changed' && b.kind === 'changed' && a.what === 'leaf' && b.what === 'leaf') return { ...a, to: b.to }
  if (a.kind === 'missing' && b.kind === 'missing' && a.what === b.what) return { ...a, to: b.to }
  if (a.kind !== 'reordered' || b.kind !== 'reordered' || a.belongsAt === undefined) return undefined
  return b.belongsAt === a.belongsAt + (b.from - a.from) ? { ...a, to: b.to } : undefined
}
