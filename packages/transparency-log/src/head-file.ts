import path from 'node:path'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { canonicalBytes } from './canonical-json.ts'
import { parseSize, type TreeHead } from './checkpoint.ts'
import { readIfThere, replaceFile } from './durable-file.ts'
import { HASH_BYTES } from './merkle-hash.ts'

/**
 * What a sequencer remembers of its log, on its own disk, apart from where the log is kept: whoever puts the log back to
 * yesterday cannot put this back too. `load` and `save` are the `lastHead` and `remember` of `openLog`.
 */
export type HeadFile = {
  /** `undefined` where there is no file yet. Throws where there is one that cannot be read: better no log than a fork. */
  load(): Promise<TreeHead | undefined>
  /** Durable once resolved. */
  save(head: TreeHead): Promise<void>
}

/** A head in the file `file`: canonical JSON `{"root":"<base 64>","size":"<decimal>"}`, mode 0600. */
export function headFile(file: string): HeadFile {
  const target = path.resolve(file)
  return {
    async load() {
      const bytes = await readIfThere(target)
      if (bytes === undefined) return undefined
      const value: unknown = JSON.parse(Buffer.from(bytes).toString())
      const { root, size } = Object(value) as { root?: unknown; size?: unknown }
      const hash = typeof root === 'string' ? decodeBase64(root) : undefined
      const leaves = typeof size === 'string' ? parseSize(size) : undefined
      if (hash?.length !== HASH_BYTES || leaves === undefined)
        throw new Error(`${target} does not hold the head of a log`)
      return { size: leaves, root: hash }
    },
    async save({ size, root }) {
      const bytes = canonicalBytes({ root: encodeBase64(root), size: String(size) })
      await replaceFile(target, bytes, 0o600, path.dirname(target))
    },
  }
}
