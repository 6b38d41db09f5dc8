import { equalBytes } from './bytes.ts'
import { parseCheckpoint, type TreeHead } from './checkpoint.ts'
import type { FindingList } from './finding-list.ts'
import type { NoteVerifier } from './note-keys.ts'
import { openNote } from './signed-note.ts'
import { parseIndexPath } from './tile-path.ts'
import { CHECKPOINT_PATH, KEPT_CHECKPOINTS, type ReadableStore } from './tile-store.ts'

/** Whose signatures make a checkpoint believable. */
export type TrustPolicy = {
  readonly origin: string
  /** Keys of the log, present and former: one of them must have signed each checkpoint. */
  readonly logKeys: readonly NoteVerifier[]
  /** Witnesses, of whom at least `threshold` must have cosigned the present checkpoint. */
  readonly witnesses?: { readonly keys: readonly NoteVerifier[]; readonly threshold: number }
}

/** A believed checkpoint and where it came from. */
export type SignedHead = TreeHead & { readonly path: string }

/** Every checkpoint that was believed. `present` is the one the log has up. */
export type GatheredHeads = { readonly present?: SignedHead; readonly others: readonly SignedHead[] }

/**
 * Reads the present checkpoint, the kept ones, and those the auditor brings along (`known`), and reports what is wrong
 * with them in themselves: missing, not believable, two trees of one size, a log shorter than one of them.
 */
export async function gatherHeads(
  store: ReadableStore,
  policy: TrustPolicy,
  known: readonly Uint8Array[],
  findings: FindingList,
): Promise<GatheredHeads> {
  const note = await store.read(CHECKPOINT_PATH)
  if (note === undefined) findings.add({ kind: 'missing', what: 'checkpoint', path: CHECKPOINT_PATH, from: 0, to: 0 })
  const present = note === undefined ? undefined : believe(note, CHECKPOINT_PATH, policy, true, findings)
  const others: SignedHead[] = []
  for await (const path of store.list(KEPT_CHECKPOINTS)) {
    const head = believe((await store.read(path)) ?? new Uint8Array(0), path, policy, false, findings)
    if (head === undefined) continue
    if (parseIndexPath(path.slice(KEPT_CHECKPOINTS.length + 1)) === head.size) others.push(head)
    else findings.add({ kind: 'bad-signature', path, reason: `it is signed for ${head.size} entries` })
  }
  for (const [i, one] of known.entries()) {
    const head = believe(one, `known checkpoint ${i + 1}`, policy, false, findings)
    if (head !== undefined) others.push(head)
  }
  const gathered = present === undefined ? { others } : { present, others }
  reportForks(gathered, findings)
  reportTruncation(gathered, findings)
  return gathered
}

function believe(
  note: Uint8Array,
  path: string,
  { origin, logKeys, witnesses }: TrustPolicy,
  needsWitnesses: boolean,
  findings: FindingList,
): SignedHead | undefined {
  const refuse = (reason: string): undefined => {
    findings.add({ kind: 'bad-signature', path, reason })
    return undefined
  }
  const opened = openNote(note, [...logKeys, ...(witnesses?.keys ?? [])])
  if (!opened.ok) return refuse(FAULTS[opened.fault])
  const checkpoint = parseCheckpoint(opened.text)
  if (checkpoint === undefined) return refuse('it is not a checkpoint')
  if (checkpoint.origin !== origin) return refuse('it is of another log')
  if (!opened.by.some((key) => logKeys.includes(key))) return refuse(FAULTS['no-known-signature'])
  const cosigned = opened.by.filter((key) => witnesses?.keys.includes(key) === true).length
  if (needsWitnesses && cosigned < (witnesses?.threshold ?? 0)) {
    return refuse(`${cosigned} of the ${witnesses?.threshold} witnesses it needs have cosigned it`)
  }
  return { size: checkpoint.size, root: checkpoint.root, path }
}

const FAULTS = {
  malformed: 'it is not a signed note',
  'invalid-signature': 'a signature is wrong',
  'no-known-signature': 'no known key of the log signed it',
}

/** Two believed checkpoints of one size and different roots: the log showed different people different trees. */
function reportForks({ present, others }: GatheredHeads, findings: FindingList): void {
  const roots = new Map<number, SignedHead>(present === undefined ? [] : [[present.size, present]])
  for (const head of others) {
    const same = roots.get(head.size)
    if (same === undefined) roots.set(head.size, head)
    else if (!equalBytes(same.root, head.root)) findings.add({ kind: 'forked', size: head.size, path: head.path })
  }
}

function reportTruncation({ present, others }: GatheredHeads, findings: FindingList): void {
  const longest = others.reduce<SignedHead | undefined>(
    (a, b) => (a === undefined || b.size > a.size ? b : a),
    undefined,
  )
  if (present === undefined || longest === undefined || longest.size <= present.size) return
  findings.add({ kind: 'truncated', size: present.size, expected: longest.size, path: longest.path })
}
