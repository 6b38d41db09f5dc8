import { z } from 'zod'

const count = z.int().min(1)
const ms = z.int().min(1)

/** Every limit in force on a socket, as `session.authenticated` states them. Times in milliseconds, sizes in bytes. */
export const limits = z.strictObject({
  /** One frame from the client, in bytes. */
  frameBytes: count,
  /** The first frame, before anybody is authenticated, in bytes. */
  firstFrameBytes: count,
  /** A message body, in UTF-16 code units after NFC. */
  bodyLength: count,
  /** Requests a second on one socket, sustained; `requestBurst` at once. */
  requestsPerSecond: count,
  requestBurst: count,
  /** Channels one socket may be subscribed to. */
  subscriptions: count,
  /** Posts, corrections and the like that wait for their answer. */
  inFlight: count,
  /** Sockets of one user; one more closes the oldest with 4409. */
  socketsPerUser: count,
  /** The server pings this often, and closes a peer that is silent for twice as long. */
  heartbeatMs: ms,
  /** A socket on which the client has asked nothing for so long is closed with 4408. */
  idleMs: ms,
  /** After `before` of a renewal, the socket lives for so long. */
  renewGraceMs: ms,
  /** Even with every hint lost, what is committed reaches a subscriber within this (P6). */
  pollMs: ms,
  /** Bytes that wait on a slow socket before it is put off and read on from the store. */
  bufferBytes: count,
  /** A socket that is put off for so long is closed with 4452. */
  laggingMs: ms,
})

export type Limits = z.infer<typeof limits>

export const DEFAULT_LIMITS: Limits = {
  frameBytes: 64 * 1024,
  firstFrameBytes: 4 * 1024,
  bodyLength: 8000,
  requestsPerSecond: 100,
  requestBurst: 300,
  subscriptions: 500,
  inFlight: 128,
  socketsPerUser: 12,
  heartbeatMs: 15_000,
  idleMs: 30 * 60_000,
  renewGraceMs: 5_000,
  pollMs: 1_000,
  bufferBytes: 512 * 1024,
  laggingMs: 60_000,
}

/** The longest body that `message.post` takes whatever the configuration: what the schema itself refuses. */
export const MAX_BODY_LENGTH = 16_000

/** From connection to the first frame, at most. */
export const AUTHENTICATE_DEADLINE_MS = 5_000
