/** What a client does after a close. `reconnect`: with the stated or a growing, jittered delay, then resume. */
export type AfterClose = 'reconnect' | 'back-off' | 'refresh' | 'sign-in' | 'unlock' | 'stop'

/**
 * Every code with which the server closes a socket. `reason` is the one word sent; nothing else ever is.
 * 1xxx are those of RFC 6455 §7.4.1 and the IANA registry; 44xx are ours and echo the HTTP status of like meaning.
 */
export const CLOSE_CODES = {
  1001: { reason: 'going-away', after: 'reconnect' },
  /** No frame of RFC 6455: a reserved bit, an unknown opcode, no mask. */
  1002: { reason: 'malformed', after: 'stop' },
  1003: { reason: 'binary', after: 'stop' },
  1007: { reason: 'not-utf8', after: 'stop' },
  /** A message in more fragments, or a frame in more pieces, than is taken. */
  1008: { reason: 'fragments', after: 'stop' },
  1009: { reason: 'too-large', after: 'stop' },
  1011: { reason: 'internal', after: 'back-off' },
  1012: { reason: 'restarting', after: 'reconnect' },
  1013: { reason: 'overloaded', after: 'back-off' },
  /** Not JSON, an unknown type, a frame that the state does not allow. The client is broken. */
  4400: { reason: 'protocol', after: 'stop' },
  /** Authentication or renewal failed, for whatever cause. */
  4401: { reason: 'unauthenticated', after: 'sign-in' },
  /** The session, user or device was revoked. Tell the user. */
  4403: { reason: 'revoked', after: 'stop' },
  /** No authentication in time, no heartbeat, or idle. */
  4408: { reason: 'timeout', after: 'reconnect' },
  /** Too many sockets of this user: the oldest goes. */
  4409: { reason: 'replaced', after: 'stop' },
  /** The session is locked: nobody was there for too long, or who it is has to be shown again. It lives on. */
  4423: { reason: 'locked', after: 'unlock' },
  /** Limits were exceeded again and again. */
  4429: { reason: 'abuse', after: 'back-off' },
  /** The token ran out and was not renewed within the grace. */
  4440: { reason: 'expired', after: 'refresh' },
  /** The client reads too slowly to keep up. */
  4452: { reason: 'slow', after: 'reconnect' },
} as const satisfies Record<number, { reason: string; after: AfterClose }>

export type CloseCode = keyof typeof CLOSE_CODES

/** What to do after a close, ours or not: an unknown code or a lost line (1006) is worth a reconnect. */
export function afterClose(code: number): AfterClose {
  return code in CLOSE_CODES ? CLOSE_CODES[code as CloseCode].after : 'reconnect'
}
