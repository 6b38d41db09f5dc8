import { decodeBase64, encodeBase64 } from './base64.ts'
import { joinBytes } from './bytes.ts'
import { isKeyName } from './note.ts'

/** The text form of note keys: vkeys (C2SP signed-note, "Verifier keys") and skeys (golang.org/x/mod/sumdb/note). */

/** Signature types of C2SP signed-note that this package knows, both on Ed25519. */
export const NOTE_SIGNATURE = 0x01
export const COSIGNATURE = 0x04
export type SignatureType = typeof NOTE_SIGNATURE | typeof COSIGNATURE

/** A key as its text has it; the key id is still to be checked against {@link keyIdInput}. */
export type KeyText = {
  readonly name: string
  readonly keyId: number
  readonly type: SignatureType
  /** 32 bytes: the public key (RFC 8032) of a vkey, the seed of an skey. */
  readonly material: Uint8Array<ArrayBuffer>
}

const KEY_BYTES = 32
const PRIVATE = 'PRIVATE+KEY+'
const encoder = new TextEncoder()

/** What the key id is the first four bytes of the SHA-256 of: key name, newline, signature type, public key. */
export function keyIdInput(name: string, type: SignatureType, publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  return joinBytes(encoder.encode(`${name}\n`), Uint8Array.of(type), publicKey)
}

/** `<name>+<key id, 8 hex digits>+<base64(type || public key)>` */
export function formatVerifierKey({ name, keyId, type, material }: KeyText): string {
  if (!isKeyName(name) || material.length !== KEY_BYTES) throw new RangeError('not a key')
  return `${name}+${keyId.toString(16).padStart(8, '0')}+${encodeBase64(joinBytes(Uint8Array.of(type), material))}`
}

/** `PRIVATE+KEY+<name>+<key id>+<base64(type || seed)>`. A secret. */
export function formatSignerKey(key: KeyText): string {
  return PRIVATE + formatVerifierKey(key)
}

/** A vkey taken apart; `undefined` where it is malformed or of a type other than Ed25519 signature or cosignature. */
export function parseVerifierKeyText(vkey: string): KeyText | undefined {
  const [name = '', id = '', ...rest] = vkey.split('+')
  const blob = decodeBase64(rest.join('+'))
  const type = blob?.[0]
  if (!isKeyName(name) || !/^[0-9a-f]{8}$/.test(id) || blob?.length !== 1 + KEY_BYTES) return undefined
  if (type !== NOTE_SIGNATURE && type !== COSIGNATURE) return undefined
  return { name, keyId: Number.parseInt(id, 16), type, material: blob.slice(1) }
}

/** An skey taken apart; `undefined` where it is malformed. */
export function parseSignerKeyText(skey: string): KeyText | undefined {
  return skey.startsWith(PRIVATE) ? parseVerifierKeyText(skey.slice(PRIVATE.length)) : undefined
}
