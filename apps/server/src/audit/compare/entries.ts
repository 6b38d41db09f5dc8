import { parseLeaf } from '@wardline/transparency-log'
import type { CompareStore } from '../../storage/compare-store.ts'
import type { IndexRow, PendingRow, RowKey, Run } from '../../storage/sequencer-rows.ts'
import { indexRowOf } from '../sequencer/index-row.ts'
import { leavesOf, OWN_ID, writerKey } from '../sequencer/places.ts'
import type { DatabaseFindings } from './findings.ts'

/** What the comparison has seen of each writer: its last number in the log, and how many of its rows are in the database. */
export type SeenWriter = RowKey & { last: number; found: number }

export type Seen = { readonly writers: Map<string, SeenWriter>; indexRows: number }

/** Which entries: from `from` on. The index holds those below `indexedTo`; events before `goneBefore` were purged from the database. */
export type Stretch = { readonly from: number; readonly indexedTo: number; readonly goneBefore: number }

/** Compares entries of the log with their rows, their places, and their index. */
export async function compareEntries(
  store: CompareStore,
  entries: readonly Uint8Array[],
  { from, indexedTo, goneBefore }: Stretch,
  seen: Seen,
  findings: DatabaseFindings,
): Promise<void> {
  const keys = entries.map(keyOf)
  const rows = await store.readRowsAt(keys.filter((key) => key.writerId !== OWN_ID))
  const rowAt = new Map(rows.map((row) => [`${writerKey(row)}/${row.seq}`, row]))
  const runs = await store.readRuns(from, entries.length)
  const index = new Map((await store.readIndexRows(from, from + entries.length)).map((row) => [row.index, row]))
  Object.assign(seen, { indexRows: seen.indexRows + index.size })
  for (const [i, entry] of entries.entries()) {
    const place = from + i
    const key = keys[i] ?? NOBODY
    comparePlace(runs, place, key, entry, findings)
    if (key.writerId === OWN_ID || isGone(entry, key, goneBefore)) continue
    const row = rowAt.get(`${writerKey(key)}/${key.seq}`)
    const writer = seen.writers.get(writerKey(key)) ?? { ...key, last: 0, found: 0 }
    writer.last = Math.max(writer.last, key.seq)
    writer.found += row === undefined ? 0 : 1
    seen.writers.set(writerKey(key), writer)
    compareRow(place, key, row, entry, findings)
    compareIndex(place, indexRowOf(loggedRow(entry, key), place), index.get(place), place < indexedTo, findings)
  }
}

function isGone(entry: Uint8Array, key: RowKey, before: number): boolean {
  return loggedRow(entry, key).at < before
}

const NOBODY: RowKey = { tenantId: OWN_ID, writerId: OWN_ID, seq: 0 }
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Where the row of an entry must be. Its tenant is what its event says: the row's own could have been moved with it. */
function keyOf(entry: Uint8Array): RowKey {
  const leaf = parseLeaf(entry)
  if (leaf?.kind !== 'event') return { ...NOBODY, seq: leaf?.seq ?? 0 }
  const { tenant } = leaf.event as { tenant?: unknown }
  return {
    tenantId: typeof tenant === 'string' && UUID.test(tenant) ? tenant : OWN_ID,
    writerId: leaf.writer,
    seq: leaf.seq,
  }
}

function comparePlace(
  runs: readonly Run[],
  place: number,
  key: RowKey,
  entry: Uint8Array,
  findings: DatabaseFindings,
): void {
  const run = runs.find(({ firstIndex, count }) => firstIndex <= place && place < firstIndex + count)
  if (run === undefined) {
    findings.add('missing', 'audit_log.runs', `the place of entry ${place} is not there`, place)
    return
  }
  const isSame =
    run.tenantId === key.tenantId &&
    run.writerId === key.writerId &&
    run.firstSeq + place - run.firstIndex === key.seq &&
    (run.own === null ? key.writerId !== OWN_ID : run.own.equals(entry))
  if (!isSame)
    findings.add('changed', 'audit_log.runs', `the place of entry ${place} is given to something else`, place)
}

function compareRow(
  place: number,
  { writerId, seq }: RowKey,
  row: PendingRow | undefined,
  entry: Uint8Array,
  findings: DatabaseFindings,
): void {
  if (row === undefined) {
    const sentence = `number ${seq} of writer ${writerId}, entry ${place} of the log, is not in the database`
    findings.add('missing', 'audit_outbox', sentence, place)
  } else if (!Buffer.from(leavesOf([row])[0] ?? []).equals(entry)) {
    findings.altered(place, row, loggedRow(entry, row).event)
  } else if (!timesAgree(row)) {
    const sentence = `number ${seq} of writer ${writerId} has another time than entry ${place} of the log`
    findings.add('changed', 'audit_outbox', sentence, place)
  }
}

/** The row as the log has it: the event's own bytes out of its leaf (packages/transparency-log/src/leaf.ts), and the time it says. */
function loggedRow(entry: Uint8Array, key: RowKey): PendingRow {
  const { tenantId, writerId, seq } = key
  const end = entry.length - `,"seq":${seq},"writer":"${writerId}"}`.length
  const event = Buffer.from(entry.subarray('{"event":'.length, end))
  return { tenantId, writerId, seq, at: statedTime(event) ?? Number.NaN, event }
}

/** The column is what lists are sorted by: it must say what the event says. */
function timesAgree({ at, event }: PendingRow): boolean {
  const stated = statedTime(event)
  return stated === null || stated === at
}

function statedTime(event: Buffer): number | null {
  try {
    const { at } = Object(JSON.parse(event.toString())) as { at?: unknown }
    return typeof at === 'string' ? Date.parse(at) : null
  } catch {
    return null
  }
}

function compareIndex(
  place: number,
  due: IndexRow | null,
  found: IndexRow | undefined,
  isDue: boolean,
  findings: DatabaseFindings,
): void {
  if (due === null) return
  if (found === undefined) {
    if (isDue) findings.add('missing', 'audit_log.events', `entry ${place} is not in the index`, place)
    return
  }
  const names = Object.keys(due) as (keyof IndexRow)[]
  if (names.every((name) => due[name] === found[name])) return
  findings.add('changed', 'audit_log.events', `entry ${place} stands otherwise in the index`, place)
}
