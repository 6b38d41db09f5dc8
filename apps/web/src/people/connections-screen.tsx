import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import type { Connection } from '@wardline/protocol'
import { Unplug } from 'lucide-react'
import { useState } from 'react'
import { untilTime } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { useAbility } from '../wardline/context.tsx'
import { useDirectory } from '../wardline/directory.ts'
import { useConnections, useEndSignIns } from './api.ts'
import { ConfirmDialog } from './confirm-dialog.tsx'
import { LiveList, PersonFilter, Refresh } from './live-list.tsx'
import { PeoplePage } from './people-page.tsx'
import styles from './people-screen.module.css'

const text = strings.accounts.connections

/** The sockets that are open, on every node. One is ended with its sign-in: its client would open another. */
export function ConnectionsScreen() {
  const { person } = useSearch({ from: '/people/connections' })
  const navigate = useNavigate()
  const held = useConnections(person)
  const end = useEndSignIns()
  const mayEnd = useAbility('session.manage')
  const people = useDirectory(true).data ?? []
  const nameOf = (user: string) => people.find(({ id }) => id === user)?.displayName ?? user.slice(0, 8)
  const [asked, setAsked] = useState<Connection | null>(null)
  const [done, setDone] = useState<string | null>(null)
  const ask = (connection: Connection) => {
    end.reset()
    setDone(null)
    setAsked(connection)
  }

  return (
    <PeoplePage title={text.title} lead={text.lead} actions={<Refresh held={held} />}>
      <div className={styles.narrow}>
        <PersonFilter person={person} onChange={(search) => void navigate({ to: '/people/connections', search })} />
      </div>
      {done !== null && (
        <p role="status" className={styles.done}>
          {done}
        </p>
      )}
      <LiveList
        held={held}
        icon={Unplug}
        none={text.none}
        row={(connection) => (
          <ConnectionRow
            key={connection.id}
            connection={connection}
            name={nameOf(connection.user)}
            now={held.dataUpdatedAt}
            onEnd={mayEnd ? ask : null}
          />
        )}
      />
      {asked !== null && (
        <ConfirmDialog
          title={text.endTitle(nameOf(asked.user))}
          more={text.endMore}
          sure={text.end}
          busy={end.isPending}
          error={end.error}
          onClose={() => setAsked(null)}
          onSure={() =>
            end.mutate(
              { session: asked.session },
              {
                onSuccess: () => {
                  setDone(text.ended(nameOf(asked.user)))
                  setAsked(null)
                },
              },
            )
          }
        />
      )}
    </PeoplePage>
  )
}

interface ConnectionRowProps {
  readonly connection: Connection
  readonly name: string
  /** When the list was had, in milliseconds: what is “today”. */
  readonly now: number
  readonly onEnd: ((connection: Connection) => void) | null
}

/** One socket: whose, from where, since when, on which node; and the way to what it did. */
function ConnectionRow({ connection, name, now, onEnd }: ConnectionRowProps) {
  const audit = useAbility('audit.read')
  const { id, address, openedAt, node } = connection
  const since = text.since(untilTime(openedAt, now))
  return (
    <li className={styles.row}>
      <div>
        <p className={styles.name}>{name}</p>
        <p className={styles.hint}>{[since, text.from(address), text.node(node.slice(0, 6))].join(' · ')}</p>
      </div>
      <div className={styles.ways}>
        {audit && (
          <Link to="/audit" search={{ connection: id }} aria-label={text.lookLabel(name, since)}>
            {text.look}
          </Link>
        )}
        {onEnd !== null && (
          <Button
            small
            kind="danger"
            aria-label={text.endLabel(name, since)}
            aria-haspopup="dialog"
            onClick={() => onEnd(connection)}
          >
            {text.end}
          </Button>
        )}
      </div>
    </li>
  )
}
