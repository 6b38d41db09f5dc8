import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { type Decoded, decodeFirstFrame, decodeRequest } from './decode.ts'
import { clientRequest } from './frames.ts'
import { isPlainJson, MAX_DEPTH } from './plain-json.ts'
import { sessionAuthenticate } from './session.ts'
import { textProblem } from './text.ts'

/** `npm run fuzz -- --minutes 60` sets it; a finding is printed with its seed, and becomes a vector (vectors/requests.json). */
const minutes = Number(process.env['FUZZ_MINUTES'] ?? 0)
const timeLimit = minutes * 60_000
const runs =
  minutes > 0
    ? { numRuns: 1e9, interruptAfterTimeLimit: timeLimit, skipAllAfterTimeLimit: timeLimit }
    : { numRuns: 3_000 }

type Json = { readonly [name: string]: unknown }
type Schema = {
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly oneOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
}

/** What is wrong somewhere, or looks like what a schema takes. */
const nasty = fc.oneof(
  fc.constantFrom<unknown>(
    ...[
      null,
      true,
      -0,
      1.5,
      1e308,
      2 ** 53,
      '',
      ' ',
      '\u0000',
      '\u202e',
      '\ud800',
      '\u2028',
      '\ufeff',
      'e\u0301',
      [],
      {},
      [[]],
    ],
  ),
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.jsonValue({ maxDepth: MAX_DEPTH + 2 }),
)

/** Values that a schema takes: the grammar is the contract's own, so a new frame is fuzzed from its first day. */
function taken(schema: Schema): fc.Arbitrary<unknown> {
  const { oneOf, anyOf, properties, items, pattern } = schema
  const options = oneOf ?? anyOf
  if (options !== undefined) return fc.oneof(...options.map(taken))
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if (properties !== undefined)
    return fc.record(Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, taken(each)])))
  if (items !== undefined) return fc.array(taken(items), { maxLength: 3 })
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern))
  if (schema.type === 'boolean') return fc.boolean()
  if (schema.type === 'integer' || schema.type === 'number') return fc.nat()
  return fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
}

const schemaOf = (of: z.ZodType) => z.toJSONSchema(of, { io: 'input', unrepresentable: 'any' }) as Schema
const frames = fc.oneof(taken(schemaOf(clientRequest)), taken(schemaOf(sessionAuthenticate))) as fc.Arbitrary<Json>

/** A frame with one name of it changed, left out, added or written twice; then its text with a few bytes of it changed. */
const texts = fc
  .record({
    frame: frames,
    how: fc.constantFrom('as it is', 'replace', 'remove', 'add', 'twice', 'prototype'),
    place: fc.nat(20),
    name: fc.string({ maxLength: 10 }),
    value: nasty,
    cuts: fc.array(
      fc.record({ at: fc.nat(400), length: fc.nat(3), put: fc.string({ unit: 'binary', maxLength: 3 }) }),
      { maxLength: 2 },
    ),
    isCut: fc.boolean(),
  })
  .map(({ frame, how, place, name, value, cuts, isCut }) => {
    const names = Object.keys(frame)
    const chosen = names[place % names.length] ?? 'id'
    const { [chosen]: _, ...without } = frame
    const text = JSON.stringify(
      how === 'replace'
        ? { ...frame, [chosen]: value }
        : how === 'remove'
          ? without
          : how === 'add'
            ? { ...frame, [name]: value }
            : frame,
    )
    const more =
      how === 'twice' ? `,${JSON.stringify(chosen)}:${JSON.stringify(value)}}` : ',"__proto__":{"admin":true}}'
    const whole = how === 'twice' || how === 'prototype' ? text.slice(0, -1) + more : text
    return isCut
      ? cuts.reduce((before, { at, length, put }) => before.slice(0, at) + put + before.slice(at + length), whole)
      : whole
  })

/** Every text in a value. */
function* textsIn(value: unknown): Iterable<string> {
  if (typeof value === 'string') yield value
  else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) yield* textsIn(each)
}

function expectSound(text: string, decode: (text: string) => Decoded<object>): void {
  const decoded = decode(text)
  if (!decoded.ok) return
  expect(isPlainJson(text)).toBe(true)
  for (const each of textsIn(decoded.frame)) {
    expect(each.normalize('NFC')).toBe(each)
    expect(textProblem(each)).toBeNull()
  }
  // Read once more it is the same: nothing is left that another reader could take for something else.
  expect(decode(JSON.stringify(decoded.frame))).toEqual(decoded)
  expect(({} as { admin?: unknown }).admin).toBeUndefined()
}

test('[P8] R-50 frames that are almost right are refused, or are what they say: plain, canonical, and the same when read again', {
  timeout: timeLimit + 60_000,
}, () => {
  let understood = 0
  fc.assert(
    fc.property(texts, (text) => {
      expectSound(text, decodeFirstFrame)
      expectSound(text, decodeRequest)
      understood += decodeRequest(text).ok ? 1 : 0
    }),
    runs,
  )
  // Where none were understood, the grammar is not the contract's.
  expect(understood).toBeGreaterThan(100)
})
