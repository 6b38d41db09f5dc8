import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Refusal } from '../errors.ts'
import { pageOf, pageWithMore } from './page.ts'

const rows = fc.uniqueArray(fc.uuid(), { maxLength: 40 }).map((ids) => ids.map((id) => ({ id })))
const limit = fc.integer({ min: 1, max: 9 })

describe('paging to the end', () => {
  it('gives every row once, in order', () => {
    fc.assert(
      fc.property(rows, limit, (all, limit) => {
        const seen: { id: string }[] = []
        let cursor: string | undefined
        do {
          const page = pageOf(all, { limit, cursor })
          seen.push(...page.items)
          cursor = page.next ?? undefined
        } while (cursor !== undefined)
        expect(seen).toEqual(all)
      }),
    )
  })

  it('misses nobody when the row it stopped at has left the list, or others have come before it', () => {
    fc.assert(
      fc.property(rows, limit, fc.boolean(), (all, limit, leaves) => {
        const { items, next } = pageOf(all, { limit })
        if (next === null) return
        const last = items.at(-1)
        const later = leaves ? all.filter((row) => row !== last) : [{ id: 'new' }, ...all]
        expect(pageOf(later, { limit: 100, cursor: next }).items).toEqual(all.slice(limit))
      }),
    )
  })

  it.each(['', 'x', '1', `${'0'.repeat(36)}.`, `${'0'.repeat(36)}.-1`, "'; drop table"])(
    'refuses the cursor %j',
    (cursor) => {
      expect(() => pageOf([], { limit: 1, cursor })).toThrow(Refusal)
    },
  )

  it('a store that gives one row more than was asked has another page', () => {
    expect(pageWithMore([1, 2, 3], 2, String)).toEqual({ items: [1, 2], next: '2' })
    expect(pageWithMore([1, 2], 2, String)).toEqual({ items: [1, 2], next: null })
    expect(pageWithMore([], 2, String)).toEqual({ items: [], next: null })
  })
})
