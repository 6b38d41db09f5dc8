import type { Member } from '@wardline/protocol'
import { useMemo } from 'react'
import { strings } from '../strings.ts'
import { useMe } from '../wardline/context.tsx'
import { useDirectory } from '../wardline/directory.ts'

/** Who wrote something: as it is shown beside it. */
export interface Person {
  readonly name: string
  readonly role: string
}

/** From the id of a user to their name. */
export type People = (user: string) => Person

/**
 * The names of those who are, or were, in a conversation. Members come with the subscription; only where somebody has left
 * since is the directory asked.
 * @param senders the ids that must have a name
 */
export function usePeople(members: readonly Member[], senders: ReadonlySet<string>): People {
  const me = useMe()
  const known = useMemo(() => new Set([me.id, ...members.map((each) => each.user)]), [members, me.id])
  const strangers = members.length > 0 && [...senders].some((each) => !known.has(each))
  const former = useDirectory(strangers).data

  return useMemo(() => {
    const people = new Map<string, Person>()
    for (const each of former ?? []) {
      people.set(each.id, { name: each.displayName, role: each.title ?? strings.words.role(each.roles[0] ?? null) })
    }
    for (const each of members) {
      people.set(each.user, { name: each.displayName, role: each.title ?? strings.words.role(each.role) })
    }
    return (user) => people.get(user) ?? { name: user === me.id ? me.displayName : strings.words.somebody, role: '' }
  }, [members, former, me])
}
