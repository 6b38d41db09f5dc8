/**
 * Arrays in PostgreSQL's binary form, for the statements that carry hundreds of rows: `pg` would write them as text with
 * every byte of a body as two hex digits and every quote escaped, and the server would read that back. A Buffer it sends
 * as it is. (array_recv and the types' own recv functions in PostgreSQL's src/backend/utils/adt.)
 */
const HEADER_BYTES = 20
const NULL_LENGTH = -1

const OID = { bytea: 17, int8: 20, text: 25, timestamptz: 1184, uuid: 2950, jsonb: 3802 } as const

type Width<T> = (value: T) => number
type Write<T> = (value: T, into: Buffer, at: number) => void

function encode<T>(oid: number, values: readonly (T | null)[], width: Width<T>, write: Write<T>): Buffer {
  let size = HEADER_BYTES
  let hasNull = 0
  for (const value of values) {
    size += 4
    if (value === null) hasNull = 1
    else size += width(value)
  }
  const bytes = Buffer.allocUnsafe(size)
  bytes.writeInt32BE(1, 0)
  bytes.writeInt32BE(hasNull, 4)
  bytes.writeInt32BE(oid, 8)
  bytes.writeInt32BE(values.length, 12)
  bytes.writeInt32BE(1, 16)
  let at = HEADER_BYTES
  for (const value of values) {
    const length = value === null ? NULL_LENGTH : width(value)
    bytes.writeInt32BE(length, at)
    at += 4
    if (value === null) continue
    write(value, bytes, at)
    at += length
  }
  return bytes
}

export function uuidArray(values: readonly (string | null)[]): Buffer {
  return encode(OID.uuid, values, uuidWidth, writeUuid)
}

export function byteaArray(values: readonly (Uint8Array | null)[]): Buffer {
  return encode(
    OID.bytea,
    values,
    (value) => value.length,
    (value, into, at) => into.set(value, at),
  )
}

export function textArray(values: readonly (string | null)[]): Buffer {
  return encode(OID.text, values, Buffer.byteLength, (value, into, at) => into.write(value, at))
}

/** @param values safe integers */
export function int8Array(values: readonly (number | null)[]): Buffer {
  return encode(
    OID.int8,
    values,
    () => 8,
    (value, into, at) => into.writeBigInt64BE(BigInt(value), at),
  )
}

/** @param values JSON texts */
export function jsonbArray(values: readonly (string | null)[]): Buffer {
  return encode(
    OID.jsonb,
    values,
    (value) => 1 + Buffer.byteLength(value),
    (value, into, at) => {
      // The version of the format.
      into[at] = 1
      into.write(value, at + 1)
    },
  )
}

/** @param values epoch milliseconds */
export function timestamptzArray(values: readonly (number | null)[]): Buffer {
  return encode(
    OID.timestamptz,
    values,
    () => 8,
    (value, into, at) => into.writeBigInt64BE((BigInt(value) - EPOCH_2000_MS) * 1000n, at),
  )
}

/** PostgreSQL counts microseconds from 2000-01-01. */
const EPOCH_2000_MS = BigInt(Date.UTC(2000, 0, 1))

/** Text of another length than an id's would be written wrongly in silence. */
function uuidWidth(value: string): number {
  if (value.length !== 36) throw new TypeError('not a UUID')
  return 16
}

function writeUuid(value: string, into: Buffer, at: number): void {
  if (into.write(value.replaceAll('-', ''), at, 'hex') !== 16) throw new TypeError('not a UUID')
}
