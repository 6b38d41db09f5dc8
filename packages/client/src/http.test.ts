import { about } from '@wardline/protocol'
import { describe, expect, it } from 'vitest'
import type { FetchInit } from './environment.ts'
import { WardlineError } from './error.ts'
import { fakeProofs, manualTime } from './fake-server/index.ts'
import type { Fault } from './fault.ts'
import { type Call, createHttp } from './http.ts'
import { ServerClock } from './server-clock.ts'

const PING: Call<{ demo: boolean }> = { method: 'GET', path: '/about', answer: about }

type Scripted = {
  status: number
  text?: string
  headers?: Record<string, string>
  body?: ReadableStream<Uint8Array>
}

function httpThatAnswers(answer: Scripted | (() => Promise<never>)) {
  const time = manualTime()
  const sent: { url: string; init: FetchInit }[] = []
  const faults: Fault[] = []
  const http = createHttp({
    fetch: async (url, init) => {
      sent.push({ url, init })
      if (typeof answer === 'function') return answer()
      const { status, text = '', headers = {}, body = null } = answer
      return { status, headers: { get: (name) => headers[name] ?? null }, text: async () => text, body }
    },
    setTimer: (ms, run) => time.setTimer(ms, run),
    origin: () => 'https://ward.test:8443',
    proofs: fakeProofs(),
    clock: new ServerClock(() => time.now()),
    onFault: (fault) => faults.push(fault),
  })
  return { http, sent, time, faults }
}

async function failureOf(answer: Scripted): Promise<WardlineError> {
  const { http } = httpThatAnswers(answer)
  const error: unknown = await http.send(PING, {}).catch((reason: unknown) => reason)
  if (!(error instanceof WardlineError)) throw new TypeError('expected a WardlineError', { cause: error })
  return error
}

describe('a refusal over HTTP', () => {
  it('is what the problem document says', async () => {
    const text = JSON.stringify({
      type: 'urn:wardline:error:rate-limited',
      title: 'Too many requests.',
      status: 429,
      code: 'rate-limited',
      retry: 'later',
      retryAfterMs: 1500,
      fields: ['/body'],
    })
    expect(await failureOf({ status: 429, text })).toMatchObject({
      code: 'rate-limited',
      retry: 'later',
      retryAfterMs: 1500,
      status: 429,
      fields: ['/body'],
    })
  })

  it.each([
    [502, 'unavailable', 'later'],
    [503, 'unavailable', 'later'],
    [500, 'internal', 'later'],
    [404, 'not-found', 'never'],
    [413, 'too-large', 'never'],
    [418, 'invalid', 'never'],
    [302, 'invalid', 'never'],
  ])('of a proxy in between, %i with its own page, is %s', async (status, code, retry) => {
    expect(await failureOf({ status, text: '<html>' })).toMatchObject({ code, retry, status })
  })

  it('heeds Retry-After, in seconds', async () => {
    expect(await failureOf({ status: 503, headers: { 'retry-after': '7' } })).toMatchObject({ retryAfterMs: 7000 })
    expect(await failureOf({ status: 503, headers: { 'retry-after': 'Sunday' } })).toMatchObject({ retryAfterMs: null })
  })

  it('says nothing of what was sent or answered', async () => {
    const { message } = await failureOf({ status: 400, text: '{"secret":"canary"}' })
    expect(message).toBe('The request is not valid.')
  })
})

describe('[R-50] an answer', () => {
  it.each(['', '<html>', '[]', '{}', '{"demo":"yes"}', '{"demo":true,"more":1}'])(
    'that does not fit its schema is not acted on, and is told as a fault: %j',
    async (text) => {
      const { http, faults } = httpThatAnswers({ status: 200, text })
      await expect(http.send(PING, {})).rejects.toMatchObject({ code: 'internal', retry: 'never', status: 200 })
      expect(faults).toEqual([{ kind: 'unreadable-answer', length: text.length }])
    },
  )

  it('that never comes is given up after 30 seconds', async () => {
    const { http, sent, time } = httpThatAnswers(() => new Promise<never>(() => undefined))
    void http.send(PING, {}).catch(() => undefined)
    await time.advance(29_000)
    expect(sent[0]?.init.signal.aborted).toBe(false)
    await time.advance(1_000)
    expect(sent[0]?.init.signal.aborted).toBe(true)
  })

  it('that cannot be had is `unavailable` with status 0, and leaves no timer', async () => {
    const { http, time } = httpThatAnswers(() => Promise.reject(new TypeError('fetch failed')))
    await expect(http.send(PING, {})).rejects.toMatchObject({ code: 'unavailable', retry: 'later', status: 0 })
    expect(time.pending()).toBe(0)
  })
})

it('a query is encoded, and what is absent is left out', async () => {
  const { http, sent } = httpThatAnswers({ status: 200, text: '{"demo":true}' })
  await http.send({ ...PING, query: { cursor: 'a b&c', limit: 2, from: undefined } }, {})
  expect(sent[0]?.url).toBe('https://ward.test:8443/api/v1/about?cursor=a+b%26c&limit=2')
})

describe('an answer that is taken piece by piece', () => {
  const EXPORT: Call<void> = { method: 'GET', path: '/admin/audit/export', answer: null }
  const pieces = (...parts: (number[] | 'broken')[]) =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        const part = parts.shift()
        if (part === undefined) controller.close()
        else if (part === 'broken') controller.error(new TypeError('the line broke'))
        else controller.enqueue(new Uint8Array(part))
      },
    })
  const streaming = (body: ReadableStream<Uint8Array>, status = 200) =>
    httpThatAnswers({ status, text: '{"code":"forbidden"}', body })

  it('is handed on as it comes, a character that two pieces share whole', async () => {
    const { http, time } = streaming(pieces([0x61, 0xc3], [0xa9, 0x0a]))
    const taken: string[] = []
    await http.send({ ...EXPORT, onText: (text) => taken.push(text) }, {})
    expect(taken.join('')).toBe('aé\n')
    expect(time.pending()).toBe(0)
  })

  it('is a failure when it breaks off, whatever was handed on', async () => {
    const { http } = streaming(pieces([0x61], 'broken'))
    await expect(http.send({ ...EXPORT, onText: () => undefined }, {})).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('is no answer when it is a refusal', async () => {
    const { http } = streaming(pieces([0x61]), 403)
    const taken: string[] = []
    await expect(http.send({ ...EXPORT, onText: (text) => taken.push(text) }, {})).rejects.toMatchObject({
      status: 403,
    })
    expect(taken).toEqual([])
  })

  it('is given up when whoever asked gives up', async () => {
    const { http, sent } = httpThatAnswers(() => new Promise<never>(() => undefined))
    const giveUp = new AbortController()
    void http.send({ ...EXPORT, onText: () => undefined, signal: giveUp.signal }, {}).catch(() => undefined)
    await Promise.resolve()
    giveUp.abort()
    expect(sent.every(({ init }) => init.signal.aborted)).toBe(true)
  })
})
