import { decodeBase64, encodeBase64 } from './base64.ts'
import { canonicalBytes } from './canonical-json.ts'
import type { ContentState } from './content-audit.ts'
import type { FindingList } from './finding-list.ts'
import { consistencyProof, frontierRoots, verifyConsistency } from './proofs.ts'
import { TILE_WIDTH } from './tile-path.ts'
import { TileMissingError, tileNodeReader } from './tile-reader.ts'
import type { TileStore } from './tile-store.ts'
import type { SignedHead } from './verify-checkpoints.ts'

/** Going on from an earlier verification: what it covered need not be hashed again, because one root stands for all of it. */

/** What an auditor keeps of a verification that found nothing. */
export type Verified = ContentState & {
  /** The signed note that the log was verified at. */
  readonly checkpoint: Uint8Array
}

/** The first tile that is read, the roots of the perfect subtrees before it, and the first entry that counts. */
export type Start = { readonly tile: number; readonly roots: readonly Uint8Array[]; readonly from: number }

/** How findings name the checkpoint that the auditor begins with. */
export const SINCE = 'the checkpoint of the last verification'

export const FROM_THE_BEGINNING: Start = { tile: 0, roots: [], from: 0 }

/**
 * Where to go on from `begun`. The hashes that stand for what lies before are read from tiles and believed here: they and the entries up
 * to `begun` must have its root, which the walk looks at. Where tiles are missing, everything is read.
 */
export async function resume(store: Pick<TileStore, 'read'>, begun: SignedHead, target: SignedHead): Promise<Start> {
  const tile = Math.floor(begun.size / TILE_WIDTH)
  try {
    const roots = await frontierRoots(tile * TILE_WIDTH, tileNodeReader(store, target.size))
    return { tile, roots, from: begun.size }
  } catch (error) {
    if (error instanceof TileMissingError) return FROM_THE_BEGINNING
    throw error
  }
}

/** Holds the checkpoints before the start that the auditor brought along against the log, by consistency proofs: its entries are not read. */
export async function lookBehind(
  store: Pick<TileStore, 'read'>,
  target: SignedHead,
  heads: readonly SignedHead[],
  start: Start,
  findings: FindingList,
): Promise<void> {
  const read = tileNodeReader(store, target.size)
  for (const { size, root, path } of heads) {
    if (size >= start.tile * TILE_WIDTH || !path.startsWith('known ')) continue
    const proof = await consistencyProof(size, target.size, read).catch((error: unknown) => {
      if (error instanceof TileMissingError) return undefined
      throw error
    })
    const isExtended = proof !== undefined && verifyConsistency(size, root, target.size, target.root, proof)
    if (!isExtended) findings.add({ kind: 'forked', size, path })
  }
}

/** The file of a {@link Verified}: canonical JSON. */
export function formatVerified({ checkpoint, writers, lastHeartbeatAt }: Verified): Uint8Array {
  const alive = lastHeartbeatAt === undefined ? {} : { lastHeartbeatAt }
  return canonicalBytes({ checkpoint: encodeBase64(checkpoint), writers: { ...writers }, ...alive })
}

/** Such a file, or a bare checkpoint, which says nothing of the writers. What it holds is not verified yet. */
export function parseVerified(bytes: Uint8Array): Pick<Verified, 'checkpoint'> & Partial<Verified> {
  const value = jsonOf(bytes)
  const checkpoint = typeof value?.['checkpoint'] === 'string' ? decodeBase64(value['checkpoint']) : undefined
  const writers = Object.entries(Object(value?.['writers']) as Record<string, unknown>)
  if (checkpoint === undefined || !writers.every(([, next]) => Number.isSafeInteger(next))) return { checkpoint: bytes }
  const at = value?.['lastHeartbeatAt']
  const state = { checkpoint, writers: Object.fromEntries(writers) as Record<string, number> }
  return typeof at === 'number' ? { ...state, lastHeartbeatAt: at } : state
}

function jsonOf(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    return Object(JSON.parse(Buffer.from(bytes).toString())) as Record<string, unknown>
  } catch {
    return undefined
  }
}
