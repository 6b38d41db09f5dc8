import type { Member, Receipt } from '@wardline/protocol'
import { Check, CheckCheck, Clock, Eye } from 'lucide-react'
import { strings } from '../strings.ts'
import styles from './message-row.module.css'
import { receiptLine, type Standing, standings } from './receipts.ts'
import type { PostedMessage } from './timeline.ts'

const { receipts: text } = strings.messages

/** The picture of a standing; the word goes with it. */
export function StandingIcon({ standing }: { readonly standing: Standing | 'waiting' }) {
  const Icon = { waiting: Clock, sent: Check, delivered: CheckCheck, read: Eye }[standing]
  return <Icon aria-hidden size={15} strokeWidth={2.2} className={styles.standing} data-standing={standing} />
}

interface ReceiptButtonProps {
  readonly message: PostedMessage
  readonly members: readonly Member[]
  readonly receipts: ReadonlyMap<string, Receipt>
  readonly onOpen: () => void
}

/** Under my own message: how far it has got, in a picture and in words; opens the list of each person. */
export function ReceiptButton({ message, members, receipts, onOpen }: ReceiptButtonProps) {
  const people = standings(members, receipts, message)
  const { standing, count, of } = receiptLine(people)
  const line =
    of === 0
      ? text.nobody
      : standing === 'read'
        ? text.read(count, of)
        : standing === 'delivered'
          ? text.delivered(count, of)
          : text.sent
  const title = people.map((each) => `${each.displayName}: ${text.standing[each.standing]}`).join('\n')
  return (
    <button type="button" className={styles.receipt} aria-label={text.details(line)} title={title} onClick={onOpen}>
      <StandingIcon standing={standing} />
      {line}
    </button>
  )
}
