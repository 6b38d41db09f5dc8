import { ERROR_CODES, ERRORS, errorFrame, problem } from '@wardline/protocol'
import { describe, expect, test } from 'vitest'
import { Refusal, toErrorFrame, toProblem, toRefusal } from './errors.ts'
import { StorageUnavailable } from './storage/errors.ts'

describe('the funnel of errors', () => {
  test.each(ERROR_CODES)('R-54: %s is the same on both transports and fits their schemas', (code) => {
    const refusal = new Refusal(code, 'internal', { retryAfterMs: 1.5 })
    const overHttp = problem.parse(toProblem(refusal))
    const overSocket = errorFrame.parse(toErrorFrame(refusal, 'r1'))
    expect(overHttp).toMatchObject({ status: ERRORS[code].status, code, retryAfterMs: 2 })
    expect(overSocket).toMatchObject({
      replyTo: 'r1',
      code,
      message: overHttp.title,
      retry: overHttp.retry,
      retryAfterMs: 2,
    })
  })

  test('R-54: what nobody foresaw is `internal` and says nothing of its cause', () => {
    const cause = new Error('relation "CANARY" does not exist')
    const refusal = toRefusal(cause)
    expect(refusal.cause).toBe(cause)
    expect(JSON.stringify([toProblem(refusal), toErrorFrame(refusal), refusal.message])).not.toContain('CANARY')
    expect(toProblem(refusal).status).toBe(500)
  })

  test('a database that is away is `unavailable`, with a time to try again', () => {
    expect(toProblem(toRefusal(new StorageUnavailable('away')))).toMatchObject({
      status: 503,
      retry: 'later',
      retryAfterMs: 1_000,
    })
  })
})
