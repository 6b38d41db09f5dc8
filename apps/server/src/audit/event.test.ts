import { randomBytes, randomUUID } from 'node:crypto'
import type { Action, DecisionReason } from '@wardline/policy'
import { asPhi } from '@wardline/protocol'
import { canonicalBytes } from '@wardline/transparency-log'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type AuditFact,
  AuditValueError,
  auditAddress,
  auditEventSchema,
  auditFactSchema,
  auditId,
  auditOrigin,
  auditRole,
  auditSecretId,
  auditTime,
  decodeAuditEvent,
  encodeAuditEvent,
} from './event.ts'
import { type AuditAction, type AuditReason, auditActions, auditOutcomes, auditReasons } from './vocabulary.ts'

const TENANT = auditId('0b7c2a52-6a53-4a37-9d6d-1a2f3b4c5d6e')
const AT = Date.UTC(2026, 10, 22, 3, 4, 5, 678)
const CANARY = 'DOE, Jane MRN 123456'

const id = fc.uuid().map(auditId)
const secret = fc
  .uint8Array({ minLength: 24, maxLength: 32 })
  .map((b) => auditSecretId(Buffer.from(b).toString('base64url')))

const anyFact: fc.Arbitrary<AuditFact> = fc.record(
  {
    action: fc.constantFrom(...auditActions),
    outcome: fc.constantFrom(...auditOutcomes),
    reason: fc.constantFrom(...auditReasons),
    actor: id,
    session: secret,
    device: secret,
    connection: id,
    address: fc.oneof(fc.ipV4(), fc.ipV6()).map(auditAddress),
    origin: fc.constantFrom('https://wardline.example', 'https://localhost:8443').map((o) => auditOrigin(o)),
    patient: id,
    channel: id,
    message: id,
    user: id,
    role: fc.constantFrom('nurse', 'on-call-cardiology').map(auditRole),
    assignment: id,
    subject: secret,
    key: id,
    attachment: id,
    seq: fc.nat(),
    count: fc.maxSafeNat(),
    until: fc.nat().map(auditTime),
  },
  { requiredKeys: ['action', 'outcome'] },
)

describe('audit event', () => {
  it('R-70 is written as RFC 8785 of the schema, for every event there can be', () => {
    fc.assert(
      fc.property(anyFact, fc.integer({ min: 0, max: 4_000_000_000_000 }), (fact, at) => {
        const event = auditEventSchema.parse({ v: 1, at: auditTime(at), tenant: TENANT, ...fact })
        const given = Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined))
        expect(encodeAuditEvent(TENANT, at, fact).toString()).toBe(Buffer.from(canonicalBytes(given)).toString())
      }),
    )
  })

  it('R-70 reads back what was written', () => {
    fc.assert(
      fc.property(anyFact, (fact) => {
        const { v, at, tenant, ...rest } = decodeAuditEvent(encodeAuditEvent(TENANT, AT, fact))
        expect({ v, at, tenant }).toEqual({ v: 1, at: '2026-11-22T03:04:05.678Z', tenant: TENANT })
        expect(rest).toEqual(fact)
      }),
    )
  })

  it('knows the same fields in the encoder as in the schema', () => {
    const whole = fc.sample(
      fc.record(Object.fromEntries(Object.keys(auditFactSchema.shape).map((k) => [k, fc.constant(1)]))),
      1,
    )[0]
    for (const name of Object.keys(whole ?? {})) {
      const fact = { action: 'socket.connect', outcome: 'refused', [name]: CANARY } as unknown as AuditFact
      expect(() => encodeAuditEvent(TENANT, AT, fact), name).toThrow(name)
    }
  })

  it('R-70 has no room for free text, whatever the field and however it is smuggled in', () => {
    const base = { action: 'message.post', outcome: 'allowed' }
    for (const name of [...Object.keys(auditFactSchema.shape), 'note', 'body', 'text', '__proto__x']) {
      const fact = { ...base, [name]: CANARY } as unknown as AuditFact
      let message = ''
      try {
        encodeAuditEvent(TENANT, AT, fact)
      } catch (error) {
        message = (error as Error).message
      }
      expect(message, name).toContain('not a value for an audit event')
      expect(message, name).not.toContain('DOE')
    }
    expect(() => encodeAuditEvent(TENANT, AT, { outcome: 'allowed' } as AuditFact)).toThrow(AuditValueError)
    expect(() => encodeAuditEvent(CANARY as never, AT, base as AuditFact)).toThrow(AuditValueError)
  })

  it('R-70 does not compile when the policy learns a verb or a reason that the audit does not know', () => {
    const covered: [Action] extends [AuditAction] ? ([DecisionReason] extends [AuditReason] ? true : never) : never =
      true
    expect(covered).toBe(true)
    for (const words of [auditActions, auditReasons, auditOutcomes]) expect(new Set(words).size).toBe(words.length)
  })

  it('R-70 free text and ePHI do not compile', () => {
    const body = asPhi(CANARY)
    const plain: string = randomUUID()
    const facts: AuditFact[] = [
      { action: 'message.post', outcome: 'allowed' },
      // @ts-expect-error a plain string is not a checked id
      { action: 'message.post', outcome: 'allowed', channel: plain },
      // @ts-expect-error ePHI is no id
      { action: 'message.post', outcome: 'allowed', message: body },
      // @ts-expect-error a reason is a word of the list
      { action: 'message.post', outcome: 'refused', reason: plain },
      // @ts-expect-error ePHI is no reason
      { action: 'message.post', outcome: 'refused', reason: body },
      // @ts-expect-error an action is a word of the list
      { action: 'message.posted', outcome: 'allowed' },
      // @ts-expect-error there is no field for text
      { action: 'message.post', outcome: 'allowed', note: body },
      // @ts-expect-error nor for a plain origin
      { action: 'socket.connect', outcome: 'refused', origin: plain },
    ]
    expect(facts).toHaveLength(8)
  })

  it('keeps origins that are origins and drops what a stranger wrote there', () => {
    for (const good of [
      'https://a.example',
      'http://localhost:8080',
      'https://[2001:db8::1]:8443',
      'https://10.0.0.1',
    ]) {
      expect(auditOrigin(good)).toBe(good)
    }
    for (const bad of [
      undefined,
      'null',
      '',
      'https://',
      'https://a b',
      'https://a.example/path',
      'https://A.example',
      'ftp://a.example',
      'https://a.example\n',
      `https://${'a'.repeat(300)}`,
      'https://user@a.example',
      'https://a.example?q',
    ]) {
      expect(auditOrigin(bad), String(bad)).toBeUndefined()
    }
  })

  it('refuses values that only look right', () => {
    for (const bad of ['', 'x', randomUUID().toUpperCase(), `${randomUUID()}\n`, ` ${randomUUID()}`]) {
      expect(() => auditId(bad)).toThrow(AuditValueError)
    }
    for (const bad of ['', 'short', `${randomBytes(24).toString('base64url')}=`, 'a'.repeat(87)]) {
      expect(() => auditSecretId(bad)).toThrow(AuditValueError)
    }
    for (const bad of ['', '10.0.0', 'fe80::1%eth0', 'localhost'])
      expect(() => auditAddress(bad)).toThrow(AuditValueError)
    for (const bad of [Number.NaN, -1, Number.POSITIVE_INFINITY, 1e15])
      expect(() => auditTime(bad)).toThrow(AuditValueError)
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 53, '1']) {
      const fact = { action: 'message.post', outcome: 'allowed', seq: bad } as AuditFact
      expect(() => encodeAuditEvent(TENANT, AT, fact)).toThrow('seq')
    }
  })

  it('refuses stored bytes that are no event', () => {
    for (const bytes of ['', '{}', '{"v":2}', '\xff', 'null']) {
      expect(() => decodeAuditEvent(Buffer.from(bytes, 'latin1'))).toThrow(AuditValueError)
    }
  })
})
