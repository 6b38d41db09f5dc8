import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readJws } from './jws.ts'

const part = (text: string) => Buffer.from(text).toString('base64url')
const jws = (header: string, payload: string) => `${part(header)}.${part(payload)}.${part('signature')}`

describe('readJws', () => {
  test('reads a header, a payload, and what is signed', () => {
    const text = jws('{"alg":"ES256"}', '{"a":"b: \\"c\\": d","n":[1,"x"]}')
    const read = readJws(text)
    expect(read).toMatchObject({ header: { alg: 'ES256' }, payload: { a: 'b: "c": d', n: [1, 'x'] } })
    expect(read?.signingInput.toString()).toBe(text.slice(0, text.lastIndexOf('.')))
    expect(read?.signature.toString()).toBe('signature')
  })

  test.each([
    ['nothing', ''],
    ['two parts', `${part('{}')}.${part('{}')}`],
    ['no signature', `${part('{}')}.${part('{}')}.`],
    ['five parts, a JWE', `${part('{}')}.a.b.c.d`],
    ['padding', `${part('{}')}=.${part('{}')}.${part('s')}`],
    ['the other alphabet', jws('{}', '{"a":"??>>??>>"}').replaceAll('_', '/')],
    ['another spelling of the last character', `${part('{}')}.${part('{}')}.cx`],
    ['white space', ` ${jws('{}', '{}')}`],
    ['a list', jws('[]', '{}')],
    ['null', jws('{}', 'null')],
    ['no JSON', jws('{}', '{a:1}')],
    ['a name twice', jws('{"alg":"ES256","alg":"none"}', '{}')],
    ['a name twice, escaped', jws('{"alg":"none","\\u0061lg":"ES256"}', '{}')],
    ['a name twice, one level down', jws('{}', '{"cnf":{"jkt":"a","jkt":"b"}}')],
    [
      'not UTF-8',
      `${part('{}')}.${Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]).toString('base64url')}.${part('s')}`,
    ],
    ['a byte order mark', jws('\uFEFF{}', '{}')],
    ['too long', jws('{}', `{"a":"${'x'.repeat(4_096)}"}`)],
  ])('refuses %s', (_name, text) => {
    expect(readJws(text)).toBeNull()
  })

  test('reads back any object and throws at no text', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ maxLength: 20 }), fc.jsonValue({ maxDepth: 1 }), { noNullPrototype: true }),
        (payload) => {
          const text = JSON.stringify(payload)
          const nestedNames = [...text.matchAll(/"((?:[^"\\]|\\.)*)":/g)].map(([, name]) => name)
          fc.pre(new Set(nestedNames).size === nestedNames.length && text.length < 2_000)
          expect(readJws(jws('{}', text))?.payload).toEqual(JSON.parse(text))
        },
      ),
    )
    fc.assert(fc.property(fc.string(), (text) => void readJws(text)))
  })
})
