import type { Member, Receipt } from '@wardline/protocol'
import { CheckCheck, Clock, Eye } from 'lucide-react'
import { untilTime } from '../format/time.ts'
import { strings } from '../strings.ts'
import { useChannel, useMe } from '../wardline/context.tsx'
import { type Presence, saidAt, usePresence } from '../wardline/presence.tsx'
import { type Behind, behind } from './behind.ts'
import styles from './member-list.module.css'

const text = strings.members

const ICONS = { read: Eye, unread: CheckCheck, undelivered: Clock } as const
const WORDS: Record<Behind, string> = { read: text.readAll, unread: text.behind, undelivered: text.notDelivered }

interface MemberListProps {
  readonly channel: string
  readonly title: string
  /** The last sequence there is: who has read it has read everything. */
  readonly head: number
  readonly now: number
}

/** Who may see the conversation now, in which role, until when, and how far each has got. */
export function MemberList({ channel, title, head, now }: MemberListProps) {
  const me = useMe().id
  const { members, receipts } = useChannel(channel)
  const presence = usePresence()
  const said = (user: string) => saidAt(presence.get(user), now)
  const coverOf = (user: string) => members.find((each) => each.user === said(user)?.cover)?.displayName ?? null
  const others = members.filter((each) => each.user !== me)
  const sorted = others.toSorted((a, b) => a.displayName.localeCompare(b.displayName))
  const mine = members.find((each) => each.user === me)
  return (
    <section className={styles.section} aria-label={title}>
      <h3 className={styles.heading}>
        {title}
        {members.length > 0 && <span className={styles.count}>{members.length}</span>}
      </h3>
      {members.length === 0 ? (
        <p className={styles.empty}>{text.waiting}</p>
      ) : (
        <ul className={styles.list}>
          {mine !== undefined && (
            <MemberRow
              member={mine}
              receipt={null}
              said={said(mine.user)}
              cover={coverOf(mine.user)}
              me
              head={head}
              now={now}
            />
          )}
          {sorted.map((each) => (
            <MemberRow
              key={each.user}
              member={each}
              receipt={receipts.get(each.user) ?? null}
              said={said(each.user)}
              cover={coverOf(each.user)}
              me={false}
              head={head}
              now={now}
            />
          ))}
        </ul>
      )}
      {members.length > 0 && others.length === 0 && <p className={styles.empty}>{text.none}</p>}
    </section>
  )
}

interface MemberRowProps {
  readonly member: Member
  readonly receipt: Receipt | null
  readonly said: Presence | null
  /** The name of who covers. */
  readonly cover: string | null
  readonly me: boolean
  readonly head: number
  readonly now: number
}

function MemberRow({ member, receipt, said, cover, me, head, now }: MemberRowProps) {
  const how = behind(receipt, head)
  const Icon = ICONS[how]
  const role = strings.words.role(member.role)
  return (
    <li className={styles.member}>
      <span className={styles.name}>
        {member.displayName}
        {me && <span className={styles.me}> ({strings.words.me.toLocaleLowerCase()})</span>}
      </span>
      <span className={styles.role}>
        {[member.title ?? role, member.until === null ? '' : text.until(untilTime(member.until, now))]
          .filter(Boolean)
          .join(' · ')}
      </span>
      {said !== null && (
        <span className={styles.said} data-status={said.status}>
          <span className={styles.dot} aria-hidden />
          {[
            text.presence[said.status],
            said.until === null ? '' : text.until(untilTime(said.until, now)),
            cover === null ? '' : text.covers(cover),
          ]
            .filter(Boolean)
            .join(' · ')}
        </span>
      )}
      {!me && (
        <span className={styles.standing} data-standing={how}>
          <Icon aria-hidden size={14} strokeWidth={2.2} />
          {WORDS[how]}
        </span>
      )}
    </li>
  )
}
