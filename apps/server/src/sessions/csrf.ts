import { createHmac, timingSafeEqual } from 'node:crypto'

/**
 * CSRF tokens: an HMAC over tenant and session by a key of the installation, so nothing is stored and every node can
 * check one. A page keeps it in `localStorage`: it is worth nothing without the cookie, which no script can read, and the
 * cookie nothing without it and without the device's key.
 */
export type CsrfTokens = {
  tokenFor(tenant: string, session: string): string
  /** In constant time. */
  matches(token: string | undefined, tenant: string, session: string): boolean
}

/** @param key 32 bytes derived from the root key for this alone */
export function createCsrfTokens(key: Uint8Array): CsrfTokens {
  const digest = (tenant: string, session: string) => createHmac('sha256', key).update(`${tenant}|${session}`).digest()
  return {
    tokenFor: (tenant, session) => digest(tenant, session).toString('base64url'),
    matches(token, tenant, session) {
      const expected = digest(tenant, session)
      const given = Buffer.from(token ?? '', 'base64url')
      return given.length === expected.length && timingSafeEqual(given, expected)
    },
  }
}
