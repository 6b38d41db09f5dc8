import { Link } from '@tanstack/react-router'
import { Megaphone, User, Users } from 'lucide-react'
import { age, birthDate, mrnGroups } from '../format/patient.ts'
import { rowTime } from '../format/time.ts'
import { strings } from '../strings.ts'
import { PriorityShape } from '../ui/priority-mark.tsx'
import styles from './inbox-row.module.css'
import { channelName, type InboxRow as Row } from './sections.ts'

const text = strings.inbox
const KIND_ICONS = { patient: null, group: Users, direct: User, broadcast: Megaphone } as const

interface InboxRowProps {
  readonly row: Row
  readonly now: number
}

/** One conversation: whom it is about by two identifiers, what waits in it, and how much is new. */
export function InboxRow({ row, now }: InboxRowProps) {
  const { channel, waiting } = row
  const { patient, unread } = channel
  const Icon = KIND_ICONS[channel.kind]
  const weight = waiting.stat > 0 ? 'stat' : waiting.urgent > 0 || channel.urgent > 0 ? 'urgent' : null
  return (
    <li>
      <Link
        to="/c/$channelId"
        params={{ channelId: channel.id }}
        className={styles.row ?? ''}
        activeProps={{ 'aria-current': 'page' }}
        data-inbox-row=""
        data-unread={unread > 0 ? '' : undefined}
        data-weight={weight ?? undefined}
      >
        <span className={styles.name}>
          {Icon !== null && <Icon aria-label={text.kinds[channel.kind]} size={15} strokeWidth={2.2} />}
          <span className={styles.nameText}>{channelName(channel)}</span>
        </span>
        {channel.lastAt !== null && (
          <time dateTime={channel.lastAt} className={styles.time}>
            {rowTime(channel.lastAt, now)}
          </time>
        )}
        <span className={styles.detail}>
          {patient === null ? <PlainDetail row={row} /> : <PatientDetail row={row} now={now} />}
        </span>
        {unread > 0 && (
          <span className={styles.count} aria-label={text.unread(unread)}>
            {unread > 99 ? '99+' : unread}
          </span>
        )}
        {weight !== null && <WaitingLine row={row} weight={weight} now={now} />}
      </Link>
    </li>
  )
}

function WaitingLine({ row, weight, now }: InboxRowProps & { readonly weight: 'stat' | 'urgent' }) {
  const { waiting, channel } = row
  const words = [
    waiting.stat > 0 ? text.waits.stat(waiting.stat) : '',
    waiting.urgent > 0 ? text.waits.urgent(waiting.urgent) : '',
    waiting.stat + waiting.urgent === 0 ? text.waits.unreadUrgent(channel.urgent) : '',
    waiting.since === null
      ? ''
      : text.waits.since(rowTime(waiting.since, now), Math.floor((now - Date.parse(waiting.since)) / 60_000)),
  ]
  return (
    <span className={styles.waiting}>
      <PriorityShape priority={weight} size={15} />
      {words.filter(Boolean).join(', ')}
    </span>
  )
}

function PatientDetail({ row, now }: InboxRowProps) {
  const { patient } = row.channel
  if (patient === null) return null
  const years = patient.deceased ? text.deceased : age(patient.birthDate, new Date(now))
  return (
    <>
      <span>
        {birthDate(patient.birthDate) ?? strings.patients.bornUnknown}
        {years !== null && ` (${years})`}
      </span>
      <span>
        {strings.patients.mrn}{' '}
        <span className={styles.mrn}>
          {mrnGroups(patient.mrn).map((group, index) => (
            <span key={`${index}-${group}`}>{group}</span>
          ))}
        </span>
      </span>
    </>
  )
}

function PlainDetail({ row }: { readonly row: Row }) {
  const { channel } = row
  if (channel.kind === 'direct') return channel.with[0]?.title ?? text.kinds.direct
  return text.kinds[channel.kind]
}
