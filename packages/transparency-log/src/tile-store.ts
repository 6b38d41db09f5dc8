/** Where a log keeps its files. Paths are those of C2SP tlog-tiles, relative to the log's prefix, `/` between elements. */

/** The current checkpoint, whose content changes (C2SP tlog-tiles, "Checkpoints"). */
export const CHECKPOINT_PATH = 'checkpoint'

/**
 * The last checkpoint that witnesses have cosigned, with their lines: where they answer later than the next checkpoint is up, that one
 * has none yet. An addition of ours to tlog-tiles.
 */
export const WITNESSED_PATH = 'witnessed'

/** Whether a path's content may change. */
export function isReplaced(path: string): boolean {
  return path === CHECKPOINT_PATH || path === WITNESSED_PATH
}

/** Folder of the checkpoints kept for good, by size: `checkpoints/x020/x852/163`. An addition of ours to tlog-tiles. */
export const KEPT_CHECKPOINTS = 'checkpoints'

/** Folder of the proofs of the log's handovers to another key (tlog-proof), by size. Ours as well. */
export const HANDOVERS = 'handovers'

/** Append-only: what is written stays, but for {@link CHECKPOINT_PATH} and {@link WITNESSED_PATH}. */
export type TileStore = {
  /** The file's bytes, or `undefined` where there is none. Throws on any other trouble. */
  read(path: string): Promise<Uint8Array | undefined>
  /**
   * Durable once resolved. Writing the same bytes again is a success, other bytes a {@link StoreConflictError} that
   * leaves the file as it was; only `checkpoint` and `witnessed` are replaced, atomically.
   */
  write(path: string, bytes: Uint8Array): Promise<void>
  /** Optional: several files at once, for stores to which that is cheaper; durable once resolved, in whatever order they became so. */
  writeAll?(files: readonly { readonly path: string; readonly bytes: Uint8Array }[]): Promise<void>
  /**
   * Optional: forgets the partial tiles of a tile whose full form is there (`tile/0/000` stands for all of
   * `tile/0/000.p/`), as tlog-tiles allows. Stores that never delete leave it out.
   */
  removePartials?(path: string): Promise<void>
}

/** What the offline verifier needs: reading, and finding the kept checkpoints. */
export type ReadableStore = Pick<TileStore, 'read'> & {
  /** Paths of the files below `folder`, in any order; none where there is no such folder. */
  list(folder: string): AsyncIterable<string>
}

/** Something else is there already: two writers, a restored backup, or tampering. Never resolved by overwriting. */
export class StoreConflictError extends Error {
  override readonly name = 'StoreConflictError'
  readonly path: string

  constructor(path: string) {
    super(`${path} exists with other content`)
    this.path = path
  }
}

const PATH = /^(?:[a-z0-9]+(?:\.p)?\/)*[a-z0-9]+$/

/** Throws RangeError unless `path` is made of the elements that logs use: no dots but `.p`, no way out of the folder. */
export function assertStorePath(path: string): void {
  if (path.length > 128 || !PATH.test(path)) throw new RangeError('not a path of a log')
}
