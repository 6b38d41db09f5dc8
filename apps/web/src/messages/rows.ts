import type { Post } from '@wardline/client'
import { dayKey } from '../format/time.ts'
import type { Item, Timeline } from './timeline.ts'

/** One line of the list: something that happened, or something of mine that has not been sent. */
export type Row = { readonly is: 'item'; readonly item: Item } | { readonly is: 'unsent'; readonly post: Post }

/** A pause after which a sender is named again. */
const PAUSE_MS = 5 * 60_000

const rowOf = new WeakMap<Item | Post, Row>()

function itemRow(item: Item): Row {
  let row = rowOf.get(item)
  if (row === undefined) {
    row = { is: 'item', item }
    rowOf.set(item, row)
  }
  return row
}

function unsentRow(post: Post): Row {
  let row = rowOf.get(post)
  if (row === undefined) {
    row = { is: 'unsent', post }
    rowOf.set(post, row)
  }
  return row
}

/** The lines of a conversation, in order; a post that has come back as an event is not shown twice. */
export function rowsOf(timeline: Timeline, unsent: readonly Post[], me: string): readonly Row[] {
  const rows = timeline.items.map(itemRow)
  if (unsent.length === 0) return rows
  const delivered = new Set<string>()
  for (const item of timeline.items) if (item.kind === 'message' && item.sender === me) delivered.add(item.clientId)
  return [...rows, ...unsent.filter((post) => !delivered.has(post.clientId)).map(unsentRow)]
}

/** A name for a line that stays the same while a post of mine becomes a message. */
export function rowKey(row: Row): string {
  if (row.is === 'unsent') return row.post.clientId
  return row.item.kind === 'message' ? row.item.clientId : `${row.item.kind}-${row.item.seq}`
}

function timeOf(row: Row): number | null {
  if (row.is === 'unsent') return row.post.queuedAt
  return row.item.kind === 'hole' ? null : Date.parse(row.item.at)
}

/** Whether a line begins another day than the one above it. */
export function startsDay(row: Row, above: Row | undefined): boolean {
  const at = timeOf(row)
  if (at === null) return false
  const before = above === undefined ? null : timeOf(above)
  return before === null || dayKey(at) !== dayKey(before)
}

function senderOf(row: Row, me: string): string | null {
  if (row.is === 'unsent') return me
  return row.item.kind === 'message' ? row.item.sender : null
}

/** Whether a line names its sender: another one than above, after a pause or a line across, or because it is weighty. */
export function startsGroup(row: Row, above: Row | undefined, me: string): boolean {
  if (above === undefined || startsDay(row, above)) return true
  if (row.is === 'item' && row.item.kind === 'message' && (row.item.priority !== 'routine' || row.item.ackRequired)) {
    return true
  }
  const [at, before] = [timeOf(row), timeOf(above)]
  return senderOf(row, me) !== senderOf(above, me) || at === null || before === null || at - before > PAUSE_MS
}

/**
 * The first message of somebody else that was there and not read when the conversation was opened: where the line “new” is
 * drawn. Null when there is none.
 */
export function firstUnread(timeline: Timeline, opened: { read: number; head: number }, me: string): number | null {
  const found = timeline.items.find(
    (item) => item.kind === 'message' && item.seq > opened.read && item.seq <= opened.head && item.sender !== me,
  )
  return found?.seq ?? null
}

/** So many lines fill a screen. */
const SCREENFUL = 30
/** So many lines stand above the one that the list begins with: at its very top it would fetch the past at once. */
const LEAD = 20
/** Of what is unread, no more than this is fetched before anything is shown. */
const MOST = 500

/** Whether enough is here to show a conversation from its unread line on, or from its end. */
export function enoughToBegin(timeline: Timeline, unreadSeq: number | null): boolean {
  const { items, complete } = timeline
  if (complete || items.length >= MOST) return true
  if (items.length < SCREENFUL) return false
  return unreadSeq === null || items.findIndex((item) => item.seq === unreadSeq) >= LEAD
}

/** The line that the list begins with, or null: its end. */
export function beginning(rows: readonly Row[], unreadSeq: number | null, complete: boolean): number | null {
  const index = rows.findIndex((row) => row.is === 'item' && row.item.seq === unreadSeq)
  if (index === -1) return null
  return complete ? index : Math.min(Math.max(index, LEAD), rows.length - 1)
}

/** How many lines stand before sequence `from`: what a page of the past has put on top since. */
export function countUpTo(rows: readonly Row[], from: number): number {
  const index = rows.findIndex((row) => row.is === 'unsent' || row.item.seq > from)
  return index === -1 ? rows.length : index
}
