import { useNavigate, useSearch } from '@tanstack/react-router'
import type { SessionSummary } from '@wardline/protocol'
import { MonitorOff } from 'lucide-react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { useAbility } from '../wardline/context.tsx'
import { useNameOf } from '../wardline/directory.ts'
import { useEndSignIns, useSignIns } from './api.ts'
import { useEnding } from './ending.tsx'
import { LiveList, PersonFilter, Refresh } from './live-list.tsx'
import { PeoplePage } from './people-page.tsx'
import styles from './people-screen.module.css'
import { SignInRow } from './sign-in-row.tsx'

const text = strings.accounts.signIns

/** Who is signed in, with their connections; ended here, at once and on every server. */
export function SignInsScreen() {
  const { person } = useSearch({ from: '/people/sign-ins' })
  const navigate = useNavigate()
  const held = useSignIns(person)
  const { ask, notice } = useEnding(useEndSignIns(), { more: text.endMore, sure: text.end })
  const mayEnd = useAbility('session.manage')
  const nameOf = useNameOf()
  const items = held.data?.pages.flatMap((page) => page.items) ?? []
  const onEnd = ({ id, user }: SessionSummary) =>
    ask({ what: { session: id }, title: text.endTitle(nameOf(user)), ended: () => text.ended(nameOf(user)) })
  const endAll = (person: string) => {
    const name = nameOf(person)
    ask({ what: { person }, title: text.endAllTitle(name), ended: (count) => text.endedAll(name, count) })
  }

  return (
    <PeoplePage title={text.title} lead={text.lead} actions={<Refresh held={held} />}>
      <div className={styles.narrow}>
        <PersonFilter person={person} onChange={(search) => void navigate({ to: '/people/sign-ins', search })} />
        {mayEnd && person !== undefined && items.length > 0 && (
          <Button kind="danger" aria-haspopup="dialog" onClick={() => endAll(person)}>
            {text.endAll(nameOf(person))}
          </Button>
        )}
      </div>
      {notice}
      <LiveList
        held={held}
        icon={MonitorOff}
        none={text.none}
        row={(session) => (
          <SignInRow
            key={session.id}
            session={session}
            name={nameOf(session.user)}
            now={held.dataUpdatedAt}
            onEnd={mayEnd && !session.current ? onEnd : null}
          />
        )}
      />
    </PeoplePage>
  )
}
