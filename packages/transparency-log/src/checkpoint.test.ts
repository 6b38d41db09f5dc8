import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatCheckpoint, parseCheckpoint } from './checkpoint.ts'
import { formatTlogProof, parseTlogProof } from './tlog-proof.ts'

const ROOT = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I='
const EXAMPLE = `example.com/behind-the-sofa\n20852163\n${ROOT}\n`
const NOTE = `${EXAMPLE}\n\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n`
const bytes = (text: string): Uint8Array => Buffer.from(text)

describe('checkpoint text (C2SP tlog-checkpoint)', () => {
  it('the example of the specification', () => {
    const checkpoint = parseCheckpoint(EXAMPLE)
    expect(checkpoint).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20_852_163, extensions: [] })
    expect(Buffer.from(checkpoint?.root ?? '').toString('base64')).toBe(ROOT)
    expect(formatCheckpoint(checkpoint as NonNullable<typeof checkpoint>)).toBe(EXAMPLE)
  })

  it('extension lines, an empty tree, origins with spaces and pluses', () => {
    expect(parseCheckpoint(`a b+c\n0\n${ROOT}\none\ntwo\n`)).toMatchObject({
      origin: 'a b+c',
      size: 0,
      extensions: ['one', 'two'],
    })
    expect(parseCheckpoint(`${'é'.repeat(127)}a\n1\n${ROOT}\n`)).toBeDefined()
  })

  it.each([
    ['no origin', `\n1\n${ROOT}\n`],
    ['an origin of 256 bytes', `${'é'.repeat(128)}\n1\n${ROOT}\n`],
    ['two lines', 'a\n1\n'],
    ['no final newline', `a\n1\n${ROOT}`],
    ['a blank line', `a\n1\n${ROOT}\n\n`],
    ['a blank extension', `a\n1\n${ROOT}\n\nx\n`],
    ['a leading zero', `a\n01\n${ROOT}\n`],
    ['a sign', `a\n+1\n${ROOT}\n`],
    ['minus', `a\n-1\n${ROOT}\n`],
    ['hex', `a\n0x1\n${ROOT}\n`],
    ['an exponent', `a\n1e3\n${ROOT}\n`],
    ['other digits', `a\n١\n${ROOT}\n`],
    ['a space', `a\n1 \n${ROOT}\n`],
    ['no size', `a\n\n${ROOT}\n`],
    ['2^53', `a\n9007199254740992\n${ROOT}\n`],
    ['a short root', `a\n1\n${Buffer.alloc(31).toString('base64')}\n`],
    ['a long root', `a\n1\n${Buffer.alloc(33).toString('base64')}\n`],
    ['a root without its pad', `a\n1\n${ROOT.slice(0, -1)}\n`],
    ['a root with spare bits', `a\n1\n${ROOT.replace('2I=', '2J=')}\n`],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(parseCheckpoint(text)).toBeUndefined()
  })

  it('writes nothing it would not read', () => {
    const root = Buffer.from(ROOT, 'base64')
    for (const bad of [
      { origin: '', size: 1, root, extensions: [] },
      { origin: 'a\nb', size: 1, root, extensions: [] },
      { origin: 'a', size: -1, root, extensions: [] },
      { origin: 'a', size: 1.5, root, extensions: [] },
      { origin: 'a', size: 1, root: root.subarray(1), extensions: [] },
      { origin: 'a', size: 1, root, extensions: [''] },
      { origin: 'a', size: 1, root, extensions: ['x\ny'] },
      { origin: 'a\u0007', size: 1, root, extensions: [] },
    ]) {
      expect(() => formatCheckpoint(bad)).toThrow(RangeError)
    }
  })

  it('one character changed: refused, or another checkpoint with just that spelling', () => {
    fc.assert(
      fc.property(fc.nat({ max: EXAMPLE.length - 1 }), fc.string({ unit: 'binary', maxLength: 2 }), (at, other) => {
        const mutated = EXAMPLE.slice(0, at) + other.replaceAll(/\p{Cc}/gu, '\n') + EXAMPLE.slice(at + 1)
        const parsed = parseCheckpoint(mutated)
        expect(parsed === undefined ? mutated : formatCheckpoint(parsed)).toBe(mutated)
      }),
      { numRuns: 500 },
    )
  })
})

describe('proof files (C2SP tlog-proof)', () => {
  const hash = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)
  const base64 = (value: Uint8Array): string => Buffer.from(value).toString('base64')

  it('are spelt as the specification has it', () => {
    const proof = { index: 73_894, proof: [hash(1), hash(2)], checkpoint: bytes(NOTE) }
    const text = `index 73894\n${base64(hash(1))}\n${base64(hash(2))}\n\n${NOTE}`
    expect(Buffer.from(formatTlogProof(proof)).toString()).toBe(`c2sp.org/tlog-proof@v1\n${text}`)
    expect(Buffer.from(formatTlogProof({ ...proof, extra: bytes('hello') })).toString()).toBe(
      `c2sp.org/tlog-proof@v1\nextra aGVsbG8=\n${text}`,
    )
    expect(Buffer.from(formatTlogProof({ index: 0, proof: [], checkpoint: bytes(NOTE) })).toString()).toBe(
      `c2sp.org/tlog-proof@v1\nindex 0\n\n${NOTE}`,
    )
  })

  it.each([
    ['another first line', `c2sp.org/tlog-proof@v2\nindex 0\n\n${NOTE}`],
    ['no index', `c2sp.org/tlog-proof@v1\n\n${NOTE}`],
    ['an index with a leading zero', `c2sp.org/tlog-proof@v1\nindex 00\n\n${NOTE}`],
    ['a negative index', `c2sp.org/tlog-proof@v1\nindex -1\n\n${NOTE}`],
    ['extra behind the index', `c2sp.org/tlog-proof@v1\nindex 0\nextra aGVsbG8=\n\n${NOTE}`],
    ['extra twice', `c2sp.org/tlog-proof@v1\nextra AAAA\nextra AAAA\nindex 0\n\n${NOTE}`],
    ['extra that is no base 64', `c2sp.org/tlog-proof@v1\nextra !\nindex 0\n\n${NOTE}`],
    ['a short hash', `c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\n${NOTE}`],
    ['no blank line', `c2sp.org/tlog-proof@v1\nindex 0\n`],
    ['64 hashes', `c2sp.org/tlog-proof@v1\nindex 0\n${`${ROOT}\n`.repeat(64)}\n${NOTE}`],
    ['carriage returns', `c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\n${NOTE}`],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(parseTlogProof(bytes(text))).toBeUndefined()
  })

  it('come back as they were', () => {
    const proofs = fc.record(
      {
        extra: fc.uint8Array({ maxLength: 40 }),
        index: fc.maxSafeNat(),
        proof: fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 63 }),
        checkpoint: fc.constant(Uint8Array.from(bytes(NOTE))),
      },
      { requiredKeys: ['index', 'proof', 'checkpoint'] },
    )
    fc.assert(
      fc.property(proofs, (proof) => {
        expect(parseTlogProof(formatTlogProof(proof))).toEqual(proof)
      }),
    )
  })
})
