import { Secret, TOTP } from 'otpauth'

/** RFC 6238 §4: what every authenticator app takes without being told. */
const PERIOD_SECONDS = 30
const DIGITS = 6
const ALGORITHM = 'SHA1'
/** RFC 4226 §4 asks for 128 bits and recommends 160. */
const SECRET_BYTES = 20
/** A code of the step before and of the step after is taken too: a clock of a phone is never quite right (RFC 6238 §5.2). */
const WINDOW = 1

/** A new secret, in base32. */
export function newTotpSecret(): string {
  return new Secret({ size: SECRET_BYTES }).base32
}

/** What an app scans. @param account what it shows beside the code: the user's name at their organisation */
export function totpUri(secret: string, account: string): string {
  return totpOf(secret, account).toString()
}

/** The step (number of periods since 1970) whose code this is, or null when it is of none of those that count now. */
export function totpStep(secret: string, code: string, nowMs: number): number | null {
  const delta = totpOf(secret, '').validate({ token: code, timestamp: nowMs, window: WINDOW })
  return delta === null ? null : Math.floor(nowMs / 1000 / PERIOD_SECONDS) + delta
}

function totpOf(secret: string, label: string): TOTP {
  return new TOTP({
    issuer: 'Wardline',
    label,
    secret: Secret.fromBase32(secret),
    algorithm: ALGORITHM,
    digits: DIGITS,
    period: PERIOD_SECONDS,
  })
}
