/** What the verifier can find. A closed union: whoever reads a report can handle every kind. */

/** A half-open range of leaf indexes. */
type Range = { readonly from: number; readonly to: number }

export type Finding =
  /**
   * Content is not what was signed. `leaf`: these entries differ from their hashes in the tree; `inserted`: there is an
   * entry too many before `from`; `tile`: a stored hash differs from the hashes below it; `root`: the tree from `from`
   * to `to` is not the one signed at `to` leaves.
   */
  | ({ readonly kind: 'changed'; readonly what: 'leaf' | 'inserted' | 'tile' | 'root'; readonly path: string } & Range)
  /** A file that must be there is not, or entries within a bundle, while later ones are there. */
  | ({
      readonly kind: 'missing'
      readonly what: 'leaf' | 'bundle' | 'tile' | 'checkpoint'
      readonly path: string
    } & Range)
  /** Entries stand in another place than the tree gives them (`belongsAt`), or out of their writer's order (no place known). */
  | ({ readonly kind: 'reordered'; readonly belongsAt?: number; readonly path: string } & Range)
  /** The log ends at `size` although `expected` leaves were signed. */
  | { readonly kind: 'truncated'; readonly size: number; readonly expected: number; readonly path: string }
  /** A validly signed checkpoint of `size` leaves is of another tree than the log's. */
  | { readonly kind: 'forked'; readonly size: number; readonly path: string }
  /** A checkpoint (or the void at `index`) is malformed, not of this log, or not signed as it must be. */
  | { readonly kind: 'bad-signature'; readonly path: string; readonly index?: number; readonly reason: string }
  /** At `index`, `writer` is at `found` where `expected` was due: `expected` … `found - 1` never came, or `found` came again. */
  | {
      readonly kind: 'writer-gap'
      readonly index: number
      readonly reason: 'skipped' | 'repeated' | 'unreadable'
      readonly writer: string
      readonly expected: number
      readonly found: number
    }
  /** The newest sign of life, or of a witness, is too old (or too far in the future); times in milliseconds since the epoch. */
  | {
      readonly kind: 'stale'
      readonly of: 'heartbeat' | 'witness'
      readonly lastAt?: number
      readonly now: number
    }

export type FindingKind = Finding['kind']

/** Every kind, in the order in which a report names them. */
export const FINDING_KINDS = [
  'bad-signature',
  'forked',
  'truncated',
  'missing',
  'changed',
  'reordered',
  'writer-gap',
  'stale',
] as const satisfies readonly FindingKind[]

/** A finding as one sentence, for people. */
export function describeFinding(finding: Finding): string {
  switch (finding.kind) {
    case 'changed':
      return describeChange(finding)
    case 'missing':
      if (finding.what === 'checkpoint') return 'There is no checkpoint: nothing says what this log should be.'
      return `${finding.path} is missing ${finding.what === 'leaf' ? `entries ${range(finding)}` : `(entries ${range(finding)})`}.`
    case 'reordered':
      return finding.belongsAt === undefined
        ? `Entries ${range(finding)} came out of their writer's order.`
        : `Entries ${range(finding)} belong at ${finding.belongsAt}.`
    case 'truncated':
      return `The log ends at ${finding.size} entries, but ${finding.path} is signed for ${finding.expected}.`
    case 'forked':
      return `${finding.path} is signed for a tree of ${finding.size} entries that is not this log's.`
    case 'bad-signature':
      return `${finding.path}${finding.index === undefined ? '' : ` entry ${finding.index}`} is not to be believed: ${finding.reason}.`
    case 'writer-gap':
      return describeGap(finding)
    case 'stale':
      return finding.lastAt === undefined
        ? 'The log has no heartbeat at all.'
        : `The last ${finding.of === 'witness' ? 'cosignature of a witness' : 'heartbeat'} is of ${new Date(finding.lastAt).toISOString()}; it is ${new Date(finding.now).toISOString()} now.`
  }
}

function describeChange(finding: Extract<Finding, { kind: 'changed' }>): string {
  switch (finding.what) {
    case 'leaf':
      return `Entries ${range(finding)} in ${finding.path} are not what was logged.`
    case 'inserted':
      return `${finding.path} has an entry too many before entry ${finding.from}.`
    case 'tile':
      return `${finding.path} is not made of the hashes below it (entries ${range(finding)}).`
    case 'root':
      return `Entries ${range(finding)} are not those that ${finding.path} is signed for.`
  }
}

function describeGap({ writer, index, reason, expected, found }: Extract<Finding, { kind: 'writer-gap' }>): string {
  switch (reason) {
    case 'unreadable':
      return `Entry ${index} is not a numbered audit entry.`
    case 'repeated':
      return `Entry ${index} repeats number ${found} of writer ${writer}.`
    case 'skipped':
      return `Entry ${index} is number ${found} of writer ${writer}: ${expected} to ${found - 1} never came.`
  }
}

function range({ from, to }: Range): string {
  return to - from <= 1 ? String(from) : `${from} to ${to - 1}`
}
