import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Duplex, finished, Readable } from 'node:stream'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { auditAddress } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal, toProblem, toRefusal } from '../errors.ts'
import { plainAddress } from './forwarded.ts'

const PROBLEM = 'application/problem+json; charset=utf-8'
/** How long a client that was refused may take to hang up, in milliseconds. */
const LINGER_MS = 1_000
/** How long the rest of a body that is not wanted is taken and thrown away, in milliseconds. */
const UNWANTED_MS = 5_000
/** A JSON pointer made of the schema's own names and of indexes; anything else might be a name that the client chose. */
const FIELD = /^(\/[A-Za-z0-9_-]{1,40}){1,8}$/

/**
 * Answers with a refusal (RFC 9457), with what HTTP itself wants to say beside it. Gives nothing back: a reply is a promise of
 * its own end, and each handler on its way that returned it would listen for that end.
 */
export function sendProblem(reply: FastifyReply, refusal: Refusal): void {
  const problem = toProblem(refusal)
  if (problem.status === 401) reply.header('www-authenticate', challengeOf(refusal))
  if (problem.retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(problem.retryAfterMs / 1000))
  reply.code(problem.status).type(PROBLEM)
  if (refusal.code === 'too-large') void reply.header('connection', 'close').send(heldUntilRead(reply, problem))
  else void reply.serializer(JSON.stringify).send(problem)
}

/**
 * An answer for who is still sending: its bytes go at once, its end, and so the connection's, when the rest of the request has
 * come or has taken too long. A connection that is closed with bytes unread is reset, and the answer lost with it (RFC 9112 §9.6).
 */
function heldUntilRead(reply: FastifyReply, problem: unknown): Readable {
  const { raw } = reply.request
  const bytes = Buffer.from(JSON.stringify(problem))
  const answer = new Readable({ read: () => undefined })
  answer.push(bytes)
  reply.header('content-length', bytes.length)
  const late = setTimeout(end, UNWANTED_MS)
  const forget = finished(raw, { writable: false }, end)
  raw.resume()
  function end() {
    clearTimeout(late)
    forget()
    answer.push(null)
  }
  return answer
}

/** RFC 9449 §7.1; where it is the proof's age or strength that is wanting, RFC 9470 §3 with it. */
function challengeOf({ code, maxAgeMs, acr }: Refusal): string {
  if (code !== 'step-up-required') return 'DPoP algs="ES256"'
  const level = acr === undefined ? '' : `, acr_values="${acr}"`
  const age = maxAgeMs === undefined ? '' : `, max_age="${Math.floor(maxAgeMs / 1000)}"`
  return `DPoP algs="ES256", error="insufficient_user_authentication"${level}${age}`
}

/** What Fastify and its plugins throw, as refusals; their words and numbers go nowhere. */
export function refusalOfRequest(error: unknown): Refusal {
  if (error instanceof Refusal || !isHttpError(error)) return toRefusal(error)
  if (error.validation !== undefined) return new Refusal('invalid', 'schema', { fields: fieldsOf(error.validation) })
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new Refusal('too-large', 'oversize')
  // 403: what the static files call a folder.
  if (error.statusCode === 403 || error.statusCode === 404) return new Refusal('not-found', 'not-found')
  if (error.statusCode === 413) return new Refusal('too-large', 'oversize')
  if (error.statusCode >= 400 && error.statusCode < 500) {
    return new Refusal('invalid', error.code?.startsWith('FST_ERR_CTP') ? 'not-json' : 'malformed')
  }
  return toRefusal(error)
}

/** A connection that ends is nobody's mistake. */
const HUNG_UP: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE'])
const TOO_SLOW: ReadonlySet<string> = new Set(['ERR_HTTP_REQUEST_TIMEOUT', 'ERR_TLS_HANDSHAKE_TIMEOUT'])

/**
 * Before there is a request: what came is no TLS or no HTTP, or its headers are too large, or come too slowly. `headers`:
 * securityHeaders().
 */
export function onClientError(
  error: Error & { code?: string },
  socket: Socket,
  { gateway, proxies, headers }: Pick<Context, 'gateway' | 'proxies'> & { headers: Readonly<Record<string, string>> },
): void {
  const ip = plainAddress(socket.remoteAddress)
  const { code: what = '' } = error
  // A browser connects before it knows what to ask; when it never asks, there is nothing to answer and nobody to blame.
  const isSilent = what === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0
  if (ip !== undefined && !HUNG_UP.has(what) && !isSilent) {
    if (!proxies.isTrusted(ip)) gateway.addresses.fault(ip)
    gateway.strangers.unreadable(auditAddress(ip), TOO_SLOW.has(what) ? 'timeout' : 'malformed')
  }
  // Whoever has not come as far as HTTP, because TLS failed or never ended, is not answered but cut off.
  if (!/^(HPE|ERR_HTTP)_/.test(what) || isSilent || !socket.writable) {
    socket.destroy()
    return
  }
  const code = what === 'HPE_HEADER_OVERFLOW' ? 'too-large' : 'invalid'
  refuseBare(socket, new Refusal(code, 'malformed'), headers)
}

/** Answers a request that Fastify has not seen, in the form of all others and in its turn, and ends the connection. `headers`: securityHeaders(). */
export function refuseUnseen(
  response: ServerResponse,
  refusal: Refusal,
  headers: Readonly<Record<string, string>>,
): void {
  const problem = toProblem(refusal)
  const body = JSON.stringify(problem)
  const own = { 'content-type': PROBLEM, 'content-length': Buffer.byteLength(body), connection: 'close' }
  response.writeHead(problem.status, { ...headers, ...own }).end(body)
}

/** Answers on a connection that no reply of Fastify's belongs to, in the form of all others, and ends it. `headers`: securityHeaders(). */
export function refuseBare(socket: Duplex, refusal: Refusal, headers: Readonly<Record<string, string>>): void {
  const problem = toProblem(refusal)
  const body = JSON.stringify(problem)
  const all = { ...headers, 'content-type': PROBLEM, 'content-length': Buffer.byteLength(body), connection: 'close' }
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  socket.end([`HTTP/1.1 ${problem.status} Refused`, ...head, '', body].join('\r\n'))
  hangUp(socket)
}

/** Ends the connection when what waits has been written. Node leaves the other half open for as long as the client likes. */
export function hangUp(socket: Duplex): void {
  if (socket.writable) socket.end()
  socket.resume()
  const late = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => clearTimeout(late))
}

type HttpError = Error & { statusCode: number; code?: string; validation?: FastifyError['validation'] }

function isHttpError(error: unknown): error is HttpError {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
}

function fieldsOf(issues: NonNullable<FastifyError['validation']>): readonly string[] {
  return [...new Set(issues.map((issue) => issue.instancePath))].filter((path) => FIELD.test(path))
}

/**
 * Whether it is HTTP/1 and names its host, once (RFC 9112 §3.2): of two, whoever stands in front may have believed the other
 * one. HTTP/1.0 may name none. Node takes two, and HTTP/0.9, which has no headers at all.
 */
export function hasPlainHead({ httpVersion, headersDistinct }: IncomingMessage): boolean {
  const hosts = (headersDistinct['host'] ?? []).length
  return httpVersion === '1.1' ? hosts === 1 : httpVersion === '1.0' && hosts <= 1
}

/** Whether a call may change something: then it needs an allowed Origin, and its answer is not for caches. */
export function isUnsafe(request: FastifyRequest): boolean {
  return request.method !== 'GET' && request.method !== 'HEAD' && request.method !== 'OPTIONS'
}
