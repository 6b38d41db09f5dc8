import { API_BASE, CSRF_HEADER, ERRORS, type ErrorCode, problem } from '@wardline/protocol'
import type { Environment, FetchAnswer, FetchInit } from './environment.ts'
import { WardlineError } from './error.ts'
import type { OnFault } from './fault.ts'
import type { Proofs } from './proof.ts'
import type { ServerClock } from './server-clock.ts'

/** An exchange over HTTP is given up after this long, in milliseconds. */
const EXCHANGE_MS = 30_000

/** What a schema of the protocol is to this module: something that judges a value. */
export type Schema<T> = { safeParse(value: unknown): { success: true; data: T } | { success: false; error: unknown } }

/** One kind of call. `answer` is null where there is nothing but a status (204). */
export type Call<T> = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  /** Below `/api/v1`, its variable parts already encoded. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly body?: unknown
  /** In place of a body: OAuth's endpoints take forms. */
  readonly form?: Readonly<Record<string, string>>
  readonly answer: Schema<T> | null
  /** Whether the refresh cookie travels too, and with it the CSRF token. */
  readonly cookie?: boolean
  /** Takes the answer piece by piece as it arrives, however long it takes; there is nothing else to it (`answer` is null). */
  readonly onText?: (text: string) => void
  /** Gives the call up. */
  readonly signal?: AbortSignal | undefined
  /** For anybody: neither a token nor a proof travels. */
  readonly open?: boolean
}

/** What a call shows of who makes it. */
export type Credentials = { token?: string | undefined; csrfToken?: string | undefined }

export type Http = {
  /** Makes the call and answers with what the schema made of it. Throws WardlineError and nothing else. */
  send<T>(call: Call<T>, credentials: Credentials): Promise<T>
}

type HttpDeps = Pick<Environment, 'fetch' | 'setTimer'> & {
  /** `https://host[:port]`, without a slash at the end. */
  origin: () => string
  proofs: Proofs
  clock: ServerClock
  onFault: OnFault
}

export function createHttp({ fetch, setTimer, origin, proofs, clock, onFault }: HttpDeps): Http {
  async function exchange<T>(
    call: Call<T>,
    { token, csrfToken }: Credentials,
  ): Promise<{ answer: FetchAnswer; text: string }> {
    const url = urlOf(origin(), call)
    const headers: Record<string, string> = { accept: 'application/json, application/problem+json' }
    if (token !== undefined) headers['authorization'] = `DPoP ${token}`
    if (call.cookie === true && csrfToken !== undefined) headers[CSRF_HEADER] = csrfToken
    if (call.body !== undefined) headers['content-type'] = 'application/json'
    if (call.form !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded'
    if (call.open !== true) headers['dpop'] = await proofs.http(call.method, url, token)

    const giveUp = new AbortController()
    let cancel = setTimer(EXCHANGE_MS, () => giveUp.abort())
    const abort = () => giveUp.abort()
    call.signal?.addEventListener('abort', abort)
    const alive = () => {
      cancel()
      cancel = setTimer(EXCHANGE_MS, abort)
    }
    const init: FetchInit = {
      method: call.method,
      headers,
      credentials: call.cookie === true ? 'same-origin' : 'omit',
      cache: 'no-store',
      redirect: 'error',
      signal: giveUp.signal,
    }
    if (call.body !== undefined) init.body = JSON.stringify(call.body)
    if (call.form !== undefined) init.body = new URLSearchParams(call.form).toString()
    try {
      const answer = await fetch(url, init)
      if (call.onText !== undefined && isDone(answer.status)) {
        await readPieces(answer, call.onText, alive)
        return { answer, text: '' }
      }
      return { answer, text: await answer.text() }
    } catch (cause) {
      throw new WardlineError('unavailable', { cause })
    } finally {
      cancel()
      call.signal?.removeEventListener('abort', abort)
    }
  }

  return {
    send: async (call, credentials) => {
      let { answer, text } = await exchange(call, credentials)
      const corrected = clock.observeDateHeader(answer.headers.get('date'))
      // A proof of the wrong hour is refused like any other. Where this answer has just shown our clock to be wrong, the
      // refusal says nothing yet: once more, with the time put right. Nothing was done, so nothing is done twice.
      if (answer.status === 401 && corrected) ({ answer, text } = await exchange(call, credentials))
      return read(call, answer, text, onFault)
    },
  }
}

/** @param alive called for each piece: whoever still sends is waited for */
async function readPieces(answer: FetchAnswer, take: (text: string) => void, alive: () => void): Promise<void> {
  const reader = answer.body?.getReader()
  if (reader === undefined) return take(await answer.text())
  const decoder = new TextDecoder()
  for (;;) {
    const { done, value } = await reader.read()
    alive()
    const text = decoder.decode(value, { stream: !done })
    if (text !== '') take(text)
    if (done) return
  }
}

function isDone(status: number): boolean {
  return status >= 200 && status <= 299
}

function urlOf(origin: string, call: Call<unknown>): string {
  const url = new URL(`${origin}${API_BASE}${call.path}`)
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  return url.href
}

function read<T>(call: Call<T>, { status, headers }: FetchAnswer, text: string, onFault: OnFault): T {
  if (!isDone(status)) throw refusalOf(status, headers.get('retry-after'), text)
  if (call.answer === null) return undefined as T
  const parsed = call.answer.safeParse(parseJson(text))
  // Validated as strictly as what the server takes from us: what is misread is not acted on.
  if (parsed.success) return parsed.data
  onFault({ kind: 'unreadable-answer', length: text.length })
  throw new WardlineError('internal', { status, retry: 'never' })
}

function refusalOf(status: number, retryAfter: string | null, text: string): WardlineError {
  const stated = problem.safeParse(parseJson(text))
  if (stated.success) return new WardlineError(stated.data.code, { ...stated.data, status })
  // Not ours: a proxy in between, most likely.
  const seconds = retryAfter !== null && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : undefined
  return new WardlineError(codeOf(status), { status, retryAfterMs: seconds === undefined ? undefined : seconds * 1000 })
}

function codeOf(status: number): ErrorCode {
  for (const [code, entry] of Object.entries(ERRORS)) if (entry.status === status) return code as ErrorCode
  return status >= 500 || status === 408 || status === 425 ? 'unavailable' : 'invalid'
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
