import type { z } from 'zod'
import { CLIENT_FRAME_TYPES, type ClientRequest, clientRequest, type ServerFrame, serverFrame } from './frames.ts'
import { requestId } from './ids.ts'
import { isPlainJson } from './plain-json.ts'
import { sessionAuthenticate } from './session.ts'

/**
 * What came in, judged. `violation`: the peer does not speak this protocol (not JSON, not an object, a name twice in an
 * object, nested too deep, an unknown type or one that the state does not allow) and is closed with 4400. `invalid`: it does, and this one request is wrong; it is
 * answered with an `error` that bears its `id` where one could be read.
 */
export type Decoded<T> =
  | { readonly ok: true; readonly frame: T }
  | { readonly ok: false; readonly fault: 'violation' }
  | { readonly ok: false; readonly fault: 'invalid'; readonly type: string; readonly replyTo: string | undefined }

const VIOLATION = { ok: false, fault: 'violation' } as const

function parseObject(text: string): Record<string, unknown> | undefined {
  if (!isPlainJson(text)) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

/** The first frame of a client. Anything but a well-formed `session.authenticate` is a violation. */
export function decodeFirstFrame(text: string): Decoded<z.infer<typeof sessionAuthenticate>> {
  const value = parseObject(text)
  if (value === undefined) return VIOLATION
  const parsed = sessionAuthenticate.safeParse(value)
  return parsed.success ? { ok: true, frame: parsed.data } : VIOLATION
}

/** A frame of an authenticated client. `session.authenticate` is one too many there: a violation. */
export function decodeRequest(text: string): Decoded<ClientRequest> {
  const value = parseObject(text)
  if (value === undefined) return VIOLATION
  const type = value['type']
  if (typeof type !== 'string' || !CLIENT_FRAME_TYPES.has(type) || type === 'session.authenticate') return VIOLATION
  const parsed = clientRequest.safeParse(value)
  if (parsed.success) return { ok: true, frame: parsed.data }
  const id = requestId.safeParse(value['id'])
  return { ok: false, fault: 'invalid', type, replyTo: id.success ? id.data : undefined }
}

/** A frame of a server, as a client reads it: validated as strictly, but for `limits` [P9], so that a client never acts on what it misreads. */
export function decodeServerFrame(text: string): Decoded<ServerFrame> {
  const value = parseObject(text)
  if (value === undefined) return VIOLATION
  const parsed = serverFrame.safeParse(value)
  return parsed.success ? { ok: true, frame: parsed.data } : VIOLATION
}
