import type { DirectoryEntry } from '@wardline/protocol'

/** So many are offered at once: who looks for more types another letter. */
const MOST = 50

function folded(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase()
}

/** People in whose name, title or roles each word of `filter` occurs, by name; without those in `except`. At most 50. */
export function matchingPeople(
  people: readonly DirectoryEntry[],
  filter: string,
  except: ReadonlySet<string>,
): readonly DirectoryEntry[] {
  const words = folded(filter).split(/\s+/).filter(Boolean)
  return people
    .filter((each) => {
      if (except.has(each.id)) return false
      const text = folded(`${each.displayName} ${each.title ?? ''} ${each.roles.join(' ')}`)
      return words.every((word) => text.includes(word))
    })
    .toSorted((a, b) => a.displayName.localeCompare(b.displayName))
    .slice(0, MOST)
}
