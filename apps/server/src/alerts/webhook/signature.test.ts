import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isSigned, newWebhookSecret, signedHeaders } from './signature.ts'

describe('signatures of webhooks', () => {
  it('are those of Standard Webhooks: its own example', () => {
    // https://github.com/standard-webhooks/standard-webhooks, the libraries' common test vector.
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
    const payload = '{"test": 2432232314}'
    const headers = signedHeaders(secret, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, payload)
    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
  })

  it('hold for the message, its id and its time, and for no other', () => {
    const secret = newWebhookSecret()
    expect(Buffer.from(secret.slice(6), 'base64')).toHaveLength(32)
    const payload = '{"a":1}'
    const headers = signedHeaders(secret, 'id-1', 1_000, payload)
    expect(isSigned(secret, headers, payload, 1_100)).toBe(true)
    const forged = createHmac('sha256', 'another').update(`id-1.1000.${payload}`).digest('base64')
    const twisted = [
      [headers, '{"a":2}', 1_100, secret],
      [headers, payload, 1_400, secret],
      [headers, payload, 1_100, newWebhookSecret()],
      [{ ...headers, 'webhook-id': 'id-2' }, payload, 1_100, secret],
      [{ ...headers, 'webhook-timestamp': '1001' }, payload, 1_100, secret],
      [{ ...headers, 'webhook-signature': `v1,${forged}` }, payload, 1_100, secret],
      [{ ...headers, 'webhook-signature': '' }, payload, 1_100, secret],
      [{}, payload, 1_100, secret],
    ] as const
    for (const [given, said, now, key] of twisted) expect(isSigned(key, given, said, now)).toBe(false)
    // Old and new secret side by side, as receivers are told to accept.
    const both = { ...headers, 'webhook-signature': `v1,AAAA ${headers['webhook-signature']}` }
    expect(isSigned(secret, both, payload, 1_100)).toBe(true)
  })
})
