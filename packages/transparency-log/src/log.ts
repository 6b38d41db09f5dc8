import { equalBytes } from './bytes.ts'
import { formatCheckpoint, type TreeHead } from './checkpoint.ts'
import { MAX_ENTRY_BYTES } from './entry-bundle.ts'
import { endOfEntries, InconsistentLogError, readCheckpoint, recoverEdge, widestBundle } from './log-recovery.ts'
import { formatNote, type NoteSignature, parseNote } from './note.ts'
import type { NoteSigner, NoteVerifier } from './note-keys.ts'
import { inclusionProof } from './proofs.ts'
import { type LogFile, rightEdge } from './right-edge.ts'
import { signNote } from './signed-note.ts'
import { indexPath, TILE_WIDTH, tilePath } from './tile-path.ts'
import { tileNodeReader } from './tile-reader.ts'
import { CHECKPOINT_PATH, HANDOVERS, KEPT_CHECKPOINTS, type TileStore, WITNESSED_PATH } from './tile-store.ts'
import { formatTlogProof } from './tlog-proof.ts'

/** Files that are written at once, at most. */
const MAX_FILES = 64

export type LogOptions = {
  /** First line of every checkpoint, and name of the log's key. */
  readonly origin: string
  /** Sign every checkpoint. At least one. */
  readonly signers: readonly NoteSigner[]
  /** Keys rotated away, by which the present checkpoint may still be signed. */
  readonly formerKeys?: readonly NoteVerifier[]
  /** What this sequencer signed last, from its own disk; the store must extend it. */
  readonly lastHead?: TreeHead
  /** Makes a head durable on that disk. Awaited before a signature over it leaves. */
  readonly remember?: (head: TreeHead) => Promise<void>
}

/**
 * A log being written, by one writer. Calls queue up behind each other. After any failure but a refused leaf the object
 * is spent: what reached the store is unknown, so open the log anew.
 */
export type TransparencyLog = {
  /** The tree of everything appended. */
  readonly head: TreeHead
  /** The tree of the last checkpoint; `undefined` before the first. */
  readonly published: TreeHead | undefined
  /**
   * Where the entries end that the store already holds, signed or not: more than `head.size` after a crash between
   * bundles and checkpoint. These very entries have to be appended first; {@link TransparencyLog.ahead} reads them.
   */
  readonly aheadSize: number
  /** The entries from `head.size` to `aheadSize`, for the sequencer to hold against its own records. */
  ahead(): AsyncGenerator<Uint8Array>
  /** Appends leaves of at most 65,535 bytes. Once resolved, bundles and tiles are durable; nothing is signed yet. */
  append(leaves: readonly Uint8Array[]): Promise<TreeHead>
  /** Signs the head, remembers it, and puts it up as `checkpoint`. Returns the note; the present one if nothing is new. */
  publish(): Promise<Uint8Array>
  /**
   * Adds cosignatures, already verified, to the checkpoint `note`, and keeps that as `witnessed`; to the one that is up as well, where it
   * is of the same tree still.
   */
  addCosignatures(note: Uint8Array, lines: readonly NoteSignature[]): Promise<void>
  /**
   * Publishes under the present keys and `next`, keeps that checkpoint, and signs with `next` alone from then on. The last entry must be
   * the handover that says so (handover.ts).
   */
  handOver(next: NoteSigner): Promise<Uint8Array>
  /** Keeps the present checkpoint for good, for auditors to hold against later ones. */
  keep(): Promise<void>
  /** Drops partial tiles whose full form has been written since the log was opened, if the store can. */
  tidy(): Promise<void>
}

/**
 * Opens a log for writing, new or not. The present checkpoint and `lastHead` must be signed by known keys, have the roots
 * the tiles have, and be of one tree; otherwise {@link InconsistentLogError}: a sequencer never signs over a contradiction.
 */
export async function openLog(store: TileStore, options: LogOptions): Promise<TransparencyLog> {
  const { origin, signers, formerKeys = [], lastHead, remember } = options
  if (signers.length === 0) throw new RangeError('a log needs a signer')
  const present = await readCheckpoint(store, origin, [...signers.map(({ verifier }) => verifier), ...formerKeys])
  const heads = [present?.head, lastHead].filter((head) => head !== undefined)
  const edge = rightEdge(await recoverEdge(store, heads))
  const aheadSize = await endOfEntries(store, edge.size)
  let published = present
  let tidied = edge.size
  let signing = signers
  let spent = false
  let queue: Promise<unknown> = Promise.resolve()

  /** One thing at a time, in order; a failure spends the log. */
  function serially<T>(work: () => Promise<T>): Promise<T> {
    const turn = queue.then(async () => {
      if (spent) throw new Error('an earlier write failed: open the log again')
      spent = true
      const result = await work()
      spent = false
      return result
    })
    queue = turn.catch(() => undefined)
    return turn
  }

  async function* ahead(): AsyncGenerator<Uint8Array> {
    for (let at = edge.size; at < aheadSize; at += TILE_WIDTH - (at % TILE_WIDTH)) {
      const entries = await widestBundle(store, Math.floor(at / TILE_WIDTH))
      yield* entries.slice(at % TILE_WIDTH, (at % TILE_WIDTH) + aheadSize - at)
    }
  }

  const head = (): TreeHead => ({ size: edge.size, root: edge.root() })

  async function append(leaves: readonly Uint8Array[]): Promise<TreeHead> {
    const expected = ahead()
    const files: LogFile[] = []
    for (const leaf of leaves) {
      const next = edge.size < aheadSize ? await expected.next() : undefined
      if (next?.done === false && !equalBytes(next.value, leaf)) {
        throw new InconsistentLogError(`the store already holds another entry at ${edge.size}`)
      }
      files.push(...edge.push(leaf))
      if (files.length >= MAX_FILES) await writeAll(store, files.splice(0))
    }
    await writeAll(store, [...files, ...edge.partials()])
    return head()
  }

  async function publish(): Promise<Uint8Array> {
    const now = head()
    if (published !== undefined && published.head.size === now.size) return published.note
    const note = signNote(formatCheckpoint({ origin, ...now, extensions: [] }), signing, 0)
    await remember?.(now)
    return putUp(note, now)
  }

  async function putUp(note: Uint8Array, at: TreeHead): Promise<Uint8Array> {
    await store.write(CHECKPOINT_PATH, note)
    published = { note, head: at }
    return note
  }

  async function addCosignatures(note: Uint8Array, lines: readonly NoteSignature[]): Promise<void> {
    const text = parseNote(note)?.text
    const isUp = published !== undefined && parseNote(published.note)?.text === text
    const { signatures } = parseNote(isUp && published !== undefined ? published.note : note) ?? {}
    if (text === undefined || signatures === undefined || lines.length === 0) throw new RangeError('nothing to cosign')
    const isNew = (old: NoteSignature): boolean =>
      lines.some((line) => line.name === old.name && line.keyId === old.keyId)
    const cosigned = formatNote({ text, signatures: [...signatures.filter((old) => !isNew(old)), ...lines] })
    await store.write(WITNESSED_PATH, cosigned)
    if (isUp && published !== undefined) await putUp(cosigned, published.head)
  }

  async function handOver(next: NoteSigner): Promise<Uint8Array> {
    signing = [...signing, next]
    const note = await publish()
    await keep()
    const index = edge.size - 1
    const proof = await inclusionProof(index, edge.size, tileNodeReader(store, edge.size))
    // For who holds the old key and not the log: what leads to the new one, in a file of its own.
    await store.write(`${HANDOVERS}/${indexPath(edge.size)}`, formatTlogProof({ index, proof, checkpoint: note }))
    signing = [next]
    return note
  }

  async function keep(): Promise<void> {
    if (published === undefined) throw new RangeError('there is no checkpoint to keep')
    const path = `${KEPT_CHECKPOINTS}/${indexPath(published.head.size)}`
    const there = await store.read(path)
    if (there === undefined) return store.write(path, published.note)
    // Cosignatures may have come since; another tree of the same size may not.
    const same = parseNote(there)?.text === parseNote(published.note)?.text
    if (!same) throw new InconsistentLogError(`${path} is a checkpoint of another tree`)
  }

  async function tidy(): Promise<void> {
    for (let width = TILE_WIDTH, level = 0; width <= edge.size; width *= TILE_WIDTH, level++) {
      for (let index = Math.floor(tidied / width); (index + 1) * width <= edge.size; index++) {
        await store.removePartials?.(tilePath({ level, index, width: TILE_WIDTH }))
        if (level === 0) await store.removePartials?.(tilePath({ level: 'entries', index, width: TILE_WIDTH }))
      }
    }
    tidied = edge.size
  }

  return {
    get head() {
      return head()
    },
    get published() {
      return published?.head
    },
    aheadSize,
    ahead,
    async append(leaves) {
      if (leaves.some((leaf) => leaf.length > MAX_ENTRY_BYTES)) throw new RangeError('a leaf has at most 65,535 bytes')
      return serially(() => append(leaves))
    },
    publish: () => serially(publish),
    addCosignatures: (note, lines) => serially(() => addCosignatures(note, lines)),
    handOver: (next) => serially(() => handOver(next)),
    keep: () => serially(keep),
    tidy: () => serially(tidy),
  }
}

/** A crash in between leaves some of them: the same entries are to be appended again, which writes the same files. */
async function writeAll(store: TileStore, files: readonly LogFile[]): Promise<void> {
  if (store.writeAll !== undefined) await store.writeAll(files)
  else await Promise.all(files.map(({ path, bytes }) => store.write(path, bytes)))
}
