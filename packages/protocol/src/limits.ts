import { z } from 'zod'

const count = z.int().min(1)
const ms = z.int().min(1)

/** Limits on whoever has signed in. Times in milliseconds, sizes in bytes. */
const signedInLimits = {
  /** One frame from the client, in bytes. */
  frameBytes: count,
  /** The first frame, before anybody is authenticated, in bytes. */
  firstFrameBytes: count,
  /** Frames that one message may come in. */
  fragments: count,
  /** A message body, in UTF-16 code units after NFC. */
  bodyLength: count,
  /** Requests a second on one socket, sustained; `requestBurst` at once. */
  requestsPerSecond: count,
  requestBurst: count,
  /** The same of one user, over all of their sockets and HTTP together, on all nodes; `userRequestBurst` at once on each. */
  userRequestsPerSecond: count,
  userRequestBurst: count,
  /** Channels one socket may be subscribed to. */
  subscriptions: count,
  /** Posts, corrections and the like that wait for their answer. */
  inFlight: count,
  /** Calls of one user over HTTP that wait for their answer, on one node. */
  callsInFlight: count,
  /** Sockets of one user; one more closes the oldest with 4409. */
  socketsPerUser: count,
  /** The server pings this often, and closes a peer that is silent for twice as long. */
  heartbeatMs: ms,
  /** A socket on which the client has asked nothing for so long is closed with 4408. */
  idleMs: ms,
  /** After `before` of a renewal, the socket lives for so long. */
  renewGraceMs: ms,
  /** How often a node looks for what no hint told it of: with every one lost, what is committed still comes, a look later (P6). */
  pollMs: ms,
  /** Bytes that wait on a slow socket before it is put off and read on from the store. */
  bufferBytes: count,
  /** A socket that is put off for so long is closed with 4452. */
  laggingMs: ms,
  /** Who goes on beyond the limits, a user or an address, is not let in for so long (4429, `rate-limited`). */
  holdOffMs: ms,
}

/** Limits on whoever has not signed in, per address, where an IPv6 address counts as its /64, or in all. */
const preAuthLimits = {
  /** TCP connections of all addresses, signed in or not. */
  connections: count,
  /** TCP connections on which nobody has signed in: of one address, and of all. */
  unknownConnectionsPerAddress: count,
  unknownConnections: count,
  /** TCP connections that one address may open in a minute. */
  handshakesPerMinute: count,
  /** Time until a peer speaks, and again for its TLS handshake; for the head of a request, and for all of a request. */
  handshakeMs: ms,
  headersMs: ms,
  requestMs: ms,
  /** An HTTP connection on which an answer waits, and nothing has moved either way for so long, is cut off. */
  stallMs: ms,
  /** The head of an HTTP request, and its body, in bytes. */
  headBytes: count,
  requestBytes: count,
  /** Calls that one address may make in a minute; those of somebody who is signed in do not count. */
  callsPerMinute: count,
  /** Sockets that have not authenticated: of one address, and of all. */
  pendingSocketsPerAddress: count,
  pendingSockets: count,
  /** From connection to the first frame, at most. */
  authenticateMs: ms,
  /** Sockets that one address may ask for in a minute. A hospital's gateway is one address: its whole staff comes back at once. */
  connectionsPerMinute: count,
  /** Sign-ins of one address in a minute: each costs a password hash. */
  signInsPerMinute: count,
  refreshesPerMinute: count,
  /** Passwords that wait to be hashed; one more is refused as `unavailable`. */
  waitingSignIns: count,
  /** What is wrong, of one address in a minute (no HTTP, no token, no frame): beyond that it is held off for `holdOffMs`. */
  faultsPerMinute: count,
}

/** Every limit in force, as a server states them in `session.authenticated`: all of its version, and no other. */
export const limits = z.strictObject({ ...signedInLimits, ...preAuthLimits })

export type Limits = z.infer<typeof limits>
export type PreAuthLimits = Pick<Limits, keyof typeof preAuthLimits>
export type SignedInLimits = Pick<Limits, keyof typeof signedInLimits>

export const DEFAULT_LIMITS: SignedInLimits = {
  frameBytes: 64 * 1024,
  firstFrameBytes: 4 * 1024,
  fragments: 64,
  bodyLength: 8000,
  requestsPerSecond: 100,
  requestBurst: 300,
  userRequestsPerSecond: 200,
  userRequestBurst: 600,
  subscriptions: 500,
  inFlight: 128,
  callsInFlight: 64,
  socketsPerUser: 12,
  heartbeatMs: 15_000,
  idleMs: 30 * 60_000,
  renewGraceMs: 5_000,
  pollMs: 500,
  bufferBytes: 512 * 1024,
  laggingMs: 60_000,
  holdOffMs: 60_000,
}

export const DEFAULT_PRE_AUTH: PreAuthLimits = {
  connections: 50_000,
  unknownConnectionsPerAddress: 2_048,
  unknownConnections: 8_192,
  handshakesPerMinute: 6_000,
  handshakeMs: 10_000,
  headersMs: 10_000,
  requestMs: 30_000,
  stallMs: 60_000,
  headBytes: 16 * 1024,
  requestBytes: 64 * 1024,
  callsPerMinute: 12_000,
  pendingSocketsPerAddress: 128,
  pendingSockets: 2_048,
  authenticateMs: 5_000,
  connectionsPerMinute: 3_000,
  signInsPerMinute: 300,
  refreshesPerMinute: 3_000,
  waitingSignIns: 256,
  faultsPerMinute: 3_000,
}

const DEFAULTS: Limits = { ...DEFAULT_LIMITS, ...DEFAULT_PRE_AUTH }

/**
 * The same as a client reads them [P9]: what it does not know is left out, and what the server does not state is as it is by
 * default. So a page that is open over an upgrade of the server, or is newer than one of its nodes, comes live all the same.
 */
export const statedLimits = z.object(
  Object.fromEntries(
    Object.entries(limits.shape).map(([name, limit]) => [name, limit.default(DEFAULTS[name as keyof Limits])]),
  ) as { readonly [name in keyof Limits]: z.ZodDefault<z.ZodInt> },
)

/** The longest body that `message.post` takes whatever the configuration: what the schema itself refuses. */
export const MAX_BODY_LENGTH = 16_000
