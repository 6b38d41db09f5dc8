import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { cosignatureMessage, joinTimestamp, splitTimestamp } from './cosignature.ts'
import {
  COSIGNATURE,
  formatSignerKey,
  formatVerifierKey,
  keyIdInput,
  NOTE_SIGNATURE,
  parseSignerKeyText,
  parseVerifierKeyText,
  type SignatureType,
} from './key-text.ts'
import { sha256 } from './merkle-hash.ts'
import { isKeyName } from './note.ts'

/** Keys that sign and verify notes with Ed25519 (C2SP signed-note type 0x01, tlog-cosignature type 0x04), on Node. */

/** Checks signatures of one key. `keyId` and `name` together say which signature lines are its. */
export type NoteVerifier = {
  readonly name: string
  readonly keyId: number
  readonly type: SignatureType
  /** The key as text, to be handed to others. */
  readonly vkey: string
  /** Whether `signature` (of a cosigner: with its timestamp) is this key's over the note text. Never throws. */
  verify(text: string, signature: Uint8Array): boolean
}

/** Signs note texts with one key. `at` is in whole seconds since the epoch, and matters to cosigners only. */
export type NoteSigner = {
  readonly verifier: NoteVerifier
  sign(text: string, at: number): Uint8Array
}

// The fixed beginnings of an Ed25519 private key in PKCS #8 and a public one in SPKI (RFC 8410 §7, §4).
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')

/** The verifier of a vkey. Throws RangeError where it is malformed, of another type, or its key id is not its key's. */
export function parseVerifierKey(vkey: string): NoteVerifier {
  const key = parseVerifierKeyText(vkey)
  if (key === undefined) throw new RangeError('not a verifier key of type Ed25519')
  const verifier = verifierOf(key.name, key.type, key.material)
  if (verifier.keyId !== key.keyId) throw new RangeError('the key id does not belong to the key')
  return verifier
}

/** The signer of an skey. Throws RangeError as {@link parseVerifierKey} does. */
export function parseSignerKey(skey: string): NoteSigner {
  const key = parseSignerKeyText(skey)
  if (key === undefined) throw new RangeError('not a signer key of type Ed25519')
  const signer = signerOf(key.name, key.type, key.material)
  if (signer.verifier.keyId !== key.keyId) throw new RangeError('the key id does not belong to the key')
  return signer
}

/** A new key pair named `name`: for a log (its origin) by default, for a witness with type {@link COSIGNATURE}. */
export function generateNoteKey(name: string, type: SignatureType = NOTE_SIGNATURE): { skey: string; vkey: string } {
  const pair = generateKeyPairSync('ed25519')
  const seed = pair.privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(PKCS8.length)
  const { verifier } = signerOf(name, type, seed)
  const material = Uint8Array.from(seed)
  return { skey: formatSignerKey({ name, keyId: verifier.keyId, type, material }), vkey: verifier.vkey }
}

/** A verifier from a name and the 32 bytes of an Ed25519 public key (RFC 8032). Throws RangeError on bad ones. */
export function verifierOf(name: string, type: SignatureType, publicKey: Uint8Array): NoteVerifier {
  if (!isKeyName(name) || publicKey.length !== 32) throw new RangeError('not a key')
  const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' })
  const keyId = Buffer.from(sha256(keyIdInput(name, type, publicKey))).readUInt32BE(0)
  return {
    name,
    keyId,
    type,
    vkey: formatVerifierKey({ name, keyId, type, material: Uint8Array.from(publicKey) }),
    verify: (text, signature) =>
      type === COSIGNATURE ? verifyCosignature(key, text, signature) : verifyBytes(key, Buffer.from(text), signature),
  }
}

function signerOf(name: string, type: SignatureType, seed: Uint8Array): NoteSigner {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI.length)
  return {
    verifier: verifierOf(name, type, publicKey),
    sign: (text, at) =>
      type === COSIGNATURE
        ? joinTimestamp(at, sign(null, cosignatureMessage(text, at), key))
        : Uint8Array.from(sign(null, Buffer.from(text), key)),
  }
}

function verifyCosignature(key: KeyObject, text: string, blob: Uint8Array): boolean {
  const parts = splitTimestamp(blob)
  return parts !== undefined && verifyBytes(key, cosignatureMessage(text, parts.at), parts.signature)
}

function verifyBytes(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === 64 && verify(null, message, key, signature)
}
