import type { AdminUser } from '@wardline/protocol'
import { useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Failure, Loading } from '../ui/screen-state.tsx'
import { useAbility, useMe } from '../wardline/context.tsx'
import { useAccounts } from './api.ts'
import styles from './people-screen.module.css'
import { ResetDialog } from './reset-dialog.tsx'

const text = strings.accounts.people

/** The accounts, each with its roles; and the way to help somebody who has lost every second factor. */
export function PersonList() {
  const accounts = useAccounts()
  const me = useMe().id
  const mayReset = useAbility('factor.reset')
  const [asked, setAsked] = useState<AdminUser | null>(null)
  const [done, setDone] = useState<string | null>(null)
  if (accounts.isPending) return <Loading lines={6} />
  if (accounts.isError) return <Failure error={accounts.error} onRetry={() => void accounts.refetch()} />
  const people = accounts.data.pages.flatMap(({ items }) => items)
  return (
    <>
      {done !== null && (
        <p role="status" className={styles.done}>
          {done}
        </p>
      )}
      <ul className={styles.list}>
        {people.map((person) => (
          <li key={person.id} className={styles.row}>
            <div>
              <p className={styles.name}>{person.displayName}</p>
              <p className={styles.hint}>
                {[person.username, person.title, person.roles.map(strings.words.role).join(', ') || text.none]
                  .filter(Boolean)
                  .join(' · ')}
              </p>
            </div>
            {person.disabled ? (
              <p className={styles.hint}>{text.disabled}</p>
            ) : person.kind === 'service' ? (
              <p className={styles.hint}>{text.service}</p>
            ) : (
              mayReset &&
              person.id !== me && (
                <Button
                  small
                  aria-label={text.resetLabel(person.displayName)}
                  aria-haspopup="dialog"
                  onClick={() => {
                    setDone(null)
                    setAsked(person)
                  }}
                >
                  {text.reset}
                </Button>
              )
            )}
          </li>
        ))}
      </ul>
      {accounts.hasNextPage && (
        <div>
          <Button disabled={accounts.isFetchingNextPage} onClick={() => void accounts.fetchNextPage()}>
            {text.more}
          </Button>
        </div>
      )}
      {asked !== null && (
        <ResetDialog
          person={asked}
          onClose={() => setAsked(null)}
          onDone={() => {
            setDone(text.resetDone(asked.displayName))
            setAsked(null)
          }}
        />
      )}
    </>
  )
}
