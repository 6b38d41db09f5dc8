import { useNavigate, useSearch } from '@tanstack/react-router'
import type { SessionSummary } from '@wardline/protocol'
import { MonitorOff } from 'lucide-react'
import { useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { useAbility } from '../wardline/context.tsx'
import { useDirectory } from '../wardline/directory.ts'
import { useEndSignIns, useSignIns } from './api.ts'
import { ConfirmDialog } from './confirm-dialog.tsx'
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
  const end = useEndSignIns()
  const mayEnd = useAbility('session.manage')
  const people = useDirectory(true).data ?? []
  const nameOf = (user: string) => people.find(({ id }) => id === user)?.displayName ?? user.slice(0, 8)
  const [asked, setAsked] = useState<SessionSummary | 'all' | null>(null)
  const [done, setDone] = useState<string | null>(null)
  const items = held.data?.pages.flatMap((page) => page.items) ?? []
  const ask = (what: SessionSummary | 'all') => {
    end.reset()
    setDone(null)
    setAsked(what)
  }
  const finish = (said: string) => {
    setDone(said)
    setAsked(null)
  }

  return (
    <PeoplePage title={text.title} lead={text.lead} actions={<Refresh held={held} />}>
      <div className={styles.narrow}>
        <PersonFilter person={person} onChange={(search) => void navigate({ to: '/people/sign-ins', search })} />
        {mayEnd && person !== undefined && items.length > 0 && (
          <Button kind="danger" aria-haspopup="dialog" onClick={() => ask('all')}>
            {text.endAll(nameOf(person))}
          </Button>
        )}
      </div>
      {done !== null && (
        <p role="status" className={styles.done}>
          {done}
        </p>
      )}
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
            onEnd={mayEnd && !session.current ? ask : null}
          />
        )}
      />
      {asked === 'all' && person !== undefined && (
        <ConfirmDialog
          title={text.endAllTitle(nameOf(person))}
          more={text.endMore}
          sure={text.end}
          busy={end.isPending}
          error={end.error}
          onClose={() => setAsked(null)}
          onSure={() => end.mutate({ person }, { onSuccess: (count) => finish(text.endedAll(nameOf(person), count)) })}
        />
      )}
      {asked !== null && asked !== 'all' && (
        <ConfirmDialog
          title={text.endTitle(nameOf(asked.user))}
          more={text.endMore}
          sure={text.end}
          busy={end.isPending}
          error={end.error}
          onClose={() => setAsked(null)}
          onSure={() => end.mutate({ session: asked.id }, { onSuccess: () => finish(text.ended(nameOf(asked.user))) })}
        />
      )}
    </PeoplePage>
  )
}
