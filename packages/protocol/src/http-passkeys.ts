import { z } from 'zod'

/**
 * Passkeys: WebAuthn (W3C Level 2) without what has but one value here. Bytes are base64url without padding. Attestation is
 * not asked for, and user verification always is.
 */
const bytes = (min: number, max: number) =>
  z
    .string()
    .min(Math.ceil((min * 4) / 3))
    .max(Math.ceil((max * 4) / 3))
    .regex(/^[A-Za-z0-9_-]+$/)

/** A credential's id: 1–1,023 bytes (WebAuthn §4). */
const credentialId = bytes(1, 1023)
/** `CollectedClientData` as the browser wrote it: short, with the URL of the page in it. */
const clientDataJSON = bytes(32, 2048)

/** How an authenticator is reached; words that are not of this list are left out by the client. */
export const passkeyTransport = z.enum(['usb', 'nfc', 'ble', 'smart-card', 'hybrid', 'internal'])
export type PasskeyTransport = z.infer<typeof passkeyTransport>

const descriptor = z.strictObject({ id: credentialId, transports: z.array(passkeyTransport) })

/**
 * What to ask an authenticator for (`PublicKeyCredentialRequestOptions`). `challenge` is good once, at the device whose proof
 * asked for it, for `timeoutMs`. `credentials` empty: whichever the person picks says whose it is.
 */
export const passkeyRequest = z.strictObject({
  challenge: z.string(),
  rpId: z.string(),
  timeoutMs: z.int().min(1),
  credentials: z.array(descriptor),
})
export type PasskeyRequest = z.infer<typeof passkeyRequest>

/** What to make a credential of (`PublicKeyCredentialCreationOptions`): `POST /me/factors/passkeys`. */
export const passkeyCreation = z.strictObject({
  challenge: z.string(),
  rpId: z.string(),
  timeoutMs: z.int().min(1),
  /** `id`: the user handle, opaque. `name`: what the browser shows when it asks which of them to use. */
  user: z.strictObject({ id: z.string(), name: z.string(), displayName: z.string() }),
  /** COSE: ES256, EdDSA, RS256. */
  algorithms: z.array(z.int()),
  /** Those that the person has: an authenticator that holds one of them makes no other. */
  exclude: z.array(descriptor),
})
export type PasskeyCreation = z.infer<typeof passkeyCreation>

/** What an authenticator answers with at sign-in. `userHandle` null: it was told which credential to use. */
export const passkeyAssertion = z.strictObject({
  id: credentialId,
  clientDataJSON,
  /** 37 bytes, and extensions that nobody asked for. */
  authenticatorData: bytes(37, 1024),
  signature: bytes(1, 1024),
  userHandle: bytes(1, 64).nullable(),
})
export type PasskeyAssertion = z.infer<typeof passkeyAssertion>

/** A new credential, as the authenticator made it. */
export const passkeyAttestation = z.strictObject({
  id: credentialId,
  clientDataJSON,
  attestationObject: bytes(37, 16_384),
  transports: z.array(passkeyTransport).max(6),
})
export type PasskeyAttestation = z.infer<typeof passkeyAttestation>

/** `POST /me/factors/passkeys/confirm` */
export const confirmPasskey = z.strictObject({ passkey: passkeyAttestation })

/** `POST /auth/passkey`: a sign-in without a password. */
export const passkeyLogin = z.strictObject({ passkey: passkeyAssertion })
export type PasskeyLogin = z.infer<typeof passkeyLogin>
