import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import type { Connection } from '@wardline/protocol'
import { Unplug } from 'lucide-react'
import { untilTime } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { useAbility } from '../wardline/context.tsx'
import { useNameOf } from '../wardline/directory.ts'
import { useConnections, useEndSignIns } from './api.ts'
import { useEnding } from './ending.tsx'
import { LiveList, PersonFilter, Refresh } from './live-list.tsx'
import { PeoplePage } from './people-page.tsx'
import styles from './people-screen.module.css'

const text = strings.accounts.connections

/** The sockets that are open, on every node. One is ended with its sign-in: its client would open another. */
export function ConnectionsScreen() {
  const { person } = useSearch({ from: '/people/connections' })
  const navigate = useNavigate()
  const held = useConnections(person)
  const { ask, notice } = useEnding(useEndSignIns(), { more: text.endMore, sure: text.end })
  const mayEnd = useAbility('session.manage')
  const nameOf = useNameOf()
  const onEnd = ({ session, user }: Connection) =>
    ask({ what: { session }, title: text.endTitle(nameOf(user)), ended: () => text.ended(nameOf(user)) })

  return (
    <PeoplePage title={text.title} lead={text.lead} actions={<Refresh held={held} />}>
      <div className={styles.narrow}>
        <PersonFilter person={person} onChange={(search) => void navigate({ to: '/people/connections', search })} />
      </div>
      {notice}
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
            onEnd={mayEnd ? onEnd : null}
          />
        )}
      />
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
