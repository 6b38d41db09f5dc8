import { keyChain } from './key-chain.ts'
import type { NoteSigner, NoteVerifier } from './note-keys.ts'
import { openNote, signNote } from './signed-note.ts'
import { indexPath } from './tile-path.ts'
import type { ReadableStore, TileStore } from './tile-store.ts'
import { keptClaims } from './verify-checkpoints.ts'

/** Folder of the notes that say how far the entries were taken away on purpose: `pruned/x000/x012/544`. An addition of ours to tlog-tiles. */
const PRUNED = 'pruned'

/**
 * What was taken away, and archived before: entries below `index` from the log's folder (their hashes stay), and events before `before`
 * (milliseconds since the epoch) from wherever else they were kept.
 */
export type Pruned = { readonly index: number; readonly before: number }

/** Says so, signed by the log's key: whoever has not got it cannot make what was removed look like what was pruned. */
export async function writePruned(
  store: Pick<TileStore, 'write'>,
  origin: string,
  { index, before }: Pruned,
  signer: NoteSigner,
): Promise<void> {
  const text = `${origin}/pruned\n${index}\n${new Date(before).toISOString()}\n`
  await store.write(`${PRUNED}/${indexPath(index)}`, signNote(text, [signer], Math.floor(before / 1000)))
}

/** The furthest of such notes that a key of the log has signed; `undefined` where nothing was pruned, or nobody may have said so. */
export async function readPruned(
  store: ReadableStore,
  origin: string,
  trusted: readonly NoteVerifier[],
): Promise<Pruned | undefined> {
  const checkpoints = (await keptClaims(store)).map(({ note }) => note)
  const { keys } = await keyChain(store, origin, trusted, checkpoints)
  let furthest: Pruned | undefined
  for await (const path of store.list(PRUNED)) {
    const opened = openNote((await store.read(path)) ?? new Uint8Array(0), keys)
    const pruned = opened.ok ? parsePruned(opened.text, origin) : undefined
    if (pruned !== undefined && pruned.index >= (furthest?.index ?? 0)) furthest = pruned
  }
  return furthest
}

function parsePruned(text: string, origin: string): Pruned | undefined {
  const [name, index = '', at = '', end, ...rest] = text.split('\n')
  const before = Date.parse(at)
  if (name !== `${origin}/pruned` || end !== '' || rest.length > 0) return undefined
  if (!/^(?:0|[1-9]\d{0,15})$/.test(index) || Number.isNaN(before)) return undefined
  return { index: Number(index), before }
}
