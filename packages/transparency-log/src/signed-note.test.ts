import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import given from '../vectors/signed-notes.json' with { type: 'json' }
import { decodeBase64, encodeBase64 } from './base64.ts'
import { cosignatureMessage, joinTimestamp, splitTimestamp } from './cosignature.ts'
import { COSIGNATURE, NOTE_SIGNATURE } from './key-text.ts'
import { formatNote, isKeyName, parseNote } from './note.ts'
import { generateNoteKey, parseSignerKey, parseVerifierKey, verifierOf } from './note-keys.ts'
import { openNote, signNote } from './signed-note.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)

describe('published notes', () => {
  it.each(given.notes)('$source: every known key verifies, and none once a byte of the text differs', (one) => {
    const raw = one.rawKey
    const keys = one.keys.map(parseVerifierKey)
    if (raw !== undefined) keys.push(verifierOf(raw.name, NOTE_SIGNATURE, Buffer.from(raw.publicKey, 'hex')))
    expect(openNote(bytes(one.note), keys)).toMatchObject({ ok: true, by: keys })
    for (const key of keys) {
      expect(openNote(bytes(one.note), [key])).toMatchObject({ ok: true, by: [key] })
      expect(openNote(bytes(`X${one.note}`), [key])).toEqual({ ok: false, fault: 'invalid-signature' })
      expect(parseVerifierKey(key.vkey)).toMatchObject({ name: key.name, keyId: key.keyId, type: key.type })
    }
    expect(openNote(bytes(one.note), [])).toEqual({ ok: false, fault: 'no-known-signature' })
  })

  it('signing gives the published bytes', () => {
    const { skey, vkey, text, note } = given.signer
    const signer = parseSignerKey(skey)
    expect(signer.verifier.vkey).toBe(vkey)
    expect(Buffer.from(signNote(text, [signer], 0)).toString()).toBe(note)
  })

  it('the timestamp of a cosignature and what it signs', () => {
    const { note, at, message } = given.cosignatureExample
    const parsed = parseNote(bytes(note))
    expect(parsed?.signatures[1]?.name).toBe('witness.example.com/w1')
    expect(splitTimestamp(parsed?.signatures[1]?.signature ?? new Uint8Array(0))?.at).toBe(at)
    expect(Buffer.from(cosignatureMessage(parsed?.text ?? '', at)).toString()).toBe(message)
  })
})

describe('keys', () => {
  const { skey, vkey } = given.signer

  it.each(given.badVerifierKeys)('%s is refused', (bad) => {
    expect(() => parseVerifierKey(bad)).toThrow(RangeError)
  })

  it.each([
    [vkey, parseVerifierKey],
    [skey, parseSignerKey],
  ])('no part of %s and no neighbour of it is a key', (key, parse) => {
    const manglings: string[] = []
    for (let i = 0; i < key.length; i++) {
      for (let j = i + 1; j <= key.length; j++) if (j - i < key.length) manglings.push(key.slice(i, j))
      const code = key.charCodeAt(i)
      manglings.push(key.slice(0, i) + String.fromCharCode(code + 1) + key.slice(i + 1))
    }
    const accepted = manglings.filter((mangled) => {
      try {
        parse(mangled)
        return true
      } catch {
        return false
      }
    })
    expect(accepted).toEqual([])
  })

  it('upper-case hex is not the spelling of a key id', () => {
    expect(() => parseVerifierKey(vkey.replace('c74f20a3', 'C74F20A3'))).toThrow(RangeError)
  })

  it('names', () => {
    expect(
      ['example.com/log', 'a', '病院', 'x y', 'a+b', '', 'a\u00a0b', 'a\u2028b', 'a\tb', '\ud800'].map(isKeyName),
    ).toEqual([true, true, true, ...Array.from({ length: 7 }, () => false)])
  })

  it('new keys sign and verify, each type only its own', () => {
    for (const type of [NOTE_SIGNATURE, COSIGNATURE] as const) {
      const made = generateNoteKey('example.com/w', type)
      const signer = parseSignerKey(made.skey)
      const key = parseVerifierKey(made.vkey)
      expect(key).toMatchObject({ type, keyId: signer.verifier.keyId })
      expect(openNote(signNote('hi\n', [signer], 1_700_000_000), [key])).toMatchObject({ ok: true })
      expect(key.verify('hi\n', signer.sign('hi\n', 5))).toBe(true)
      expect(key.verify('ho\n', signer.sign('hi\n', 5))).toBe(false)
      expect(key.verify('hi\n', new Uint8Array(0))).toBe(false)
      const other = verifierOf(
        key.name,
        type === COSIGNATURE ? NOTE_SIGNATURE : COSIGNATURE,
        (decodeBase64(made.vkey.split('+').slice(2).join('+')) as Uint8Array).subarray(1),
      )
      expect(other.keyId).not.toBe(key.keyId)
      expect(other.verify('hi\n', signer.sign('hi\n', 5))).toBe(false)
    }
  })

  it('a cosignature covers its timestamp', () => {
    const signer = parseSignerKey(generateNoteKey('w', COSIGNATURE).skey)
    const signature = signer.sign('hi\n', 1000)
    const parts = splitTimestamp(signature)
    expect(signer.verifier.verify('hi\n', joinTimestamp(1001, parts?.signature as Uint8Array))).toBe(false)
    expect(() => signer.sign('hi\n', -1)).toThrow(RangeError)
    expect(splitTimestamp(new Uint8Array(72).fill(255))).toBeUndefined()
  })
})

describe('which signatures count', () => {
  const [a, b] = ['a', 'b'].map((name) => parseSignerKey(generateNoteKey(name).skey)) as [
    ReturnType<typeof parseSignerKey>,
    ReturnType<typeof parseSignerKey>,
  ]
  const note = parseNote(signNote('text\n', [a, b], 0))
  const [byA, byB] = note?.signatures ?? []
  if (byA === undefined || byB === undefined) throw new Error('two signatures')
  const open = (signatures: (typeof byA)[], keys = [a.verifier]) =>
    openNote(formatNote({ text: 'text\n', signatures }), keys)

  it('a key whose name or id alone is known is unknown', () => {
    expect(open([{ ...byA, keyId: byA.keyId ^ 1 }])).toEqual({ ok: false, fault: 'no-known-signature' })
    expect(open([{ ...byA, name: 'c' }])).toEqual({ ok: false, fault: 'no-known-signature' })
    expect(open([{ ...byB, signature: new Uint8Array(64) }, byA])).toMatchObject({ ok: true, by: [a.verifier] })
  })

  it('one bad signature of a known key spoils the note', () => {
    expect(open([byA, { ...byB, signature: byA.signature }], [a.verifier, b.verifier])).toEqual({
      ok: false,
      fault: 'invalid-signature',
    })
  })

  it('the same signature twice is one', () => {
    expect(open([byA, byA])).toMatchObject({ ok: true, by: [a.verifier] })
  })

  it('signing again replaces one’s own line and keeps the others’', () => {
    const again = parseNote(signNote('text\n', [a], 0, [byB, { ...byA, signature: new Uint8Array(64) }]))
    expect(again?.signatures.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(openNote(formatNote(again as NonNullable<typeof again>), [a.verifier, b.verifier])).toMatchObject({
      ok: true,
    })
  })
})

describe('the parser', () => {
  const { text, note } = given.signer
  const line = note.slice(text.length + 1)
  it.each<[string, string | Uint8Array]>([
    ['text alone', text],
    ['no signature', `${text}\n`],
    ['no final newline', note.slice(0, -1)],
    ['control character', `\u0001${note}`],
    ['carriage returns', note.replaceAll('\n', '\r\n')],
    ['invalid UTF-8', Buffer.concat([Buffer.of(0xff), bytes(note)])],
    ['an overlong encoding', Buffer.concat([Buffer.of(0xc0, 0x80), bytes(note)])],
    ['an encoded surrogate', Buffer.concat([Buffer.of(0xed, 0xa0, 0x80), bytes(note)])],
    ['a space in the name', `${text}\n${line.replace('PeterNeumann', 'Bad Name')}`],
    ['a plus in the name', `${text}\n${line.replace('PeterNeumann', 'a+b')}`],
    ['two spaces', `${text}\n${line.replace(' x08g', '  x08g')}`],
    ['a hyphen for the dash', `${text}\n${line.replace('\u2014', '-')}`],
    ['a line among the signatures', `${note}Unexpected line.\n`],
    ['a blank line at the end', `${note}\n`],
    ['no blank line', text + line],
    ['base 64 without its pad', `${text}\n${line.replace('AM=', 'AM')}`],
    ['base 64 of the other alphabet', `${text}\n${line.replace('/', '_')}`],
    ['base 64 with spare bits', `${text}\n${line.replace('AM=', 'AN=')}`],
    ['a key id and nothing else', `${text}\n\u2014 a AAAAAA==\n`],
    ['101 signatures', `${text}\n${line.repeat(101)}`],
    ['more than a megabyte', `${'x'.repeat(1_000_000)}\n\n${line}`],
    ['nothing', ''],
  ])('refuses %s', (_, bad) => {
    expect(parseNote(typeof bad === 'string' ? bytes(bad) : bad)).toBeUndefined()
  })

  it('takes 100 signatures, empty lines and a byte order mark in the text', () => {
    expect(parseNote(bytes(`${text}\n${line.repeat(100)}`))?.signatures).toHaveLength(100)
    expect(parseNote(bytes(`\ufeffa\n\nb\n\n${line}`))?.text).toBe('\ufeffa\n\nb\n')
    expect(parseNote(bytes(`\n\n${line}`))?.text).toBe('\n')
  })

  it('one byte changed, dropped or added: refused, or read back to the very same bytes', () => {
    const whole = [...bytes(given.cosignatureExample.note)]
    const byte = fc.integer({ min: 0, max: 255 })
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), byte, fc.nat({ max: 2 }), (at, value, how) => {
        const mutated = Uint8Array.from(
          how === 0 ? whole.with(at, value) : how === 1 ? whole.toSpliced(at, 1) : whole.toSpliced(at, 0, value),
        )
        const parsed = parseNote(mutated)
        expect([...(parsed === undefined ? mutated : formatNote(parsed))]).toEqual([...mutated])
      }),
      { numRuns: 3000 },
    )
  })

  it('random bytes never crash it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (random) => {
        expect(parseNote(random)).toBeUndefined()
      }),
    )
  })

  it('what is formatted is read back', () => {
    const line = fc.record({
      name: fc.stringMatching(/^[a-z0-9./é病-]{1,20}$/u),
      keyId: fc.integer({ min: 0, max: 0xffffffff }),
      signature: fc.uint8Array({ minLength: 1, maxLength: 80 }),
    })
    const lines = fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 })
    const texts = lines.map((some) => `${some.join('\n').replaceAll(/[\u0000-\u0009\u000b-\u001f]/g, '?')}\n`)
    fc.assert(
      fc.property(texts, fc.array(line, { minLength: 1, maxLength: 16 }), (some, signatures) => {
        expect(parseNote(formatNote({ text: some, signatures }))).toEqual({ text: some, signatures })
      }),
    )
  })

  it('texts that would not read back are not formatted', () => {
    const signatures = [{ name: 'a', keyId: 1, signature: Uint8Array.of(1) }]
    for (const bad of ['no newline', 'bell\u0007\n', 'half \ud800\n', '']) {
      expect(() => formatNote({ text: bad, signatures })).toThrow(RangeError)
    }
    expect(() => formatNote({ text: 'a\n', signatures: [] })).toThrow(RangeError)
    expect(() =>
      formatNote({ text: 'a\n', signatures: [{ name: 'a b', keyId: 1, signature: Uint8Array.of(1) }] }),
    ).toThrow(RangeError)
  })
})

describe('base 64', () => {
  it('round trip, and one spelling only', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (some) => {
        expect(encodeBase64(some)).toBe(Buffer.from(some).toString('base64'))
        expect(decodeBase64(encodeBase64(some))).toEqual(some)
      }),
    )
    for (const bad of ['A', 'AA', 'AAA', 'AB==', 'AAB=', 'AA==AA==', ' AAAA', 'AAAA\n', 'AA-_', '=']) {
      expect(decodeBase64(bad)).toBeUndefined()
    }
  })
})
