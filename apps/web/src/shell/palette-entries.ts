/** One thing that can be gone to or done. */
export interface PaletteEntry {
  readonly key: string
  readonly kind: 'talk' | 'go' | 'act'
  readonly text: string
  /** What tells it from others of the same name: date of birth and record number of a patient. */
  readonly detail: string
  readonly run: () => void
}

/** So many are shown: what is not among them is found by one more letter. */
const MOST = 12

/** Without case and accents, so that `muller` finds Müller; gaps of a record number do not matter. */
function folded(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase()
}

/** Those in which each word that was typed occurs; those that begin with it first, else in the order given. */
export function matchingEntries(entries: readonly PaletteEntry[], typed: string): readonly PaletteEntry[] {
  const words = folded(typed).split(/\s+/).filter(Boolean)
  const [first] = words
  if (first === undefined) return entries.slice(0, MOST)
  const found = entries.filter((entry) => {
    const all = folded(`${entry.text} ${entry.detail}`)
    const whole = `${all} ${all.replaceAll(/[\s,]/g, '')}`
    return words.every((word) => whole.includes(word))
  })
  const begins = (entry: PaletteEntry) => folded(entry.text).startsWith(first)
  return [...found.filter(begins), ...found.filter((entry) => !begins(entry))].slice(0, MOST)
}
