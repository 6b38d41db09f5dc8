import { createHash, randomBytes } from 'node:crypto'

/**
 * What the refresh cookie holds: the tenant, which says behind whose wall to look, and a secret of 256 bits. The database
 * knows its SHA-256 alone: with that much randomness there is nothing to guess.
 */
export type RefreshToken = {
  readonly tenant: string
  readonly digest: Uint8Array<ArrayBuffer>
}

const FORM = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([A-Za-z0-9_-]{43})$/

/** A new token of `tenant`: `text` for the cookie, `digest` for the database. */
export function newRefreshToken(tenant: string): RefreshToken & { readonly text: string } {
  const secret = randomBytes(32).toString('base64url')
  return { tenant, digest: digestOf(secret), text: `${tenant}.${secret}` }
}

/** Reads a cookie's value; null when it has never been one of ours. */
export function readRefreshToken(text: string | undefined): RefreshToken | null {
  const [, tenant, secret] = FORM.exec(text ?? '') ?? []
  return tenant === undefined || secret === undefined ? null : { tenant, digest: digestOf(secret) }
}

function digestOf(secret: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(secret).digest())
}
