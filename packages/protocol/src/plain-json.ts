/** Objects and arrays within each other, the frame itself counted; no frame of ours has more than three. */
export const MAX_DEPTH = 8
/** Names in one object; no object of ours has half as many. So that looking for the same name again stays cheap. */
export const MAX_NAMES = 64

const QUOTE = 0x22
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/**
 * Whether JSON reads the same to everybody: no name twice in an object (RFC 8259 §4: parsers differ on which one counts), and no
 * more in it than frames have, {@link MAX_DEPTH} and {@link MAX_NAMES}. Looks at what stands outside strings, once and without recursion:
 * it is asked before the text is parsed, so that what is nested a thousand times costs nothing. What is no JSON may pass: the parser
 * refuses that.
 */
export function isPlainJson(text: string): boolean {
  /** Of each object that is open the names so far; null for an array. */
  const open: (string[] | null)[] = []
  let from = 0
  let to = 0
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        from = at + 1
        to = endOfString(text, from)
        if (to < 0) return true
        at = to
        break
      case COLON: {
        const names = open.at(-1)
        if (!names) return true
        const name = nameOf(text, from, to)
        if (names.includes(name) || names.push(name) > MAX_NAMES) return false
        break
      }
      case OPEN_OBJECT:
        if (open.push([]) > MAX_DEPTH) return false
        break
      case OPEN_ARRAY:
        if (open.push(null) > MAX_DEPTH) return false
        break
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        open.pop()
        break
      default:
    }
  }
  return true
}

/** Where the string that begins at `from` has its closing quote: one before which there is an even number of backslashes. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 1)) {
    let before = at
    while (before > from && text.charCodeAt(before - 1) === BACKSLASH) before -= 1
    if ((at - before) % 2 === 0) return at
  }
  return -1
}

/** A name as it is meant: `\u0069d` is `id`. */
function nameOf(text: string, from: number, to: number): string {
  const written = text.slice(from, to)
  if (!written.includes('\\')) return written
  try {
    return JSON.parse(`"${written}"`) as string
  } catch {
    return written
  }
}
