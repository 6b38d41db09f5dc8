import { Link } from '@tanstack/react-router'
import type { Alert, AlertDetail, AuditEventView } from '@wardline/protocol'
import { ArrowLeft } from 'lucide-react'
import { clockSeconds, shortDate } from '../format/time.ts'
import { runbooks } from '../strings/runbooks.ts'
import { strings } from '../strings.ts'
import { Failure, Loading } from '../ui/screen-state.tsx'
import { useAbility } from '../wardline/context.tsx'
import { AlertActions } from './alert-actions.tsx'
import styles from './alert-detail.module.css'
import { aboutOf } from './alert-list.tsx'
import { useAlert } from './api.ts'
import { SeverityMark } from './severity-mark.tsx'

const text = strings.alerts
/** How much before and after an alert is shown of the audit, in milliseconds. */
const AROUND_MS = 10 * 60_000

/** One alert: what is known, who looks after it, what to do, and its events. */
export function AlertDetailPane({ id, closed }: { readonly id: string; readonly closed: boolean }) {
  const alert = useAlert(id)
  return (
    <article className={styles.detail}>
      <Link to="/alerts" search={closed ? { state: 'closed' } : {}} className={styles.back ?? ''}>
        <ArrowLeft aria-hidden size={16} /> {text.back}
      </Link>
      {alert.isPending ? (
        <Loading lines={7} />
      ) : alert.isError ? (
        <Failure error={alert.error} onRetry={() => void alert.refetch()} />
      ) : (
        <Content alert={alert.data} />
      )}
    </article>
  )
}

function Content({ alert }: { readonly alert: AlertDetail }) {
  const { means, steps } = runbooks[alert.kind]
  return (
    <>
      <header>
        <p className={styles.marks}>
          <SeverityMark severity={alert.severity} /> <span>{text.state[alert.state]}</span>
        </p>
        <h2>{text.kinds[alert.kind]}</h2>
        <p>{means}</p>
      </header>
      <AlertActions alert={alert} />
      <Facts alert={alert} />
      <section aria-label={text.runbook}>
        <h3>{text.runbook}</h3>
        <ol className={styles.steps}>
          {steps.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
      </section>
      <Events alert={alert} />
    </>
  )
}

function Facts({ alert }: { readonly alert: Alert }) {
  const { user, address, patient, firstAt, lastAt, count } = alert
  const audits = useAbility('audit.read')
  const when = (at: string) => `${shortDate(at)} ${clockSeconds(at)}`
  return (
    <dl className={styles.facts} aria-label={text.facts.label}>
      <div>
        <dt>{text.facts.person}</dt>
        <dd>{user === null ? (alert.scope === 'installation' ? text.installation : text.nobody) : aboutOf(alert)}</dd>
      </div>
      {address !== null && (
        <div>
          <dt>{text.facts.address}</dt>
          <dd>{address}</dd>
        </div>
      )}
      {patient !== null && (
        <div>
          <dt>{text.facts.patient}</dt>
          <dd>
            <code>{patient}</code>
            {audits && (
              <Link to="/audit" search={{ patient }}>
                {text.ofPatient}
              </Link>
            )}
          </dd>
        </div>
      )}
      <div>
        <dt>{text.facts.first}</dt>
        <dd>{when(firstAt)}</dd>
      </div>
      <div>
        <dt>{text.facts.last}</dt>
        <dd>{when(lastAt)}</dd>
      </div>
      <div>
        <dt>{text.facts.count}</dt>
        <dd>{count.toLocaleString()}</dd>
      </div>
    </dl>
  )
}

function Events({ alert }: { readonly alert: AlertDetail }) {
  const { events, count, user } = alert
  const audits = useAbility('audit.read')
  const around = (at: string, by: number) => new Date(Date.parse(at) + by).toISOString()
  return (
    <section aria-label={text.events}>
      <h3>{text.events}</h3>
      {alert.scope === 'installation' ? (
        <p className={styles.soft}>{text.eventsNone}</p>
      ) : (
        <>
          {events.length < count && <p className={styles.soft}>{text.eventsFew(events.length, count)}</p>}
          {/* A wide table scrolls by itself: whoever has no mouse scrolls it too. */}
          {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
          <div className={styles.scroll} tabIndex={0} role="group" aria-label={text.eventsTable}>
            <EventTable events={events} />
          </div>
          {audits && (
            <Link
              to="/audit"
              search={{
                ...(user === null ? {} : { actor: user.id }),
                from: around(alert.firstAt, -AROUND_MS),
                until: around(alert.lastAt, AROUND_MS),
              }}
            >
              {text.inAudit}
            </Link>
          )}
        </>
      )}
    </section>
  )
}

function EventTable({ events }: { readonly events: readonly AuditEventView[] }) {
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          {Object.entries(text.columns).map(([name, column]) => (
            <th key={name} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {events.map((event) => (
          <tr key={`${event.writer}/${event.seq}`}>
            <td>{clockSeconds(event.at)}</td>
            <td>{event.actor?.displayName ?? strings.audit.none}</td>
            <td>{event.action}</td>
            <td>{event.resource?.name ?? event.resource?.kind ?? strings.audit.none}</td>
            <td>{strings.audit.outcomes[event.outcome]}</td>
            <td>{event.reason ?? strings.audit.none}</td>
            <td>{event.address ?? strings.audit.none}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
