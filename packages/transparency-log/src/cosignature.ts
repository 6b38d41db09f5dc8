import { joinBytes } from './bytes.ts'

/** Cosignatures v1 on Ed25519 (C2SP tlog-cosignature): "as of this time, this is the largest tree I saw of this log". */

const SIGNATURE_BYTES = 64
const encoder = new TextEncoder()

/** What a cosigner signs: two header lines, then the whole text of the checkpoint. `at`: seconds since the epoch. */
export function cosignatureMessage(text: string, at: number): Uint8Array<ArrayBuffer> {
  return encoder.encode(`cosignature/v1\ntime ${at}\n${text}`)
}

/** The `timestamped_signature` structure: big-endian u64 timestamp, then the signature. Throws RangeError on a bad time. */
export function joinTimestamp(at: number, signature: Uint8Array): Uint8Array<ArrayBuffer> {
  if (!Number.isSafeInteger(at) || at < 0) throw new RangeError('a timestamp is in whole seconds since the epoch')
  const timestamp = new Uint8Array(8)
  new DataView(timestamp.buffer).setBigUint64(0, BigInt(at))
  return joinBytes(timestamp, signature)
}

/** A `timestamped_signature` taken apart; `undefined` where it has another length or a time beyond 2^53 seconds. */
export function splitTimestamp(blob: Uint8Array): { at: number; signature: Uint8Array } | undefined {
  if (blob.length !== 8 + SIGNATURE_BYTES) return undefined
  const at = Number(new DataView(blob.buffer, blob.byteOffset).getBigUint64(0))
  return Number.isSafeInteger(at) ? { at, signature: blob.subarray(8) } : undefined
}
