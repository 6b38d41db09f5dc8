import { Link } from '@tanstack/react-router'
import type { Alert } from '@wardline/protocol'
import { clock, shortDate } from '../format/time.ts'
import { strings } from '../strings.ts'
import styles from './alert-list.module.css'
import { SeverityMark } from './severity-mark.tsx'

const text = strings.alerts

/** Whom an alert is about, in a few words. */
export function aboutOf({ user, address, scope }: Alert): string {
  if (user !== null) return user.displayName ?? user.id
  return address ?? (scope === 'installation' ? text.installation : text.nobody)
}

interface AlertListProps {
  readonly alerts: readonly Alert[]
  /** The one that is open beside it. */
  readonly chosen: string | undefined
  readonly closed: boolean
}

/** Alerts, the latest first; each is a link to its own page. */
export function AlertList({ alerts, chosen, closed }: AlertListProps) {
  return (
    <ul className={styles.list} aria-label={text.list}>
      {alerts.map((alert) => (
        <li key={alert.id}>
          <Link
            to="/alerts/$alertId"
            params={{ alertId: alert.id }}
            search={closed ? { state: 'closed' } : {}}
            className={styles.row ?? ''}
            data-state={alert.state}
            aria-current={alert.id === chosen ? 'page' : undefined}
          >
            <span className={styles.first}>
              <SeverityMark severity={alert.severity} />
              <time dateTime={alert.lastAt}>
                {shortDate(alert.lastAt)} {clock(alert.lastAt)}
              </time>
            </span>
            <span className={styles.kind}>{text.kinds[alert.kind]}</span>
            <span className={styles.second}>
              <span className={styles.about}>{aboutOf(alert)}</span>
              {alert.count > 1 && <span>{text.times(alert.count)}</span>}
              <span className={styles.state}>{text.state[alert.state]}</span>
            </span>
          </Link>
        </li>
      ))}
    </ul>
  )
}
