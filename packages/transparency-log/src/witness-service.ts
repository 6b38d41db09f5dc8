import { createHash } from 'node:crypto'
import path from 'node:path'
import type { TreeHead } from './checkpoint.ts'
import { createFiles, readIfThere } from './durable-file.ts'
import { type HeadFile, headFile } from './head-file.ts'
import { COSIGNATURE } from './key-text.ts'
import { generateNoteKey, type NoteSigner, type NoteVerifier, parseSignerKey } from './note-keys.ts'
import { considerCheckpoint, cosign } from './witness.ts'

/** A witness with its state in a folder: its key, and of each log the last tree that it cosigned (C2SP tlog-witness). */

export type WitnessParts = {
  readonly folder: string
  /** Name of the witness' key. */
  readonly name: string
  /** Keys of the logs; a key's name is its log's origin, and a log may have several. */
  readonly logs: readonly NoteVerifier[]
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export type WitnessAnswer = { readonly status: number; readonly body: string; readonly contentType: string }

const KEY_FILE = 'witness.key'

export class Witness {
  readonly #signer: NoteSigner
  readonly #parts: WitnessParts
  readonly #latest: Map<string, TreeHead>
  #queue: Promise<unknown> = Promise.resolve()

  private constructor(signer: NoteSigner, parts: WitnessParts, latest: Map<string, TreeHead>) {
    this.#signer = signer
    this.#parts = parts
    this.#latest = latest
  }

  /** Opens the folder, and makes the witness' key there (0600) the first time. Throws where what is there cannot be read. */
  static async open(parts: WitnessParts): Promise<Witness> {
    const signer = await openKey(parts)
    const latest = new Map<string, TreeHead>()
    for (const origin of new Set(parts.logs.map(({ name }) => name))) {
      const head = await stateOf(parts.folder, origin).load()
      if (head !== undefined) latest.set(origin, head)
    }
    return new Witness(signer, parts, latest)
  }

  /** What a log's operator and its auditors are given. */
  get vkey(): string {
    return this.#signer.verifier.vkey
  }

  /** Answers `add-checkpoint`. One request after the other: the comparison and the record of it are one. */
  addCheckpoint(body: Uint8Array): Promise<WitnessAnswer> {
    const turn = this.#queue.then(() => this.#consider(body))
    this.#queue = turn.catch(() => undefined)
    return turn
  }

  async #consider(body: Uint8Array): Promise<WitnessAnswer> {
    const { folder, logs, now } = this.#parts
    const decision = considerCheckpoint(body, (origin) => {
      const keys = logs.filter(({ name }) => name === origin)
      const latest = this.#latest.get(origin)
      return keys.length === 0 ? undefined : { keys, ...(latest && { latest }) }
    })
    if (decision.answer === 'refuse') {
      const { status } = decision
      return status === 409 ? decision : { status, body: '', contentType: 'text/plain' }
    }
    await stateOf(folder, decision.origin).save(decision.head)
    this.#latest.set(decision.origin, decision.head)
    const lines = cosign(decision.text, [this.#signer], Math.floor(now() / 1000))
    return { status: 200, body: lines, contentType: 'text/plain; charset=utf-8' }
  }
}

async function openKey({ folder, name }: WitnessParts): Promise<NoteSigner> {
  const file = path.resolve(folder, KEY_FILE)
  const { skey } = generateNoteKey(name, COSIGNATURE)
  if ((await readIfThere(file)) === undefined)
    await createFiles([{ file, bytes: Buffer.from(`${skey}\n`) }], 0o600, path.dirname(file))
  const signer = parseSignerKey(
    Buffer.from((await readIfThere(file)) ?? [])
      .toString()
      .trim(),
  )
  if (signer.verifier.name === name) return signer
  throw new RangeError(`${file} is the key of ${signer.verifier.name}`)
}

/** Origins hold slashes, so that their hash names the file. */
function stateOf(folder: string, origin: string): HeadFile {
  return headFile(path.join(folder, `${createHash('sha256').update(origin).digest('hex')}.head`))
}

/** The whole body of a request; `undefined` where it is longer than `max` bytes. */
export async function readBody(request: AsyncIterable<Uint8Array>, max: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request) {
    length += chunk.length
    if (length > max) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
