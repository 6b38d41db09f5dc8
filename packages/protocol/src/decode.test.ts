import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeFirstFrame, decodeRequest, decodeServerFrame } from './decode.ts'
import { DEFAULT_LIMITS, DEFAULT_PRE_AUTH, type Limits } from './limits.ts'

type Case = { name: string; text: string; fault: null | 'violation' | 'invalid'; replyTo?: string }
const casesOf = <T>(file: string) =>
  (JSON.parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), 'utf8')) as { cases: T[] }).cases
const vectors = { cases: casesOf<Case>('requests.json') }

const decoders = [decodeRequest, decodeFirstFrame, decodeServerFrame]

describe('[P8] every frame is judged by one strict schema', () => {
  for (const vector of vectors.cases) {
    it(`vector: ${vector.name}`, () => {
      const decoded = decodeRequest(vector.text)
      expect(decoded.ok ? null : decoded.fault).toBe(vector.fault)
      if (!decoded.ok && decoded.fault === 'invalid') expect(decoded.replyTo).toBe(vector.replyTo)
    })
  }

  it('any text is decoded without a throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        for (const decode of decoders) expect(typeof decode(text).ok).toBe('boolean')
      }),
    )
  })

  it('an accepted frame with one field more is refused', () => {
    const accepted = vectors.cases.filter((c) => c.fault === null)
    fc.assert(
      fc.property(
        fc.constantFrom(...accepted),
        fc.string({ minLength: 1 }),
        fc.jsonValue({ maxDepth: 4 }),
        (vector, key, value) => {
          const frame = JSON.parse(vector.text) as Record<string, unknown>
          fc.pre(!(key in frame) && !(key in KNOWN))
          Object.defineProperty(frame, key, { value, enumerable: true })
          const decoded = decodeRequest(JSON.stringify(frame))
          expect(decoded).toMatchObject({ ok: false, fault: 'invalid' })
        },
      ),
    )
  })

  it('a first frame is an authentication or a violation', () => {
    const frame = { type: 'session.authenticate', id: '1', token: 'a.b.c', proof: 'a.b.c' }
    expect(decodeFirstFrame(JSON.stringify(frame)).ok).toBe(true)
    // What is no token is judged as one that is wrong: there is one answer for both.
    expect(decodeFirstFrame(JSON.stringify({ ...frame, token: 'a.b' })).ok).toBe(true)
    expect(decodeFirstFrame(JSON.stringify({ ...frame, token: 'a b' }))).toEqual({ ok: false, fault: 'violation' })
    expect(decodeFirstFrame(JSON.stringify({ ...frame, channel: 'x' }))).toEqual({ ok: false, fault: 'violation' })
    for (const vector of vectors.cases.filter((c) => c.fault === null)) {
      expect(decodeFirstFrame(vector.text)).toEqual({ ok: false, fault: 'violation' })
    }
  })
})

describe('[P9] a client reads what a server says strictly, and limits as far as it knows them', () => {
  const cases = casesOf<Case & { limits?: Partial<Limits> }>('server-frames.json')
  const defaults = { ...DEFAULT_LIMITS, ...DEFAULT_PRE_AUTH }

  it.each(cases)('vector: $name', ({ text, fault, limits }) => {
    const decoded = decodeServerFrame(text)
    expect(decoded.ok ? null : decoded.fault).toBe(fault)
    if (decoded.ok) expect(decoded.frame).toMatchObject({ limits: { ...defaults, ...limits } })
  })

  it('whatever a limit that it does not know is called and says, the welcome is read as if it were not there', () => {
    const [first] = cases.filter(({ fault }) => fault === null)
    const welcome = JSON.parse(first?.text ?? '') as { limits: object }
    fc.assert(
      fc.property(fc.string(), fc.jsonValue({ maxDepth: 4 }), (name, value) => {
        fc.pre(!Object.hasOwn(defaults, name))
        const limits = { ...welcome.limits }
        Object.defineProperty(limits, name, { value, enumerable: true })
        const decoded = decodeServerFrame(JSON.stringify({ ...welcome, limits }))
        expect(decoded).toEqual(decodeServerFrame(first?.text ?? ''))
        expect(decoded.ok).toBe(true)
      }),
    )
  })
})

/** Optional fields that a generated key might hit by chance. */
const KNOWN = { priority: 1, intent: 1, ackRequired: 1, inReplyTo: 1, mentions: 1, attachments: 1, to: 1, after: 1 }
