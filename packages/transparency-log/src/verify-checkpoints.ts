import { equalBytes } from './bytes.ts'
import { parseCheckpoint, type TreeHead } from './checkpoint.ts'
import { splitTimestamp } from './cosignature.ts'
import type { FindingList } from './finding-list.ts'
import { type KeyChain, keyChain } from './key-chain.ts'
import type { NoteVerifier } from './note-keys.ts'
import { isBy, openNote } from './signed-note.ts'
import { parseIndexPath } from './tile-path.ts'
import { CHECKPOINT_PATH, KEPT_CHECKPOINTS, type ReadableStore, WITNESSED_PATH } from './tile-store.ts'

/** Whose signatures make a checkpoint believable. */
export type TrustPolicy = {
  readonly origin: string
  /** Keys of the log, present or former; those that the log's own handovers lead to from them are believed too. */
  readonly logKeys: readonly NoteVerifier[]
  /** Witnesses, of whom at least `threshold` must have cosigned one and the same checkpoint. */
  readonly witnesses?: { readonly keys: readonly NoteVerifier[]; readonly threshold: number }
}

/** A believed checkpoint, the note itself, and where it came from. */
export type SignedHead = TreeHead & { readonly path: string; readonly note: Uint8Array }

/** The largest checkpoint that enough witnesses have cosigned; `at`: when the last of these did, in seconds since the epoch. */
export type WitnessedHead = SignedHead & { readonly by: readonly string[]; readonly at: number }

/** Every checkpoint that was believed. `present` is the one the log has up. */
export type GatheredHeads = {
  readonly present?: SignedHead
  readonly others: readonly SignedHead[]
  readonly witnessed?: WitnessedHead
  readonly chain: KeyChain
}

/** A checkpoint that somebody claims to be the log's. */
export type Claim = { readonly note: Uint8Array; readonly path: string }

/**
 * Reads the present checkpoint, the kept ones, the last that was cosigned, and those the auditor brings along (`known`), and reports what
 * is wrong with them in themselves: missing, not believable, two trees of one size, a log shorter than one of them, too few witnesses.
 */
export async function gatherHeads(
  store: ReadableStore,
  policy: TrustPolicy,
  known: readonly Claim[],
  findings: FindingList,
): Promise<GatheredHeads> {
  const note = await store.read(CHECKPOINT_PATH)
  if (note === undefined) findings.add({ kind: 'missing', what: 'checkpoint', path: CHECKPOINT_PATH, from: 0, to: 0 })
  const claims = [...(await keptClaims(store)), ...known]
  const all = note === undefined ? claims : [{ note, path: CHECKPOINT_PATH }, ...claims]
  const notes = all.map((claim) => claim.note)
  const chain = await keyChain(store, policy.origin, policy.logKeys, notes)
  const heads = all.map((claim) => believe(claim, policy, chain, findings))
  const present = heads.find((head) => head?.path === CHECKPOINT_PATH)
  const others = heads.filter((head) => head !== undefined && head !== present) as SignedHead[]
  const witnessed = mostWitnessed(all, heads, policy, findings)
  const gathered = { others, chain, ...(present && { present }), ...(witnessed && { witnessed }) }
  reportForks(gathered, findings)
  reportTruncation(gathered, findings)
  return gathered
}

/** The checkpoints that the log keeps for good, and the last that was cosigned; nothing of them is verified. */
export async function keptClaims(store: ReadableStore): Promise<Claim[]> {
  const claims: Claim[] = []
  for await (const path of store.list(KEPT_CHECKPOINTS)) {
    claims.push({ path, note: (await store.read(path)) ?? new Uint8Array(0) })
  }
  const cosigned = await store.read(WITNESSED_PATH)
  if (cosigned !== undefined) claims.push({ note: cosigned, path: WITNESSED_PATH })
  return claims
}

function believe(
  { note, path }: Claim,
  { origin, witnesses }: TrustPolicy,
  chain: KeyChain,
  findings: FindingList,
): SignedHead | undefined {
  const refuse = (reason: string): undefined => {
    findings.add({ kind: 'bad-signature', path, reason })
    return undefined
  }
  const opened = openNote(note, [...chain.keys, ...(witnesses?.keys ?? [])])
  if (!opened.ok) return refuse(FAULTS[opened.fault])
  const checkpoint = parseCheckpoint(opened.text)
  if (checkpoint === undefined) return refuse('it is not a checkpoint')
  if (checkpoint.origin !== origin) return refuse('it is of another log')
  const { size, root } = checkpoint
  const ours = opened.by.filter((key) => chain.keys.includes(key))
  if (ours.length === 0) return refuse(FAULTS['no-known-signature'])
  if (!ours.some((key) => chain.covers(key, size))) return refuse('it is signed with a key that had been given up')
  const stated = path.startsWith(`${KEPT_CHECKPOINTS}/`)
    ? parseIndexPath(path.slice(KEPT_CHECKPOINTS.length + 1))
    : size
  if (stated !== size) return refuse(`it is signed for ${size} entries`)
  return { size, root, path, note }
}

/** The largest believed checkpoint with enough cosignatures. Where witnesses are asked for and there is none, that is a finding. */
function mostWitnessed(
  claims: readonly Claim[],
  heads: readonly (SignedHead | undefined)[],
  { witnesses }: TrustPolicy,
  findings: FindingList,
): WitnessedHead | undefined {
  const { keys, threshold } = witnesses ?? { keys: [], threshold: 0 }
  if (keys.length === 0) return undefined
  let best: WitnessedHead | undefined
  let most = 0
  for (const [i, head] of heads.entries()) {
    const times = head === undefined ? new Map<string, number>() : cosignatures(claims[i]?.note, keys)
    most = Math.max(most, times.size)
    if (head === undefined || times.size < threshold || (best !== undefined && best.size >= head.size)) continue
    best = { ...head, by: [...times.keys()], at: Math.max(...times.values()) }
  }
  if (best === undefined && threshold > 0 && heads.some((head) => head !== undefined)) {
    const reason = `${most} of the ${threshold} witnesses it needs have cosigned it`
    findings.add({ kind: 'bad-signature', path: CHECKPOINT_PATH, reason })
  }
  return best
}

/** The last checkpoint that any of the policy's witnesses has cosigned; `undefined` where none has, or the log's keys did not sign it. */
export async function readWitnessed(
  store: Pick<ReadableStore, 'read'>,
  { origin, logKeys, witnesses }: TrustPolicy,
): Promise<WitnessedHead | undefined> {
  const note = await store.read(WITNESSED_PATH)
  const opened = note && openNote(note, logKeys)
  const head = opened?.ok === true ? parseCheckpoint(opened.text) : undefined
  const times = cosignatures(note, witnesses?.keys ?? [])
  if (note === undefined || head?.origin !== origin || times.size === 0) return undefined
  const { size, root } = head
  return { size, root, path: WITNESSED_PATH, note, by: [...times.keys()], at: Math.max(...times.values()) }
}

/** Which witnesses cosigned a checkpoint that was believed, and when. */
function cosignatures(note: Uint8Array | undefined, keys: readonly NoteVerifier[]): Map<string, number> {
  const opened = openNote(note ?? new Uint8Array(0), keys)
  if (!opened.ok) return new Map()
  return new Map(
    opened.by.map((key) => {
      const times = opened.signatures
        .filter((line) => isBy(line, key))
        .map((line) => splitTimestamp(line.signature)?.at)
      return [key.name, Math.max(...times.map((at) => at ?? 0))]
    }),
  )
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
