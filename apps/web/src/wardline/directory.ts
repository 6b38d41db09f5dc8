import { useQuery } from '@tanstack/react-query'
import type { DirectoryEntry } from '@wardline/protocol'
import { useMe, useWardline } from './context.tsx'

const PAGE = 200
/** Of a longer directory, the rest is not fetched: a picker of thousands helps nobody. */
const MOST_PAGES = 10

/** The people of the organisation, at most 2,000. Asked for only while `enabled`, and only of those who may see it. */
export function useDirectory(enabled: boolean) {
  const { api } = useWardline()
  const me = useMe()
  return useQuery({
    queryKey: ['directory'],
    enabled: enabled && me.abilities.includes('directory.read'),
    staleTime: 5 * 60_000,
    queryFn: async () => {
      const people: DirectoryEntry[] = []
      let cursor: string | null = null
      for (let pages = 0; pages < MOST_PAGES; pages += 1) {
        const page: { items: DirectoryEntry[]; next: string | null } = await api.directory({
          limit: PAGE,
          ...(cursor === null ? {} : { cursor }),
        })
        people.push(...page.items)
        cursor = page.next
        if (cursor === null) break
      }
      return people
    },
  })
}

/** What people are called, by id; of whom the directory does not know, the beginning of the id. */
export function useNameOf(): (user: string) => string {
  const people = useDirectory(true).data ?? []
  return (user) => people.find(({ id }) => id === user)?.displayName ?? user.slice(0, 8)
}
