import type { Post } from '@wardline/client'
import { DEFAULT_LIMITS, DEFAULT_PRE_AUTH } from '@wardline/protocol'
import { expect, test } from 'vitest'
import { connectionWords, unsentCount } from './connection-words.ts'

const limits = { ...DEFAULT_LIMITS, ...DEFAULT_PRE_AUTH }
const said = (...of: Parameters<typeof connectionWords>) => {
  const { state, details } = connectionWords(of[0], of[1], () => '14:32')
  return [state, ...details].join(', ')
}

test('the connection is said in words, with what is unsent and how old the screen is', () => {
  expect(said({ is: 'live', connectionId: 'x', since: 0, limits }, 0)).toBe('Live')
  expect(said({ is: 'live', connectionId: 'x', since: 0, limits }, 1)).toBe('Live, sending 1')
  expect(said({ is: 'connecting' }, 0)).toBe('Connecting…')
  expect(said({ is: 'reconnecting', attempt: 2, nextAt: null, lastLiveAt: 5 }, 2)).toBe(
    'Reconnecting…, 2 unsent, Up to date as of 14:32',
  )
  expect(said({ is: 'reconnecting', attempt: 1, nextAt: 9, lastLiveAt: null }, 0)).toBe('Reconnecting…')
  expect(said({ is: 'stopped', reason: 'replaced' }, 0)).toContain('too many tabs')
})

test('an accepted post is no longer unsent, a refused one still is', () => {
  const post = (state: Post['state']): Post => ({
    clientId: 'x',
    channel: 'c',
    draft: { body: '' },
    queuedAt: 0,
    state,
  })
  expect(
    unsentCount([
      post({ is: 'accepted', message: 'm', seq: 1, at: '' }),
      post({ is: 'sending' }),
      post({ is: 'refused', code: 'forbidden', retry: 'never' }),
    ]),
  ).toBe(2)
})
