import type { AuditEventView } from '@wardline/protocol'
import { clockSeconds, shortDate } from '../format/time.ts'
import { strings } from '../strings.ts'
import styles from './connection-story.module.css'

const text = strings.audit.story

/** One connection from its handshake to its close, in a sentence: who it was, from where, how long, and how it ended. */
export function ConnectionStory({ rows }: { readonly rows: readonly AuditEventView[] }) {
  const [first] = rows
  const last = rows.at(-1)
  if (first === undefined || last === undefined) return null
  const who = rows.find(({ actor }) => actor !== null)?.actor?.displayName ?? text.nobody
  const close = rows.findLast(({ action }) => action === 'socket.close')
  // One event can sum up many refusals.
  const refused = rows
    .filter(({ outcome }) => outcome === 'refused' || outcome === 'failed')
    .reduce((sum, { count }) => sum + (count ?? 1), 0)
  const lasted = text.lasted(Math.round((Date.parse(last.at) - Date.parse(first.at)) / 1_000))
  return (
    <p className={styles.story}>
      <strong>{text.who(who, first.address ?? strings.audit.none)}</strong>{' '}
      {text.opened(shortDate(first.at), clockSeconds(first.at))}{' '}
      {close === undefined
        ? text.open(lasted)
        : text.closed(clockSeconds(close.at), close.reason ?? strings.audit.none, lasted)}{' '}
      {text.counted(rows.length, refused)}
    </p>
  )
}
