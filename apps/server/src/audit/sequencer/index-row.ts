import { isDue } from '../../clock.ts'
import type { IndexRow, PendingRow, Run, RunRows } from '../../storage/sequencer-rows.ts'
import type { SequencerStore } from '../../storage/sequencer-store.ts'
import { attemptsOf } from '../attempts.ts'
import { isList } from '../patient-lists.ts'

/** The least time between two words on how far the index goes, where it goes no further, in milliseconds. */
const STANDSTILL_MS = 250
/** How far behind the last sweep the index is said to be whole: longer than any transaction may last. */
const INDEX_MARGIN_MS = 60_000

/** How far the log goes, and its index; when every writer was looked at last (epoch milliseconds). */
type Indexing = { indexed: number; readonly end: number; readonly sweptAt: number }

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const WORD = /^[a-z.-]{1,64}$/

/** What the review's filters ask of an event; null where its bytes are no event (then only the list without filters shows it). */
export function indexRowOf({ tenantId, writerId, seq, at, event }: PendingRow, index: number): IndexRow | null {
  const fields = fieldsOf(event)
  const { action, outcome, actor, patient, connection } = fields
  if (!isWord(action) || !isWord(outcome) || !Number.isSafeInteger(at)) return null
  return {
    tenantId,
    index,
    at,
    writerId,
    seq,
    action,
    outcome,
    actor: idOrNull(actor),
    patient: idOrNull(patient),
    connection: idOrNull(connection),
    attempts: attemptsOf(fields),
    isList: idOrNull(actor) !== null && isList(fields),
  }
}

function fieldsOf(event: Buffer): Record<string, unknown> {
  try {
    return Object(JSON.parse(event.toString())) as Record<string, unknown>
  } catch {
    return {}
  }
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && WORD.test(value)
}

function idOrNull(value: unknown): string | null {
  return typeof value === 'string' && UUID.test(value) ? value : null
}

/** What was logged just now: runs, and the rows that have their places, in the same order. */
type Logged = { readonly runs: readonly Run[]; readonly rows: readonly PendingRow[] }

/** Goes on with the index by a few runs; says how far it is whole. Where it had come as far as what was logged just now, nothing is read. */
export async function indexSome(
  store: SequencerStore,
  lead: Indexing,
  now: number,
  most: number,
  logged: Logged,
): Promise<void> {
  const isAtHand = logged.runs[0]?.firstIndex === lead.indexed
  const runs = isAtHand ? firstOf(logged, most) : await readNext(store, lead, most)
  if (runs.length === 0 && isDue(lead.sweptAt, STANDSTILL_MS, now)) return
  const indexed = runs.flatMap(({ run, rows }) =>
    rows.flatMap((row) => indexRowOf(row, run.firstIndex + row.seq - run.firstSeq) ?? []),
  )
  const last = runs.at(-1)?.run
  const next = last === undefined ? lead.indexed : last.firstIndex + last.count
  const isWhole = next === lead.end
  const safeAt = isWhole ? Math.min(now, lead.sweptAt) - INDEX_MARGIN_MS : 0
  await store.index(indexed, next, { safeAt, now, backTo: now - INDEX_MARGIN_MS })
  lead.indexed = next
}

function firstOf({ runs, rows }: Logged, most: number): RunRows[] {
  let from = 0
  return runs.slice(0, most).map((run) => {
    const to = from + (run.own === null ? run.count : 0)
    const these = rows.slice(from, to)
    from = to
    return { run, rows: these }
  })
}

/** Nearly always the rows are of the last days; where one is older, or gone, all parts are looked through. */
async function readNext(store: SequencerStore, lead: Indexing, most: number): Promise<RunRows[]> {
  const runs = lead.indexed < lead.end ? await store.readRuns(lead.indexed, most) : []
  if (runs.length === 0) return []
  const recent = await store.readRows(runs, true)
  const isThere = recent.every(({ run, rows }) => run.own !== null || rows.length === run.count)
  return isThere ? recent : store.readRows(runs)
}
