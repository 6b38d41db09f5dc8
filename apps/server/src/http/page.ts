import { uuid } from '@wardline/protocol'
import { Refusal } from '../errors.ts'

/** What every list is asked for: at most `limit` rows, after where `cursor` points. */
export type PageRequest = { readonly limit: number; readonly cursor?: string | undefined }

export type Page<T> = { items: T[]; next: string | null }

const PLACE = /^([0-9a-f-]{36})\.(\d{1,9})$/

/**
 * A page of a list that is sorted in memory. The cursor is the last row's id and where it stood, never what the list is sorted
 * by, for cursors travel in URLs. When that row has left the list meanwhile, the next page begins where it was.
 *
 * @throws Refusal `invalid` on a cursor that no page of ours gave
 */
export function pageOf<T extends { readonly id: string }>(rows: readonly T[], { limit, cursor }: PageRequest): Page<T> {
  const from = cursor === undefined ? 0 : placeAfter(rows, cursor)
  const items = rows.slice(from, from + limit)
  const last = items.at(-1)
  const until = from + items.length
  return { items, next: last === undefined || until >= rows.length ? null : `${last.id}.${until - 1}` }
}

function placeAfter(rows: readonly { readonly id: string }[], cursor: string): number {
  const [, id, stood] = PLACE.exec(cursor) ?? []
  if (id === undefined || stood === undefined) throw badCursor()
  const found = rows.findIndex((row) => row.id === id)
  return found === -1 ? Number(stood) : found + 1
}

/** One row more than `limit` was read: the page, and whether there is another. */
export function pageWithMore<T>(rows: readonly T[], limit: number, cursorOf: (last: T) => string): Page<T> {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next: last === undefined || rows.length <= limit ? null : cursorOf(last) }
}

/** The cursor of a list that the store pages by the last row's id. @throws Refusal `invalid` */
export function cursorId(cursor: string): string {
  if (!uuid.safeParse(cursor).success) throw badCursor()
  return cursor
}

export function badCursor(): Refusal {
  return new Refusal('invalid', 'schema', { fields: ['/cursor'] })
}
