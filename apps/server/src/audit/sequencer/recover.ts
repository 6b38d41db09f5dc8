import {
  InconsistentLogError,
  type NoteSigner,
  openLog,
  type TileStore,
  type TransparencyLog,
  type TreeHead,
  tileNodeReader,
  treeRoot,
} from '@wardline/transparency-log'
import type { HeadFile } from '@wardline/transparency-log/head-file'
import type { SequencerStore } from '../../storage/sequencer-store.ts'
import type { LogKeys } from './log-key.ts'
import { leavesOfRuns } from './places.ts'

/** Runs that are read back at once while a log catches up with its places. */
const CATCH_UP_RUNS = 200

export type LogParts = {
  readonly store: SequencerStore
  readonly tiles: TileStore
  readonly headFile: HeadFile
  readonly keys: LogKeys
}

/** A log that can be gone on with, and the key that signs it. */
export type Recovered = { readonly log: TransparencyLog; readonly signer: NoteSigner }

/**
 * Opens the log as it was left: the files, what this disk remembers and what the database says was signed must be one tree, and the
 * database must know every entry. What has places but is not appended (a crash came between) is appended first, as it is.
 *
 * @throws InconsistentLogError: nothing is signed over a contradiction
 */
export async function recoverLog({ store, tiles, headFile, keys }: LogParts): Promise<Recovered> {
  const stored = await store.readHead()
  const signer = await signerFor(keys, stored?.vkey)
  const heads: TreeHead[] = [await loadHead(headFile), stored].filter((head) => head !== undefined)
  const [lastHead] = heads.toSorted((a, b) => b.size - a.size)
  const log = await openLog(tiles, {
    origin: signer.verifier.name,
    signers: [signer],
    ...(lastHead === undefined ? {} : { lastHead }),
    remember: (head) => headFile.save(head),
  })
  for (const { size, root } of heads) {
    const ours = await treeRoot(size, tileNodeReader(tiles, log.head.size))
    if (!Buffer.from(ours).equals(root)) throw new InconsistentLogError(`another tree was signed at ${size} entries`)
  }
  const end = await store.readEnd()
  if (Math.max(log.head.size, log.aheadSize) > end) {
    throw new InconsistentLogError(
      `the log holds ${Math.max(log.head.size, log.aheadSize)} entries and the database knows of ${end}: it was put back, or rows were taken out`,
    )
  }
  while (log.head.size < end) await catchUp(store, log)
  return { log, signer }
}

/** The key that the log was signed with last. A crash may have come after that was the next key, and before it was adopted. */
async function signerFor(keys: LogKeys, vkey: string | undefined): Promise<NoteSigner> {
  const current = await keys.current()
  if (vkey === undefined || current.verifier.vkey === vkey) return current
  const next = await keys.next()
  if (next?.verifier.vkey !== vkey) {
    throw new InconsistentLogError('the log was last signed with another key than audit-log.key')
  }
  await keys.adopt()
  return next
}

async function catchUp(store: SequencerStore, log: TransparencyLog): Promise<void> {
  const from = log.head.size
  const runs = await store.readRuns(from, CATCH_UP_RUNS)
  const rows = await store.readRows(runs)
  try {
    const leaves = leavesOfRuns(rows, from)
    if (leaves.length === 0) throw new RangeError(`nothing has place ${from}`)
    await log.append(leaves)
  } catch (error) {
    if (error instanceof RangeError) throw new InconsistentLogError(error.message, { cause: error })
    throw error
  }
}

/** A file that is there and cannot be read is as bad as one that contradicts. */
async function loadHead(file: HeadFile): Promise<TreeHead | undefined> {
  try {
    return await file.load()
  } catch (error) {
    throw new InconsistentLogError('what this disk remembers of the log cannot be read', { cause: error })
  }
}
