import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  byteaArray,
  int8Array,
  jsonbArray,
  textArray,
  timestamptzArray,
  uuidArray,
} from '../../apps/server/src/storage/binary-parameters.ts'

let client: pg.Client
beforeAll(async () => {
  client = new pg.Client({ connectionString: inject('postgres').url, options: '-c TimeZone=UTC' })
  await client.connect()
})
afterAll(() => client.end())

const orNull = <T>(value: fc.Arbitrary<T>) => fc.array(fc.option(value, { nil: null }), { maxLength: 20 })
// PostgreSQL's text holds everything but the character 0.
const text = fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll('\0', ''))
const json = fc.json().map((value) => value.replaceAll('\\u0000', ''))

/** What the server understood, as it writes it back. */
async function through(type: string, parameter: Buffer): Promise<unknown[]> {
  const { rows } = await client.query<{ all: unknown[] }>(
    `SELECT coalesce(array_agg(to_json(v) ORDER BY n), '{}') AS all FROM unnest($1::${type}[]) WITH ORDINALITY u (v, n)`,
    [parameter],
  )
  return rows[0]!.all
}

describe('binary arrays', () => {
  it.each([
    ['uuid', uuidArray, fc.uuid(), (value: string) => value],
    ['text', textArray, text, (value: string) => value],
    [
      'bytea',
      byteaArray,
      fc.uint8Array({ maxLength: 300 }),
      (value: Uint8Array) => `\\x${Buffer.from(value).toString('hex')}`,
    ],
    ['int8', int8Array, fc.maxSafeInteger(), (value: number) => value],
    ['jsonb', jsonbArray, json, (value: string) => JSON.parse(value) as unknown],
  ] as const)('of %s arrive as they were given, nulls and all', async (type, encode, values, seen) => {
    await fc.assert(
      fc.asyncProperty(orNull(values as fc.Arbitrary<never>), async (given) => {
        const expected = given.map((value) => (value === null ? null : JSON.parse(JSON.stringify(seen(value)))))
        expect(await through(type, encode(given))).toEqual(expected)
      }),
      { numRuns: 30 },
    )
  })

  it('of timestamptz keep the millisecond', async () => {
    const times = [0, 1, 946_684_800_000, 1_795_316_645_678, -1]
    const seen = await through('timestamptz', timestamptzArray(times))
    expect(seen.map((value) => Date.parse(value as string))).toEqual(times)
  })

  it('take no id that is none', () => {
    for (const bad of [
      '',
      'not-a-uuid',
      'zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz',
      '00000000-0000-0000-0000-00000000000',
    ]) {
      expect(() => uuidArray([bad]), bad).toThrow(TypeError)
    }
  })
})
