import { randomBytes } from 'node:crypto'

/** Letters and digits alone: what holds them, holds them in any alphabet that a person's text may be written in. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyz'
const CORE_LENGTH = 14

type Form = { readonly name: string; readonly bytes: Buffer }
export type Sighting = { readonly form: string; readonly around: string }

/**
 * Strings to be planted wherever somebody can type, and looked for wherever they must not come out. All of them hold one
 * core, so that one search finds any; a number behind it tells which it was.
 */
export class Canaries {
  readonly core: string
  readonly #planted: string[] = []
  readonly #forms: readonly Form[]

  /** `core`: instead of a random one. */
  constructor(core = randomLetters()) {
    this.core = core
    this.#forms = formsOf(core)
  }

  /** A canary for a place: a word of letters and digits. */
  plant(place: string): string {
    const number = this.#planted.push(place)
    return `${this.core}x${number}x`
  }

  get planted(): number {
    return this.#planted.length
  }

  /** Where a canary is in these bytes, in any form: at most the first sighting of each form. */
  find(haystack: Buffer): Sighting[] {
    return this.#forms.flatMap(({ name, bytes }) => {
      const at = haystack.indexOf(bytes)
      return at === -1 ? [] : [{ form: name, around: this.#around(haystack, at) }]
    })
  }

  #around(haystack: Buffer, at: number): string {
    const text = haystack.subarray(Math.max(0, at - 60), at + 90).toString('latin1')
    const number = new RegExp(`${this.core}x(\\d+)x`, 'i').exec(text)?.[1]
    const place = number === undefined ? '' : ` (${this.#planted[Number(number) - 1]})`
    return `${text.replace(/[^\x20-\x7e]/g, '.')}${place}`
  }
}

function randomLetters(): string {
  return Array.from(randomBytes(CORE_LENGTH), (byte) => LETTERS[byte % LETTERS.length]).join('')
}

/** Every way in which a program may have written the text down. */
export function formsOf(text: string): Form[] {
  const bytes = Buffer.from(text)
  const each = (write: (byte: number) => string) => Array.from(bytes, write)
  const hex = each((byte) => byte.toString(16).padStart(2, '0'))
  const bare = hex.join('')
  const forms: [string, Buffer | string][] = [
    ['plain', text],
    ['upper case', text.toUpperCase()],
    ['UTF-16 little-endian', Buffer.from(text, 'utf16le')],
    ['UTF-16 big-endian', Buffer.from(text, 'utf16le').swap16()],
    ['hex', bare],
    // Many a word has no letter in its hex: then both cases are one form.
    ...(bare === bare.toUpperCase() ? [] : [['HEX', bare.toUpperCase()] satisfies [string, string]]),
    ['hex of UTF-16', Buffer.from(text, 'utf16le').toString('hex')],
    ['URL-encoded', hex.map((pair) => `%${pair}`).join('')],
    ['URL-ENCODED', hex.map((pair) => `%${pair.toUpperCase()}`).join('')],
    ['JSON-escaped', hex.map((pair) => `\\u00${pair}`).join('')],
    ['as HTML', each((byte) => `&#${byte};`).join('')],
    ['octal', each((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')],
    ['a list of bytes', each(String).join(',')],
    ['a list of bytes, spaced', each(String).join(', ')],
    ['reversed', text.split('').toReversed().join('')],
  ]
  for (const offset of [0, 1, 2]) {
    const inside = base64Inside(bytes, offset)
    forms.push([`base64 at ${offset}`, inside])
    const url = inside.replaceAll('+', '-').replaceAll('/', '_')
    if (url !== inside) forms.push([`base64url at ${offset}`, url])
  }
  return forms.map(([name, form]) => ({ name, bytes: Buffer.from(form) }))
}

/** The letters of base64 that these bytes alone decide when they stand `offset` bytes into a group of three. */
function base64Inside(bytes: Buffer, offset: number): string {
  const whole = Buffer.concat([Buffer.alloc(offset), bytes, Buffer.alloc(2)]).toString('base64')
  const from = Math.ceil((offset * 8) / 6)
  const until = Math.floor(((offset + bytes.length) * 8) / 6)
  return whole.slice(from, until)
}
