import {
  handoverLeaf,
  heartbeatLeaf,
  InconsistentLogError,
  type NoteSigner,
  StoreConflictError,
  signHandover,
  type TransparencyLog,
} from '@wardline/transparency-log'
import { type Clock, isDue } from '../../clock.ts'
import type { Run, WriterProgress } from '../../storage/sequencer-rows.ts'
import { type GapChange, SequencerStore } from '../../storage/sequencer-store.ts'
import { indexSome } from './index-row.ts'
import { openGap, settleGaps } from './lost.ts'
import { findWriters, isCut, readPlaced } from './pending.ts'
import { leavesOf, OWN_ID, OWN_WRITER, type WriterGap, writerKey } from './places.ts'
import { type LogParts, recoverLog } from './recover.ts'
import { type Witness, Witnesses, type WitnessState } from './witnesses.ts'

/** Between two looks at the outbox while all goes well; half the promised merge delay (1 s) is kept for the work itself. */
const LOOK_MS = 250
/** The same in a busy one: what a look costs beside its events, its dozen of files first of all, is had less often. */
const BUSY_LOOK_MS = 600
/** Until the next try where another leads, or something failed. */
const RETRY_MS = 1_000
const HEARTBEAT_MS = 60_000
/** A checkpoint is kept for good this often, for auditors to hold against later ones. */
const KEEP_MS = 3_600_000
/**
 * So many events a second are busy: far more than a hospital writes in its worst hour. The index costs several times what the log does,
 * so it waits then: of the runs that are indexed in one look otherwise, one in every so many looks.
 */
const BUSY_PER_SECOND = 800
const INDEX_RUNS = 8
const BUSY_LOOKS = 16
/** The least that is left to others between two looks. */
const REST_MS = 20
/** Numbers that are missing are declared void after so long: rows that somebody took out can be put back until then. */
const VOID_AFTER_MS = 600_000
/** How often it is looked whether another key is to sign from now on. */
const KEY_LOOK_MS = 1_000

export type SequencerState =
  /** Another process leads, or the first look is still to come. */
  | { readonly is: 'standby' }
  /** `delayMs`: how old the oldest event of the last batch was when its checkpoint was up; `gaps`: since this process leads. */
  | {
      readonly is: 'leading'
      readonly size: number
      readonly at: number
      readonly delayMs: number
      readonly gaps: number
    }
  /** It is tried again. */
  | { readonly is: 'failing'; readonly reason: string }
  /** Files, disk and database contradict each other: nothing more is signed until somebody has looked. */
  | { readonly is: 'refused'; readonly reason: string }

/** Where a crash can come, for the tests that make it come. */
export type SequencerStep = 'assigned' | 'appended' | 'published' | 'recorded' | 'handed over'

export type SequencerOptions = Omit<LogParts, 'store'> & {
  /** Of the sequencer's own role. */
  readonly databaseUrl: string
  readonly clock: Pick<Clock, 'now'>
  readonly witnesses?: readonly Witness[]
  readonly onGap?: (gap: WriterGap) => void
  /** The log is signed with this key from now on. */
  readonly onKey?: (vkey: string) => void
  readonly onWitness?: (witness: Witness, state: WitnessState) => void
  readonly onStep?: (step: SequencerStep) => void
}

type Lead = {
  readonly log: TransparencyLog
  signer: NoteSigner
  writers: Map<string, WriterProgress>
  end: number
  ownSeq: number
  indexed: number
  sweptAt: number
  heartbeatAt: number
  keyLookAt: number
  keptAt: number
  lookedAt: number
  gaps: number
  turn: number
}

/**
 * Gives every event of the outbox its place in the log, in three strides that a crash may part anywhere: the place is fixed in the
 * database, the leaf is appended to the files, a checkpoint over it is signed. One process leads; others stand by.
 */
export class Sequencer {
  readonly #options: SequencerOptions
  readonly #witnesses: Witnesses
  #store: SequencerStore | undefined
  #lead: Lead | undefined
  #signed: { readonly note: Uint8Array; readonly size: number } | undefined
  #state: SequencerState = { is: 'standby' }

  constructor(options: SequencerOptions) {
    this.#options = options
    const { tiles, clock, witnesses = [], onWitness: onState } = options
    this.#witnesses = new Witnesses({ witnesses, tiles, clock, ...(onState && { onState }) })
  }

  get state(): SequencerState {
    return this.#state
  }

  /** One look, and the work that it finds. Never throws. Returns after how many milliseconds to come again. */
  async step(): Promise<number> {
    if (this.#state.is === 'refused') return RETRY_MS
    try {
      this.#store ??= await SequencerStore.connect(this.#options.databaseUrl, () => void this.#letGo())
      this.#lead ??= await this.#takeLead(this.#store)
      if (this.#lead === undefined) {
        if (this.#state.is !== 'standby') this.#state = { is: 'standby' }
        return RETRY_MS
      }
      return await this.#cycle(this.#store, this.#lead)
    } catch (error) {
      await this.#letGo()
      const isRefusal = error instanceof InconsistentLogError || error instanceof StoreConflictError
      this.#state = isRefusal ? { is: 'refused', reason: error.message } : { is: 'failing', reason: codeOf(error) }
      return RETRY_MS
    }
  }

  /** Resolves when no witness is being asked. */
  witnessed(): Promise<void> {
    return this.#witnesses.idle()
  }

  /** Lets another lead. */
  async close(): Promise<void> {
    await this.#witnesses.close()
    await this.#letGo()
  }

  async #letGo(): Promise<void> {
    const store = this.#store
    this.#store = undefined
    this.#lead = undefined
    this.#signed = undefined
    await store?.close()
  }

  async #takeLead(store: SequencerStore): Promise<Lead | undefined> {
    if (!(await store.tryLead())) return undefined
    const { log, signer } = await recoverLog({ ...this.#options, store })
    if (log.head.size > 0) await this.#publish(store, log, signer)
    return {
      log,
      signer,
      writers: new Map(),
      end: log.head.size,
      ownSeq: await store.readOwnSeq(OWN_ID),
      indexed: await store.readIndexed(),
      sweptAt: Number.NEGATIVE_INFINITY,
      heartbeatAt: Number.NEGATIVE_INFINITY,
      keyLookAt: Number.NEGATIVE_INFINITY,
      keptAt: this.#options.clock.now(),
      lookedAt: this.#options.clock.now(),
      gaps: 0,
      turn: 0,
    }
  }

  async #cycle(store: SequencerStore, lead: Lead): Promise<number> {
    const now = this.#options.clock.now()
    const hasSwept = await findWriters(store, lead, now)
    const { pending, placed } = await readPlaced(store, lead, hasSwept)
    const { runs, rows, gaps } = placed
    for (const gap of gaps) this.#options.onGap?.(gap)
    lead.gaps += gaps.length
    const leaves = leavesOf(rows)
    const isBeat = isDue(lead.heartbeatAt, HEARTBEAT_MS, now)
    if (isBeat) {
      const beat = heartbeatLeaf(now, lead.ownSeq + 1, OWN_WRITER)
      runs.push(ownRun(lead, lead.end + rows.length, beat))
      leaves.push(beat)
    }
    if (leaves.length > 0) {
      const opened = gaps.map((gap) => openGap(gap, now))
      await this.#log(store, lead, runs, leaves, { opened, settled: [] })
      advance(lead, runs, leaves.length, isBeat, now)
      const oldest = rows.reduce((least, { at }) => Math.min(least, at), now)
      const at = this.#options.clock.now()
      this.#state = { is: 'leading', size: lead.end, at, delayMs: Math.max(0, at - oldest), gaps: lead.gaps }
    }
    if (isBeat) {
      await this.#settleGaps(store, lead, now)
      await this.#tidy(store, lead, now)
    }
    await this.#lookForKey(store, lead, now)
    const { log } = lead
    // Also where nothing is new: the last round may have been about an earlier one.
    if (this.#signed !== undefined)
      this.#witnesses.offer(this.#signed, (note, lines) => log.addCosignatures(note, lines))
    const isBusy = rows.length * 1_000 >= BUSY_PER_SECOND * Math.max(LOOK_MS, now - lead.lookedAt)
    Object.assign(lead, { lookedAt: now })
    if (!isBusy || lead.turn % BUSY_LOOKS === 0) await indexSome(store, lead, now, isBusy ? 1 : INDEX_RUNS, placed)
    if (isCut(pending)) return 0
    // A clock that was put back meanwhile must not send it to sleep for as long.
    const tookMs = Math.max(0, this.#options.clock.now() - now)
    return Math.max(REST_MS, (isBusy ? BUSY_LOOK_MS : LOOK_MS) - tookMs)
  }

  /** The three strides. */
  async #log(
    store: SequencerStore,
    lead: Lead,
    runs: readonly Run[],
    leaves: readonly Uint8Array[],
    gaps?: GapChange,
  ): Promise<void> {
    await store.assign(runs, gaps)
    this.#options.onStep?.('assigned')
    await lead.log.append(leaves)
    this.#options.onStep?.('appended')
    await this.#publish(store, lead.log, lead.signer)
    this.#options.onStep?.('recorded')
  }

  async #publish(store: SequencerStore, log: TransparencyLog, signer: NoteSigner): Promise<void> {
    await this.#record(store, log, await log.publish(), signer)
  }

  async #record(store: SequencerStore, log: TransparencyLog, note: Uint8Array, signer: NoteSigner): Promise<void> {
    this.#options.onStep?.('published')
    const { size, root } = log.head
    const { vkey } = signer.verifier
    await store.saveHead({ size, root: Buffer.from(root), note: Buffer.from(note), vkey })
    this.#signed = { note, size }
  }

  async #settleGaps(store: SequencerStore, lead: Lead, now: number): Promise<void> {
    const { signer, end: firstIndex, ownSeq } = lead
    const settled = await settleGaps({ store, signer, now, afterMs: VOID_AFTER_MS, firstIndex, ownSeq })
    const { runs, leaves, gaps, voids } = settled
    if (leaves.length > 0) await this.#log(store, lead, runs, leaves, gaps)
    else if (gaps.settled.length > 0) await store.assign([], gaps)
    Object.assign(lead, { end: lead.end + leaves.length, ownSeq: lead.ownSeq + voids })
  }

  /**
   * Where another key waits, both say so in the log, both sign the checkpoint that ends there, and from the next on it is the new one
   * alone. A crash anywhere in between leaves the old key in force, and it is done once more.
   */
  async #lookForKey(store: SequencerStore, lead: Lead, now: number): Promise<void> {
    if (!isDue(lead.keyLookAt, KEY_LOOK_MS, now)) return
    Object.assign(lead, { keyLookAt: now })
    const { keys } = this.#options
    const next = await keys.next()
    if (next === null || next.verifier.vkey === lead.signer.verifier.vkey) return
    const handover = signHandover(now, next.verifier.name, lead.signer, next)
    const leaf = handoverLeaf(handover, lead.ownSeq + 1, OWN_WRITER)
    await store.assign([ownRun(lead, lead.end, leaf)])
    this.#options.onStep?.('assigned')
    await lead.log.append([leaf])
    this.#options.onStep?.('appended')
    await this.#record(store, lead.log, await lead.log.handOver(next), next)
    this.#options.onStep?.('handed over')
    await keys.adopt()
    Object.assign(lead, { signer: next, end: lead.end + 1, ownSeq: lead.ownSeq + 1 })
    this.#options.onKey?.(next.verifier.vkey)
  }

  async #tidy(store: SequencerStore, lead: Lead, now: number): Promise<void> {
    await lead.log.tidy()
    if (!isDue(lead.keptAt, KEEP_MS, now)) return
    await lead.log.keep()
    await store.makeMonths()
    Object.assign(lead, { keptAt: now })
  }
}

/** Never the words of a database: they can repeat the value that they complain of. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}

function ownRun(lead: Lead, firstIndex: number, leaf: Uint8Array): Run {
  return { firstIndex, count: 1, tenantId: OWN_ID, writerId: OWN_ID, firstSeq: lead.ownSeq + 1, own: Buffer.from(leaf) }
}

function advance(lead: Lead, runs: readonly Run[], leaves: number, isBeat: boolean, now: number): void {
  for (const run of runs) {
    const writer = lead.writers.get(writerKey(run))
    if (writer !== undefined) writer.done = run.firstSeq + run.count - 1
  }
  const own = isBeat ? { ownSeq: lead.ownSeq + 1, heartbeatAt: now } : {}
  Object.assign(lead, { end: lead.end + leaves, ...own })
}
