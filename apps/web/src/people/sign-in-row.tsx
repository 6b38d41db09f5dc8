import type { SessionSummary } from '@wardline/protocol'
import { untilTime } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import styles from './people-screen.module.css'

const text = strings.accounts.signIns

interface SignInRowProps {
  readonly session: SessionSummary
  readonly name: string
  /** When the list was had, in milliseconds: what is “today”. */
  readonly now: number
  readonly onEnd: ((session: SessionSummary) => void) | null
}

/** One sign-in: whose, on what, whether a line is open, and when and where it was used last. */
export function SignInRow({ session, name, now, onEnd }: SignInRowProps) {
  const agent = strings.sessions.agent(session.agent)
  const { sockets, locked, current } = session
  return (
    <li className={styles.row}>
      <div>
        <p className={styles.name}>
          {name} <span className={styles.agent}>{agent}</span>{' '}
          {current && <span className={styles.mark}>{text.here}</span>}
          {locked && <span className={styles.mark}>{text.locked}</span>}
        </p>
        <p className={styles.line} data-live={sockets > 0 ? '' : undefined}>
          <span className={styles.dot} aria-hidden />
          {sockets > 0 ? text.connected(sockets) : text.notConnected}
        </p>
        <p className={styles.hint}>
          {[
            text.active(untilTime(session.lastActiveAt, now)),
            session.address === null ? '' : text.from(session.address),
            text.since(untilTime(session.createdAt, now)),
          ]
            .filter(Boolean)
            .join(' · ')}
        </p>
      </div>
      {onEnd !== null && (
        <Button
          small
          kind="danger"
          aria-label={text.endLabel(name, agent)}
          aria-haspopup="dialog"
          onClick={() => onEnd(session)}
        >
          {text.end}
        </Button>
      )}
    </li>
  )
}
