import { describe, expect, test } from 'vitest'
import { draftProblem, EMPTY_DRAFT, isWorthKeeping, readDraft, toPost, withIntent, withPriority } from './draft.ts'

const draft = { body: 'K 6.1', priority: 'urgent', ackRequired: true, intent: 'concern', inReplyTo: 'm1' } as const

describe('a draft', () => {
  test('comes back as it was kept', () => {
    expect(readDraft(JSON.parse(JSON.stringify(draft)))).toEqual(draft)
  })

  test.each([null, 'text', 7, {}, { body: 3 }])('%j is an empty one', (kept) => {
    expect(readDraft(kept)).toBe(EMPTY_DRAFT)
  })

  test('an unknown priority of an older version counts as routine', () => {
    expect(readDraft({ body: 'x', priority: 'panic' }).priority).toBe('routine')
  })

  test('urgent and STAT ask for an acknowledgement, routine does not', () => {
    expect(withPriority(EMPTY_DRAFT, 'stat').ackRequired).toBe(true)
    expect(withPriority({ ...draft, intent: null }, 'routine').ackRequired).toBe(false)
  })

  test('whoever wants something done, or a call, asks to be answered; of what is for information nobody is asked', () => {
    expect(withIntent(EMPTY_DRAFT, 'action').ackRequired).toBe(true)
    expect(withIntent(EMPTY_DRAFT, 'concern').ackRequired).toBe(true)
    expect(withIntent({ ...draft, priority: 'routine' }, 'fyi').ackRequired).toBe(false)
    expect(withIntent(draft, 'fyi').ackRequired).toBe(true)
    expect(withPriority({ ...EMPTY_DRAFT, intent: 'action' }, 'routine').ackRequired).toBe(true)
  })

  test('an unknown intent of another version counts as none; a STAT says what is wanted by itself', () => {
    expect(readDraft({ body: 'x', intent: 'stat' }).intent).toBeNull()
    expect(readDraft({ body: 'x', intent: 'panic' }).intent).toBeNull()
    expect(toPost({ ...draft, priority: 'stat' }).intent).toBe('stat')
  })

  test('is kept as soon as there is something to lose', () => {
    expect(isWorthKeeping(EMPTY_DRAFT)).toBe(false)
    expect(isWorthKeeping({ ...EMPTY_DRAFT, body: ' \n' })).toBe(false)
    expect(isWorthKeeping({ ...EMPTY_DRAFT, inReplyTo: 'm1' })).toBe(true)
  })

  test('says why it cannot be sent', () => {
    expect(draftProblem(EMPTY_DRAFT, 10)).toBe('empty')
    expect(draftProblem({ ...draft, body: 'x'.repeat(11) }, 10)).toBe('too-long')
    expect(draftProblem({ ...draft, body: 'e\u0301'.repeat(10) }, 10)).toBeNull()
    expect(draftProblem({ ...draft, body: 'a\u202Eb' }, 10)).toBe('forbidden-text')
    expect(draftProblem(draft, 10)).toBeNull()
  })

  test('is posted without what is as usual', () => {
    expect(toPost({ ...EMPTY_DRAFT, body: 'x' })).toEqual({ body: 'x' })
    expect(toPost(draft)).toEqual(draft)
  })
})
