/** The order of names on paper: accents and case apart, numbers by their value. */
export const compareNames = new Intl.Collator('en', { sensitivity: 'base', numeric: true }).compare

/**
 * What was typed, made ready to be looked for: in any order, each of its words somewhere in the text, whatever the case, the
 * accents and the punctuation (`muller doe` finds `Müller-Doe`, `123456` finds `123 456`). Runs in memory, because names and
 * numbers are encrypted where they rest.
 *
 * @returns whether the texts of one row hold all of it; of a text without a letter or digit, nothing does
 */
export function searchFor(typed: string): (...texts: readonly (string | null)[]) => boolean {
  const wanted = wordsOf(typed)
  return (...texts) => {
    const words = texts.flatMap((text) => (text === null ? [] : wordsOf(text)))
    // Numbers are written in groups and typed without them.
    const joined = texts.map((text) => (text === null ? '' : wordsOf(text).join('')))
    return wanted.length > 0 && wanted.every((part) => [...words, ...joined].some((text) => text.includes(part)))
  }
}

/** Letters and digits in lower case; compatibility forms and accents taken apart and the marks left out (Unicode NFKD). */
function wordsOf(text: string): string[] {
  const plain = text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
  return plain.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '')
}
