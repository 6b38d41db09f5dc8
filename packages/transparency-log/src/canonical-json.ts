/** RFC 8785 (JSON Canonicalization Scheme): one sequence of bytes for one value, so that a hash of it means something. */

/** Nesting deeper than this is refused, which also ends cycles. Audit events are three deep. */
export const MAX_CANONICAL_DEPTH = 64

/** A value that has no canonical form. `path` leads to it (`$.actor.roles[2]`); the value itself is never quoted. */
export class CanonicalJsonError extends Error {
  override readonly name = 'CanonicalJsonError'
  readonly path: string

  constructor(problem: string, path: string) {
    super(`${path}: ${problem}`)
    this.path = path
  }
}

// What JSON.stringify would escape, plus every surrogate (paired or not): a string without any is its own JSON text.
// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8785 §3.2.2.2 escapes exactly these
const NEEDS_CARE = /["\\\u0000-\u001f\ud800-\udfff]/

const encoder = new TextEncoder()

/**
 * The canonical text of a JSON value (RFC 8785): no white space, members sorted by the UTF-16 code units of their
 * names, numbers as ECMAScript prints them, the shortest string escapes.
 *
 * Refuses, with {@link CanonicalJsonError}, everything JSON would silently drop or change: `undefined`, functions,
 * symbols, bigints, NaN and infinities, lone surrogates, array holes, symbol keys, instances of classes (a Date, a Map, a
 * Uint8Array), anything nested deeper than {@link MAX_CANONICAL_DEPTH}. `-0` is written `0`, as the RFC has it.
 */
export function canonicalJson(value: unknown): string {
  return write(value, undefined, 0)
}

/** UTF-8 bytes of {@link canonicalJson}: what is stored and hashed. Same errors. */
export function canonicalBytes(value: unknown): Uint8Array {
  return encoder.encode(write(value, undefined, 0))
}

/** Where the writer is; a path is only spelt out once something is refused, so that the hot path pays nothing for it. */
type Place = { parent: Place | undefined; key: string | number }

function write(value: unknown, place: Place | undefined, depth: number): string {
  switch (typeof value) {
    case 'string':
      return quote(value, place)
    case 'number':
      if (!Number.isFinite(value)) throw refuse('not a finite number', place)
      return String(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) return 'null'
      if (depth >= MAX_CANONICAL_DEPTH) throw refuse(`nested deeper than ${MAX_CANONICAL_DEPTH}`, place)
      return Array.isArray(value) ? writeArray(value, place, depth + 1) : writeObject(value, place, depth + 1)
    default:
      throw refuse(`a ${typeof value} is not JSON`, place)
  }
}

function writeArray(items: readonly unknown[], place: Place | undefined, depth: number): string {
  let text = '['
  for (let i = 0; i < items.length; i++) {
    if (i > 0) text += ','
    text += write(items[i], { parent: place, key: i }, depth)
  }
  return `${text}]`
}

function writeObject(object: object, place: Place | undefined, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype !== Object.prototype && prototype !== null) throw refuse('not a plain object', place)
  if (Object.getOwnPropertySymbols(object).length > 0) throw refuse('a symbol cannot name a member', place)
  const names = Object.keys(object)
  if (!isSorted(names)) names.sort() // the default order is that of UTF-16 code units: RFC 8785 §3.2.3
  const members = object as Readonly<Record<string, unknown>>
  let text = '{'
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string
    const here: Place = { parent: place, key: name }
    if (i > 0) text += ','
    text += `${quote(name, here)}:${write(members[name], here, depth)}`
  }
  return `${text}}`
}

function isSorted(names: readonly string[]): boolean {
  for (let i = 1; i < names.length; i++) {
    if ((names[i - 1] as string) > (names[i] as string)) return false
  }
  return true
}

function quote(text: string, place: Place | undefined): string {
  if (!NEEDS_CARE.test(text)) return `"${text}"`
  if (!text.isWellFormed()) throw refuse('a lone surrogate has no UTF-8 form', place)
  return JSON.stringify(text) // its escapes are those of RFC 8785 §3.2.2.2
}

function refuse(problem: string, place: Place | undefined): CanonicalJsonError {
  let path = ''
  for (let at = place; at !== undefined; at = at.parent) {
    path = (typeof at.key === 'number' ? `[${at.key}]` : `.${at.key.toWellFormed().slice(0, 64)}`) + path
  }
  return new CanonicalJsonError(problem, `$${path}`)
}
