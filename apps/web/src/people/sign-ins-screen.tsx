import { useNavigate, useSearch } from '@tanstack/react-router'
import type { SessionSummary } from '@wardline/protocol'
import { MonitorOff, RefreshCw } from 'lucide-react'
import { useState } from 'react'
import { clock } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { SelectField } from '../ui/field.tsx'
import { Failure, Loading, ScreenState } from '../ui/screen-state.tsx'
import { useAbility } from '../wardline/context.tsx'
import { useDirectory } from '../wardline/directory.ts'
import { useEndSignIns, useSignIns } from './api.ts'
import { ConfirmDialog } from './confirm-dialog.tsx'
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
    <PeoplePage
      title={text.title}
      lead={text.lead}
      actions={
        <>
          {held.dataUpdatedAt > 0 && <p className={styles.hint}>{text.asOf(clock(held.dataUpdatedAt))}</p>}
          <Button icon={RefreshCw} disabled={held.isFetching} onClick={() => void held.refetch()}>
            {text.refresh}
          </Button>
        </>
      }
    >
      <div className={styles.narrow}>
        <SelectField
          label={text.person}
          value={person ?? ''}
          options={[
            { value: '', text: text.everybody },
            ...people.map(({ id, displayName }) => ({ value: id, text: displayName })),
          ]}
          onChange={(id) => void navigate({ to: '/people/sign-ins', search: id === '' ? {} : { person: id } })}
        />
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
      {held.isPending ? (
        <Loading lines={6} />
      ) : held.isError ? (
        <Failure error={held.error} onRetry={() => void held.refetch()} />
      ) : items.length === 0 ? (
        <ScreenState icon={MonitorOff} title={text.none} />
      ) : (
        <ul className={styles.list}>
          {items.map((session) => (
            <SignInRow
              key={session.id}
              session={session}
              name={nameOf(session.user)}
              now={held.dataUpdatedAt}
              onEnd={mayEnd && !session.current ? ask : null}
            />
          ))}
        </ul>
      )}
      {held.hasNextPage && (
        <div>
          <Button disabled={held.isFetchingNextPage} onClick={() => void held.fetchNextPage()}>
            {text.more}
          </Button>
        </div>
      )}
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
