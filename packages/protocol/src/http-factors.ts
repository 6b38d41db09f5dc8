import { z } from 'zod'
import { passkeyAssertion } from './http-passkeys.ts'
import { timestamp, uuid } from './ids.ts'

/** A password as typed: 1–1,024 UTF-16 code units; longer is refused before it is hashed. */
export const password = z.string().min(1).max(1024)

/** A password that is newly set: at least 8 (NIST SP 800-63B §3.1.1.2, ASVS 6.2.1). */
export const newPassword = password.min(8)

export const factorMethod = z.enum(['totp', 'passkey', 'recovery-code'])
export type FactorMethod = z.infer<typeof factorMethod>

/** Six digits of an authenticator app (RFC 6238). */
export const totpCode = z.string().regex(/^[0-9]{6}$/)

/** As it was shown, however it is spelt: hyphens, spaces and capitals make no difference. */
export const recoveryCode = z.string().min(16).max(40)

const challenge = z.string().max(200)

/** `challenge`: of the answer to `POST /auth/login`, good for `expiresIn` seconds, at that device alone. */
export const secondFactorRequest = z.union([
  z.strictObject({ challenge, totp: totpCode }),
  z.strictObject({ challenge, recoveryCode }),
  z.strictObject({ challenge, passkey: passkeyAssertion }),
])
export type SecondFactorRequest = z.infer<typeof secondFactorRequest>

/** `POST /auth/step-up`: the password; of who has a second factor, a code, a recovery code or a passkey. */
export const stepUpRequest = z.union([
  z.strictObject({ password }),
  z.strictObject({ totp: totpCode }),
  z.strictObject({ recoveryCode }),
  z.strictObject({ passkey: passkeyAssertion }),
])
export type StepUpRequest = z.infer<typeof stepUpRequest>

const heldTotp = z.strictObject({
  id: uuid,
  kind: z.literal('totp'),
  createdAt: timestamp,
  lastUsedAt: timestamp.nullable(),
})
const heldPasskey = z.strictObject({
  id: uuid,
  kind: z.literal('passkey'),
  createdAt: timestamp,
  lastUsedAt: timestamp.nullable(),
  /** Kept by a password manager or an account, on several devices; else on the one authenticator alone. */
  synced: z.boolean(),
})

/** `GET /me/factors` */
export const factors = z.strictObject({
  items: z.array(z.discriminatedUnion('kind', [heldTotp, heldPasskey])),
  /** Recovery codes that are not used yet. */
  recoveryCodes: z.int().min(0),
})
export type Factors = z.infer<typeof factors>

/** What an authenticator app needs; shown once, good for nothing until a code of it was confirmed. */
export const totpEnrolment = z.strictObject({
  id: uuid,
  /** Base32 (RFC 4648), without padding. */
  secret: z.string(),
  /** `otpauth://totp/…`, as apps and their cameras take it. */
  uri: z.string(),
})
export type TotpEnrolment = z.infer<typeof totpEnrolment>

export const confirmTotp = z.strictObject({ code: totpCode })

/** Shown once: each is good for one sign-in. Empty where those that the person has stay in force. */
export const recoveryCodes = z.strictObject({ recoveryCodes: z.array(z.string()) })
