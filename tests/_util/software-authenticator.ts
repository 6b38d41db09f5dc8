import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import type { PasskeyAssertion, PasskeyAttestation, PasskeyCreation, PasskeyRequest } from '@wardline/protocol'

/** What a false authenticator, page or browser does otherwise. */
export type Twist = {
  readonly origin?: string
  readonly rpId?: string
  readonly challenge?: string
  readonly type?: string
  readonly crossOrigin?: boolean
  /** Instead of "present, verified". */
  readonly flags?: number
  readonly counter?: number
  readonly userHandle?: string | null
  /** The attestation statement's format, and what it holds. */
  readonly fmt?: string
  readonly statement?: readonly [string, Buffer][]
  /** Signed by another key. */
  readonly key?: KeyObject
}

type Algorithm = 'ES256' | 'EdDSA' | 'RS256'
export type Making = { readonly origin: string; readonly algorithm?: Algorithm; readonly counter?: number }

const PRESENT = 0x01
const VERIFIED = 0x04
const HOLDS_CREDENTIAL = 0x40

/**
 * An authenticator and its browser, written down once more from WebAuthn Level 2 and CBOR (RFC 8949), so that it is not the
 * server's own library that checks itself. Holds one passkey; a copy of it is `new SoftwareAuthenticator(other)`.
 */
export class SoftwareAuthenticator {
  readonly id: string
  readonly origin: string
  counter: number
  readonly #algorithm: Algorithm
  readonly #key: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
  userHandle: string | null = null

  constructor(made: Making | SoftwareAuthenticator) {
    this.origin = made.origin
    if (made instanceof SoftwareAuthenticator) {
      this.id = made.id
      this.counter = made.counter
      this.userHandle = made.userHandle
      this.#algorithm = made.#algorithm
      this.#key = made.#key
      return
    }
    this.id = randomBytes(16).toString('base64url')
    this.counter = made.counter ?? 0
    this.#algorithm = made.algorithm ?? 'ES256'
    this.#key = keyOf(this.#algorithm)
  }

  /** Makes the passkey: `navigator.credentials.create`. */
  create({ challenge, rpId, user }: PasskeyCreation, twist: Twist = {}): PasskeyAttestation {
    this.userHandle = user.id
    const id = Buffer.from(this.id, 'base64url')
    const flags = (twist.flags ?? PRESENT | VERIFIED) | HOLDS_CREDENTIAL
    const credential = Buffer.concat([Buffer.alloc(16), uint16(id.length), id, this.#cosePublicKey()])
    const authData = Buffer.concat([this.#head(rpId, flags, twist), credential])
    const attestationObject = cborMap([
      [cborText('fmt'), cborText(twist.fmt ?? 'none')],
      [cborText('attStmt'), cborMap((twist.statement ?? []).map(([name, value]) => [cborText(name), value]))],
      [cborText('authData'), cborBytes(authData)],
    ])
    return {
      id: this.id,
      clientDataJSON: this.#clientData('webauthn.create', challenge, twist).toString('base64url'),
      attestationObject: attestationObject.toString('base64url'),
      transports: ['internal', 'hybrid'],
    }
  }

  /** Answers by the passkey: `navigator.credentials.get`. */
  get({ challenge, rpId, credentials }: PasskeyRequest, twist: Twist = {}): PasskeyAssertion {
    if (this.counter > 0) this.counter += 1
    const authenticatorData = this.#head(rpId, twist.flags ?? PRESENT | VERIFIED, twist)
    const clientData = this.#clientData('webauthn.get', challenge, twist)
    const signed = Buffer.concat([authenticatorData, createHash('sha256').update(clientData).digest()])
    const key = twist.key ?? this.#key.privateKey
    return {
      id: this.id,
      clientDataJSON: clientData.toString('base64url'),
      authenticatorData: authenticatorData.toString('base64url'),
      signature: sign(this.#algorithm === 'EdDSA' ? null : 'sha256', signed, key).toString('base64url'),
      // A browser that was told which credential to ask for need not say whose it is.
      userHandle: twist.userHandle === undefined ? (credentials.length > 0 ? null : this.userHandle) : twist.userHandle,
    }
  }

  #head(rpId: string, flags: number, twist: Twist): Buffer {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(twist.counter ?? this.counter)
    const hash = createHash('sha256')
      .update(twist.rpId ?? rpId)
      .digest()
    return Buffer.concat([hash, Buffer.from([flags]), counter])
  }

  #clientData(type: string, challenge: string, twist: Twist): Buffer {
    const said = {
      type: twist.type ?? type,
      challenge: twist.challenge ?? challenge,
      origin: twist.origin ?? this.origin,
      crossOrigin: twist.crossOrigin ?? false,
    }
    return Buffer.from(JSON.stringify(said))
  }

  /** COSE_Key (RFC 9052 §7, RFC 9053): labels and values are small integers and byte strings. */
  #cosePublicKey(): Buffer {
    const { x = '', y = '', n = '', e = '' } = this.#key.publicKey.export({ format: 'jwk' })
    const bytes = (text: string) => cborBytes(Buffer.from(text, 'base64url'))
    const members: Record<Algorithm, [number, Buffer][]> = {
      ES256: [
        [1, cborInt(2)],
        [3, cborInt(-7)],
        [-1, cborInt(1)],
        [-2, bytes(x)],
        [-3, bytes(y)],
      ],
      EdDSA: [
        [1, cborInt(1)],
        [3, cborInt(-8)],
        [-1, cborInt(6)],
        [-2, bytes(x)],
      ],
      RS256: [
        [1, cborInt(3)],
        [3, cborInt(-257)],
        [-1, bytes(n)],
        [-2, bytes(e)],
      ],
    }
    return cborMap(members[this.#algorithm].map(([label, value]) => [cborInt(label), value]))
  }
}

function keyOf(algorithm: Algorithm) {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519')
  if (algorithm === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2048 })
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}

/** RFC 8949 §3: the major type in three bits, the number in the five that follow or the bytes after them. */
function cborHead(major: number, value: number): Buffer {
  if (value < 24) return Buffer.from([(major << 5) | value])
  if (value < 256) return Buffer.from([(major << 5) | 24, value])
  return Buffer.concat([Buffer.from([(major << 5) | 25]), uint16(value)])
}

function cborInt(value: number): Buffer {
  return value < 0 ? cborHead(1, -1 - value) : cborHead(0, value)
}

export function cborBytes(bytes: Buffer): Buffer {
  return Buffer.concat([cborHead(2, bytes.length), bytes])
}

function cborText(text: string): Buffer {
  return Buffer.concat([cborHead(3, Buffer.byteLength(text)), Buffer.from(text)])
}

export function cborArray(items: readonly Buffer[]): Buffer {
  return Buffer.concat([cborHead(4, items.length), ...items])
}

function cborMap(members: readonly (readonly [Buffer, Buffer])[]): Buffer {
  return Buffer.concat([cborHead(5, members.length), ...members.flat()])
}
