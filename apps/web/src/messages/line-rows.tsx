import { Siren } from 'lucide-react'
import { clock, dayWord, untilTime } from '../format/time.ts'
import { strings } from '../strings.ts'
import styles from './line-rows.module.css'
import type { Notice } from './timeline.ts'
import type { People } from './use-people.ts'

const text = strings.messages

/** The day that what follows was posted on, in the zone of this device. */
export function DaySeparator({ at, now }: { readonly at: string | number; readonly now: number }) {
  const { is, date } = dayWord(at, now)
  return (
    <h3 className={styles.day}>
      <span>{is === 'other' ? date : `${text.day[is]} · ${date}`}</span>
    </h3>
  )
}

/** Where this person had stopped reading. */
export function UnreadLine() {
  return (
    <p className={styles.unread}>
      <span>{text.unreadFrom}</span>
    </p>
  )
}

/** Something that happened to the conversation itself. Emergency access is in red and has its sign: nobody misses it. */
export function NoticeRow({
  notice,
  people,
  now,
}: {
  readonly notice: Notice
  readonly people: People
  readonly now: number
}) {
  const { event, at } = notice
  const name = people(event.user).name
  const emergency = event.type === 'emergency-access.opened'
  return (
    <p className={`${styles.notice} ${emergency ? styles.emergency : ''}`} data-seq={notice.seq}>
      {emergency && <Siren aria-hidden size={16} />}
      <span>
        {event.type === 'member.joined' && text.notices.joined(name, strings.words.role(event.role))}
        {event.type === 'member.left' && text.notices.left(name)}
        {event.type === 'emergency-access.opened' && text.notices.emergencyOpened(name, untilTime(event.until, now))}
        {event.type === 'emergency-access.closed' && text.notices.emergencyClosed(name)}
      </span>
      <time dateTime={at}>{clock(at)}</time>
    </p>
  )
}

/** Messages that cannot be had any more. */
export function HoleRow({ seq }: { readonly seq: number }) {
  return (
    <p className={styles.notice} data-seq={seq}>
      {text.hole}
    </p>
  )
}
