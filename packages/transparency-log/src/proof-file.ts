import { type Checkpoint, parseCheckpoint, type TreeHead } from './checkpoint.ts'
import { readEntries } from './entry-reader.ts'
import { InconsistentLogError, readCheckpoint } from './log-recovery.ts'
import { leafHash } from './merkle-hash.ts'
import { parseNote } from './note.ts'
import type { NoteVerifier } from './note-keys.ts'
import { inclusionProof, verifyInclusion } from './proofs.ts'
import { openNote } from './signed-note.ts'
import { TILE_WIDTH, tilePath, tileWidth } from './tile-path.ts'
import { bundleEntries, readTile, TileMissingError, tileNodeReader } from './tile-reader.ts'
import { HANDOVERS, type ReadableStore, type TileStore, WITNESSED_PATH } from './tile-store.ts'
import { formatTlogProof, parseTlogProof } from './tlog-proof.ts'
import type { TrustPolicy } from './verify-checkpoints.ts'

/** Proof files of single entries (C2SP tlog-proof): made from a log, and checked without it. */

/**
 * The entry at `index` and its proof file: under the last checkpoint that witnesses have cosigned, where that covers it, else under the
 * present one. Throws RangeError where the present checkpoint does not cover the index, {@link TileMissingError} or {@link InconsistentLogError} where the store cannot prove it: a proof
 * that would not verify is not made.
 */
export async function proveEntry(
  store: Pick<TileStore, 'read'>,
  { origin, logKeys }: TrustPolicy,
  index: number,
): Promise<{ entry: Uint8Array; file: Uint8Array<ArrayBuffer> }> {
  const present = await readCheckpoint(store, origin, logKeys)
  if (present === undefined) throw new InconsistentLogError('there is no checkpoint')
  if (!Number.isSafeInteger(index) || index < 0 || index >= present.head.size) {
    throw new RangeError(`the log has ${present.head.size} entries: there is none at ${index}`)
  }
  const { note, head } = (await cosignedOver(store, { origin, logKeys }, index)) ?? present
  const { size, root } = head
  const tile = Math.floor(index / TILE_WIDTH)
  const address = { level: 'entries', index: tile, width: tileWidth('entries', tile, size) } as const
  const entry = bundleEntries(await readTile(store, address), address.width)?.[index % TILE_WIDTH]
  if (entry === undefined) throw new TileMissingError(tilePath(address))
  const proof = await inclusionProof(index, size, tileNodeReader(store, size))
  if (!verifyInclusion(leafHash(entry), index, size, proof, root)) {
    throw new InconsistentLogError(`entry ${index} is not what was signed`)
  }
  return { entry, file: formatTlogProof({ index, proof, checkpoint: note }) }
}

/** What witnesses have cosigned is worth more than what only the log says. One that is by a former key, or damaged, is as good as none. */
async function cosignedOver(
  store: Pick<TileStore, 'read'>,
  { origin, logKeys }: TrustPolicy,
  index: number,
): Promise<{ note: Uint8Array; head: TreeHead } | undefined> {
  const note = await store.read(WITNESSED_PATH)
  const opened = note && openNote(note, logKeys)
  const head = opened?.ok === true ? parseCheckpoint(opened.text) : undefined
  return note !== undefined && head?.origin === origin && index < head.size ? { note, head } : undefined
}

/** A change of the log's key, for who holds one of its keys and not the log: the entry, and its proof under a checkpoint of both. */
export type ProvedHandover = { readonly entry: Uint8Array; readonly file: Uint8Array }

/** Every handover of the log, the first one first; nothing is verified. */
export async function readHandovers(store: ReadableStore): Promise<ProvedHandover[]> {
  const found: (ProvedHandover & { readonly index: number })[] = []
  for await (const path of store.list(HANDOVERS)) {
    const file = await store.read(path)
    const index = file && parseTlogProof(file)?.index
    if (file === undefined || index === undefined) continue
    const next = await readEntries(store, index + 1, index).next()
    if (next.done !== true && next.value !== undefined) found.push({ entry: next.value, file, index })
  }
  return found.toSorted((a, b) => a.index - b.index)
}

/** `by` holds the keys, of the log and of witnesses, whose signatures the checkpoint bears. */
export type ProofVerdict =
  | { readonly ok: true; readonly index: number; readonly checkpoint: Checkpoint; readonly by: readonly NoteVerifier[] }
  | { readonly ok: false; readonly fault: ProofFault }

/** Why a proof proves nothing. */
export type ProofFault = 'malformed' | 'bad-signature' | 'not-enough-witnesses' | 'not-included'

/** Whether a proof file shows that `entry` is in the log `policy` describes. Never throws. */
export function checkProof(file: Uint8Array, entry: Uint8Array, policy: TrustPolicy): ProofVerdict {
  const { origin, logKeys, witnesses = { keys: [], threshold: 0 } } = policy
  const parsed = parseTlogProof(file)
  const note = parsed && parseNote(parsed.checkpoint)
  const checkpoint = note && parseCheckpoint(note.text)
  if (parsed === undefined || checkpoint === undefined) return { ok: false, fault: 'malformed' }
  const opened = openNote(parsed.checkpoint, [...logKeys, ...witnesses.keys])
  if (!opened.ok || checkpoint.origin !== origin || !opened.by.some((key) => logKeys.includes(key))) {
    return { ok: false, fault: 'bad-signature' }
  }
  if (opened.by.filter((key) => witnesses.keys.includes(key)).length < witnesses.threshold) {
    return { ok: false, fault: 'not-enough-witnesses' }
  }
  const { index, proof } = parsed
  if (!verifyInclusion(leafHash(entry), index, checkpoint.size, proof, checkpoint.root)) {
    return { ok: false, fault: 'not-included' }
  }
  return { ok: true, index, checkpoint, by: opened.by }
}
