/** What a compact JWS says before anybody has verified it. */
export type UnverifiedJws = {
  readonly header: Readonly<Record<string, unknown>>
  readonly payload: Readonly<Record<string, unknown>>
  readonly signingInput: Buffer
  readonly signature: Buffer
}

/** Longest token or proof, in characters: protocol.md's first frame holds both within 4 KiB. */
const MAX_JWS_LENGTH = 4_096

const STRINGS = /"((?:[^"\\]|\\.)*)"\s*(:)?/g
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads a compact JWS (RFC 7515 §7.1) with less tolerance than the standard: three parts, base64url without padding and in
 * its one spelling, UTF-8, two JSON objects, and no name twice anywhere, since parsers differ in which one they keep.
 * Five parts (a JWE) are refused before any cryptography. Never throws.
 * @returns null for anything else
 */
export function readJws(text: string): UnverifiedJws | null {
  if (text.length > MAX_JWS_LENGTH) return null
  const parts = text.split('.')
  const [header, payload, signature] = parts.map(fromBase64url)
  if (parts.length !== 3 || !header || !payload || !signature) return null
  const read = { header: readObject(header), payload: readObject(payload) }
  if (read.header === null || read.payload === null) return null
  const signingInput = Buffer.from(text.slice(0, text.lastIndexOf('.')), 'latin1')
  return { header: read.header, payload: read.payload, signingInput, signature }
}

function fromBase64url(part: string): Buffer | null {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.length > 0 && bytes.toString('base64url') === part ? bytes : null
}

function readObject(bytes: Buffer): Record<string, unknown> | null {
  try {
    const text = utf8.decode(bytes)
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value) || namesRepeat(text)) return null
    return value as Record<string, unknown>
  } catch {
    return null
  }
}

/** In valid JSON every quoted text followed by a colon is a name, and a pattern that takes text after text misses none. */
function namesRepeat(json: string): boolean {
  const names = new Set<string>()
  for (const [, escaped, colon] of json.matchAll(STRINGS)) {
    if (colon === undefined) continue
    const name = JSON.parse(`"${escaped}"`) as string
    if (names.has(name)) return true
    names.add(name)
  }
  return false
}
