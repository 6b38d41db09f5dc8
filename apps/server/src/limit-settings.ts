import {
  DEFAULT_LIMITS,
  DEFAULT_PRE_AUTH,
  type Limits,
  MAX_BODY_LENGTH,
  type PreAuthLimits,
  type SignedInLimits,
} from '@wardline/protocol'
import type { z } from 'zod'
import { type Setting, whole } from './setting-kinds.ts'

const LIMIT_TEXTS: Readonly<Record<keyof Limits, string>> = {
  frameBytes: 'Bytes of one frame from a client.',
  firstFrameBytes: 'Bytes of its first frame, before anybody is signed in.',
  fragments: 'Frames that one message may come in.',
  bodyLength: 'Characters of a message.',
  requestsPerSecond: 'Requests a second on one socket, and of one sign-in over HTTP.',
  requestBurst: 'Of those, how many at once.',
  userRequestsPerSecond: 'Requests a second of one user, over all their sockets and HTTP together, on all nodes.',
  userRequestBurst: 'Of those, how many at once, on each node.',
  subscriptions: 'Channels that one socket follows.',
  inFlight: 'Requests of one socket that wait for their answer.',
  callsInFlight: 'Calls of one user over HTTP that wait for their answer, on one node.',
  socketsPerUser: 'Sockets of one user; one more closes the oldest.',
  heartbeatMs: 'Milliseconds between pings; a peer that is silent for twice as long is gone.',
  idleMs: 'Milliseconds without a request, after which a socket is closed.',
  renewGraceMs: 'Milliseconds that a socket lives on past its token.',
  pollMs:
    'Milliseconds between looks for changes, should every notification be lost: a revocation is known everywhere soon after.',
  bufferBytes: 'Bytes that wait for a slow reader before it is put off.',
  laggingMs: 'Milliseconds that a reader may be put off before its socket is closed.',
  holdOffMs: 'Milliseconds for which a user, or an address, is not let in after going on and on beyond the limits.',
  connections: 'TCP connections of all addresses. Each is an open file: `ulimit -n` has to be larger.',
  unknownConnectionsPerAddress: 'TCP connections of one address on which nobody has signed in.',
  unknownConnections: 'The same, of all addresses.',
  handshakesPerMinute: 'TCP connections that one address may open in a minute.',
  handshakeMs: 'Milliseconds until a connection speaks, and again for its TLS handshake.',
  headersMs: 'Milliseconds for the head of a request.',
  requestMs: 'Milliseconds for the whole of a request.',
  stallMs: 'Milliseconds for which nobody may leave an answer over HTTP unread.',
  headBytes: 'Bytes of the head of a request; token, proof and cookie are some 4 KiB of it.',
  requestBytes: 'Bytes of the body of a request, where a route does not take fewer.',
  callsPerMinute: 'Calls that one address may make in a minute; those of somebody who is signed in do not count.',
  pendingSocketsPerAddress: 'Sockets of one address on which nobody has signed in.',
  pendingSockets: 'The same, of all addresses.',
  authenticateMs: 'Milliseconds from a connection to its first frame.',
  connectionsPerMinute: 'Sockets that one address may ask for in a minute.',
  signInsPerMinute: 'Sign-ins that one address may try in a minute.',
  refreshesPerMinute: 'Renewals of a sign-in that one address may ask for in a minute.',
  waitingSignIns: 'Passwords that wait to be hashed; one more is turned away.',
  faultsPerMinute: 'What is no HTTP, no token or no frame, from one address in a minute: beyond that it is held off.',
}

const PREFIX = 'WARDLINE_LIMITS_'

/** A variable for each limit that clients are told. */
export const limitSettings: Record<
  `${typeof PREFIX}${string}`,
  Setting<z.ZodDefault<z.ZodType<number>>>
> = Object.fromEntries(
  Object.entries({ ...DEFAULT_LIMITS, ...DEFAULT_PRE_AUTH }).map(([name, value]) => [
    limitName(name),
    whole(
      value,
      1,
      name === 'bodyLength' ? MAX_BODY_LENGTH : 2_147_483_647,
      LIMIT_TEXTS[name as keyof typeof LIMIT_TEXTS],
    ),
  ]),
)

type LimitValues = Record<string, unknown>

/** The limits out of the parsed settings. */
export const limitOf = {
  socket: (values: LimitValues): SignedInLimits => limitsLike(DEFAULT_LIMITS, values),
  preAuth: (values: LimitValues): PreAuthLimits => limitsLike(DEFAULT_PRE_AUTH, values),
}

function limitsLike<T extends Record<string, number>>(defaults: T, values: LimitValues): T {
  return Object.fromEntries(Object.keys(defaults).map((name) => [name, values[limitName(name)]])) as T
}

/** `frameBytes` → `WARDLINE_LIMITS_FRAME_BYTES`. */
function limitName(name: string): string {
  return PREFIX + name.replace(/[A-Z]/g, '_$&').toUpperCase()
}
