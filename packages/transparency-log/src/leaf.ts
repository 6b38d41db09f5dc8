import { canonicalBytes, canonicalJson } from './canonical-json.ts'

/**
 * What a leaf of an audit log is: canonical JSON (RFC 8785) in one of four shapes, each numbered by its writer from 1
 * without a gap. The sequencer is a writer like the others, of heartbeats, voids and handovers.
 *
 *     {"event":{…},"seq":7,"writer":"…"}
 *     {"handover":{"at":…,"from":"…","signatures":["…","…"],"to":"…"},"seq":10,"writer":"…"}
 *     {"heartbeat":{"at":1767225600000},"seq":8,"writer":"…"}
 *     {"seq":9,"void":{"at":…,"first":3,"last":4,"reason":"…","signature":"…","signer":"…","writer":"…"},"writer":"…"}
 */
export type Leaf =
  | { readonly kind: 'event'; readonly event: unknown; readonly seq: number; readonly writer: string }
  | { readonly kind: 'handover'; readonly handover: SignedHandover; readonly seq: number; readonly writer: string }
  | { readonly kind: 'heartbeat'; readonly at: number; readonly seq: number; readonly writer: string }
  | { readonly kind: 'void'; readonly void: SignedVoid; readonly seq: number; readonly writer: string }

/** Why numbers of a writer never came: its transaction is known not to have committed, or the rows are gone. */
export type VoidReason = 'not-committed' | 'lost'

/** A statement, to be signed, that the numbers `first` … `last` of `writer` are accounted for and will not come. */
export type VoidStatement = {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly first: number
  readonly last: number
  readonly reason: VoidReason
  readonly writer: string
}

export type SignedVoid = VoidStatement & {
  /** Name of the key that signed. */
  readonly signer: string
  /** Base 64 of key id and signature, as in a signature line of a note. */
  readonly signature: string
}

/** The log's key changes from the vkey `from` to the vkey `to`; both signed that, in this order (base 64 as in a void). */
export type SignedHandover = {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly from: string
  readonly to: string
  readonly signatures: readonly [string, string]
}

const WRITER = /^[A-Za-z0-9._:-]{1,64}$/
const REASONS: readonly unknown[] = ['not-committed', 'lost'] satisfies VoidReason[]
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const EVENT_START = encoder.encode('{"event":')

/** An event's canonical bytes, as the outbox holds them (they are not looked at again), and which number of its writer it is. */
export type NumberedEvent = { readonly event: Uint8Array; readonly seq: number; readonly writer: string }

/** The leaf of an event. Throws RangeError on a sequence below 1 or a writer that is not 1 to 64 of `A-Z a-z 0-9 . _ : -`. */
export function eventLeaf(event: Uint8Array, seq: number, writer: string): Uint8Array<ArrayBuffer> {
  return eventLeaves([{ event, seq, writer }])[0] as Uint8Array<ArrayBuffer>
}

/** The leaf of each of many events, as parts of one array: a memory of its own for each costs more than all else about it. */
export function eventLeaves(events: readonly NumberedEvent[]): Uint8Array<ArrayBuffer>[] {
  const ends = events.map(({ seq, writer }) => {
    assertNumbered(seq, writer)
    return `,"seq":${seq},"writer":"${writer}"}`
  })
  const sizes = events.map(({ event }, i) => EVENT_START.length + event.length + (ends[i]?.length ?? 0))
  const all = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0))
  let from = 0
  return events.map(({ event }, i) => {
    const to = from + (sizes[i] ?? 0)
    const leaf = all.subarray(from, to)
    leaf.set(EVENT_START)
    leaf.set(event, EVENT_START.length)
    encoder.encodeInto(ends[i] ?? '', leaf.subarray(EVENT_START.length + event.length))
    from = to
    return leaf
  })
}

/** The leaf that says the sequencer was alive at `at` (milliseconds since the epoch). */
export function heartbeatLeaf(at: number, seq: number, writer: string): Uint8Array {
  assertNumbered(seq, writer)
  return canonicalBytes({ heartbeat: { at }, seq, writer })
}

/** The leaf of a change of the log's key. */
export function handoverLeaf(handover: SignedHandover, seq: number, writer: string): Uint8Array {
  assertNumbered(seq, writer)
  return canonicalBytes({ handover: { ...handover, signatures: [...handover.signatures] }, seq, writer })
}

/** The leaf of a signed void. */
export function voidLeaf(statement: SignedVoid, seq: number, writer: string): Uint8Array {
  assertNumbered(seq, writer)
  return canonicalBytes({ seq, void: statement, writer })
}

/** A leaf out of its bytes; `undefined` unless they are canonical JSON of exactly one of the shapes. */
export function parseLeaf(bytes: Uint8Array): Leaf | undefined {
  const value = parseCanonical(bytes)
  if (!isObject(value)) return undefined
  const { seq, writer } = value
  if (!isCount(seq) || typeof writer !== 'string' || !WRITER.test(writer) || Object.keys(value).length !== 3)
    return undefined
  if ('event' in value) return isObject(value.event) ? { kind: 'event', event: value.event, seq, writer } : undefined
  if ('heartbeat' in value) {
    const { heartbeat } = value
    return isObject(heartbeat) && hasOnly(heartbeat, ['at']) && isTime(heartbeat.at)
      ? { kind: 'heartbeat', at: heartbeat.at, seq, writer }
      : undefined
  }
  if ('handover' in value) {
    return isSignedHandover(value.handover) ? { kind: 'handover', handover: value.handover, seq, writer } : undefined
  }
  return isSignedVoid(value.void) ? { kind: 'void', void: value.void, seq, writer } : undefined
}

function isSignedHandover(value: unknown): value is SignedHandover {
  return (
    isObject(value) &&
    hasOnly(value, ['at', 'from', 'signatures', 'to']) &&
    isTime(value.at) &&
    typeof value.from === 'string' &&
    typeof value.to === 'string' &&
    Array.isArray(value.signatures) &&
    value.signatures.length === 2 &&
    value.signatures.every((signature) => typeof signature === 'string')
  )
}

function isSignedVoid(value: unknown): value is SignedVoid {
  return (
    isObject(value) &&
    hasOnly(value, ['at', 'first', 'last', 'reason', 'signature', 'signer', 'writer']) &&
    isTime(value.at) &&
    isCount(value.first) &&
    isCount(value.last) &&
    value.first <= value.last &&
    REASONS.includes(value.reason) &&
    typeof value.signature === 'string' &&
    typeof value.signer === 'string' &&
    typeof value.writer === 'string' &&
    WRITER.test(value.writer)
  )
}

/** JSON whose one canonical spelling these bytes are: so no two readers can read them differently. */
function parseCanonical(bytes: Uint8Array): unknown {
  try {
    const text = decoder.decode(bytes)
    const value: unknown = JSON.parse(text)
    return canonicalJson(value) === text ? value : undefined
  } catch {
    return undefined
  }
}

function assertNumbered(seq: number, writer: string): void {
  if (!isCount(seq) || !WRITER.test(writer))
    throw new RangeError('a leaf has a sequence from 1 on and the name of a writer')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function hasOnly(value: Record<string, unknown>, names: readonly string[]): boolean {
  return Object.keys(value).length === names.length && names.every((name) => Object.hasOwn(value, name))
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
