import {
  consistencyProof,
  formatAddCheckpoint,
  type NoteSignature,
  type NoteVerifier,
  parseNote,
  readCosignatures,
  type TileStore,
  tileNodeReader,
} from '@wardline/transparency-log'
import { type Clock, isDue } from '../../clock.ts'

/** Somebody elsewhere who cosigns each checkpoint that extends the last (C2SP tlog-witness), so that nobody is shown another log. */
export type Witness = {
  /** The submission prefix; `/add-checkpoint` is put behind it. */
  readonly url: string
  readonly key: NoteVerifier
}

/** How it goes with a witness. `ahead`: it says that it has seen a larger log than this one, which was put back, or is written twice. */
export type WitnessState =
  | { readonly is: 'cosigning'; readonly size: number }
  | { readonly is: 'failing' | 'refusing'; readonly reason: string }
  | { readonly is: 'ahead'; readonly size: number }

export type WitnessOptions = {
  readonly witnesses: readonly Witness[]
  readonly tiles: Pick<TileStore, 'read'>
  readonly clock: Pick<Clock, 'now'>
  readonly fetch?: typeof fetch
  readonly onState?: (witness: Witness, state: WitnessState) => void
}

/** A witness is asked so often at most, and waited for so long: what it takes is never waited for by the log. */
const EVERY_MS = 1_000
const ANSWER_MS = 5_000
/** A witness' answer is some signature lines. */
const MAX_ANSWER = 10_000

type Asked = { readonly note: Uint8Array; readonly size: number }

/** Asks every witness about the newest checkpoint, beside the log, one round at a time. */
export class Witnesses {
  readonly #options: WitnessOptions
  /** The size that each witness cosigned last, as far as is known. */
  readonly #sizes = new Map<string, number>()
  readonly #states = new Map<string, string>()
  readonly #over = new AbortController()
  #round: Promise<void> | undefined
  #askedAt = Number.NEGATIVE_INFINITY
  #cosigned = -1

  constructor(options: WitnessOptions) {
    this.#options = options
  }

  /** Begins a round about this checkpoint, unless one is under way or was a moment ago. `take` is given the lines that hold. */
  offer({ note, size }: Asked, take: (note: Uint8Array, lines: readonly NoteSignature[]) => Promise<void>): void {
    const { witnesses, clock } = this.#options
    const now = clock.now()
    const isNew = size > 0 && size !== this.#cosigned
    if (witnesses.length === 0 || this.#round !== undefined || !isNew || !isDue(this.#askedAt, EVERY_MS, now)) return
    this.#askedAt = now
    this.#round = this.#ask({ note, size }, take).finally(() => {
      this.#round = undefined
    })
  }

  /** Resolves when no round is under way. */
  async idle(): Promise<void> {
    await this.#round
  }

  async close(): Promise<void> {
    this.#over.abort()
    await this.#round
  }

  async #ask(asked: Asked, take: Parameters<Witnesses['offer']>[1]): Promise<void> {
    const answers = await Promise.all(this.#options.witnesses.map((witness) => this.#cosignature(witness, asked)))
    const lines = answers.flat()
    if (lines.length === 0 || this.#over.signal.aborted) return
    // Where one of them is missing, it is asked about the same checkpoint again.
    if (answers.every((one) => one.length > 0)) this.#cosigned = asked.size
    await take(asked.note, lines).catch(() => undefined)
  }

  async #cosignature(witness: Witness, asked: Asked): Promise<NoteSignature[]> {
    try {
      const known = this.#sizes.get(witness.url) ?? 0
      const first = await this.#submit(witness, asked, known)
      if (first.status !== 409) return this.#lines(witness, asked, first)
      const theirs = /^(\d{1,15})\n$/.exec(first.body)?.[1]
      if (theirs === undefined) return this.#refused(witness, 'it answered 409 without a size')
      const size = Number(theirs)
      if (size > asked.size) {
        this.#tell(witness, { is: 'ahead', size })
        return []
      }
      this.#sizes.set(witness.url, size)
      return this.#lines(witness, asked, await this.#submit(witness, asked, size))
    } catch (error) {
      this.#tell(witness, { is: 'failing', reason: reasonOf(error) })
      return []
    }
  }

  #lines(witness: Witness, { note, size }: Asked, { status, body }: Answer): NoteSignature[] {
    if (status !== 200) return this.#refused(witness, `it answered ${status}`)
    const lines = readCosignatures(body, parseNote(note)?.text ?? '', [witness.key])
    if (lines.length === 0) return this.#refused(witness, 'its answer is not signed with its key')
    this.#sizes.set(witness.url, size)
    this.#tell(witness, { is: 'cosigning', size })
    return lines
  }

  #refused(witness: Witness, reason: string): NoteSignature[] {
    this.#tell(witness, { is: 'refusing', reason })
    return []
  }

  async #submit({ url }: Witness, { note, size }: Asked, old: number): Promise<Answer> {
    const read = tileNodeReader(this.#options.tiles, size)
    const proof = old === 0 || old === size ? [] : await consistencyProof(old, size, read)
    const body = formatAddCheckpoint({ oldSize: old, proof, checkpoint: note })
    const signal = AbortSignal.any([this.#over.signal, AbortSignal.timeout(ANSWER_MS)])
    const ask = this.#options.fetch ?? fetch
    const target = `${url.replace(/\/$/, '')}/add-checkpoint`
    const answer = await ask(target, { method: 'POST', body, signal, redirect: 'error' })
    return { status: answer.status, body: await readText(answer) }
  }

  /** Once for each change. */
  #tell(witness: Witness, state: WitnessState): void {
    const known = 'reason' in state ? `${state.is} ${state.reason}` : state.is
    if (this.#states.get(witness.url) === known) return
    this.#states.set(witness.url, known)
    this.#options.onState?.(witness, state)
  }
}

type Answer = { readonly status: number; readonly body: string }

/** `fetch` hides why it failed behind its own words. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const { code } = Object(error.cause) as { code?: unknown }
  return typeof code === 'string' ? code : error.name
}

/** Of a stranger's answer, no more than it may hold. */
async function readText(answer: Response): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    if (text.length > MAX_ANSWER) throw new RangeError('too long an answer')
  }
  return text + decoder.decode()
}
