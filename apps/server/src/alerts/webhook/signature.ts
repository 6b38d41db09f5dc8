import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** Standard Webhooks (standardwebhooks.com): a secret is `whsec_` and 24 to 64 bytes in base64. */
const PREFIX = 'whsec_'
const SECRET_BYTES = 32

export function newWebhookSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64')
}

/** The headers that a message bears. @param at seconds since the epoch: of this attempt, so that an old one can be told */
export function signedHeaders(secret: string, id: string, at: number, payload: string): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(at),
    'webhook-signature': `v1,${signatureOf(secret, id, String(at), payload).toString('base64')}`,
  }
}

/** What a receiver does: whether one of the signatures is ours, and the time is within `toleranceSeconds` of `now` (seconds). */
export function isSigned(
  secret: string,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  payload: string,
  now: number,
  toleranceSeconds = 300,
): boolean {
  const of = (name: string) => (typeof headers[name] === 'string' ? headers[name] : '')
  const at = of('webhook-timestamp')
  if (!/^\d{1,12}$/.test(at) || Math.abs(now - Number(at)) > toleranceSeconds) return false
  const wanted = signatureOf(secret, of('webhook-id'), at, payload)
  return of('webhook-signature')
    .split(' ')
    .some((each) => {
      const given = Buffer.from(each.replace(/^v1,/, ''), 'base64')
      return each.startsWith('v1,') && given.length === wanted.length && timingSafeEqual(given, wanted)
    })
}

function signatureOf(secret: string, id: string, at: string, payload: string): Buffer {
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64')
  return createHmac('sha256', key).update(`${id}.${at}.${payload}`).digest()
}
