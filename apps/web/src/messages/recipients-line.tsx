import type { Member, Priority, Receipt } from '@wardline/protocol'
import { UserRoundX } from 'lucide-react'
import { strings } from '../strings.ts'
import { usePresence } from '../wardline/presence.tsx'
import styles from './composer.module.css'
import { recipientsOf } from './recipients.ts'

const text = strings.messages.recipients
/** More than so many are counted, not named. */
const NAMED = 3

interface RecipientsLineProps {
  readonly members: readonly Member[]
  readonly receipts: ReadonlyMap<string, Receipt>
  readonly me: string
  readonly head: number
  readonly priority: Priority
  readonly now: number
}

/** Before it is sent: whom it goes to, how it will come to them, and who of them cannot be reached. */
export function RecipientsLine(props: RecipientsLineProps) {
  const presence = usePresence()
  const { names, unreached } = recipientsOf({ ...props, presence })
  if (names.length === 0) return null
  return (
    <div className={styles.to}>
      <p>
        {names.length > NAMED ? text.count(names.length) : text.named(names)}{' '}
        <span className={styles.how}>{text.how[props.priority]}</span>
      </p>
      {unreached.length > 0 && (
        <p className={styles.unreached}>
          <UserRoundX aria-hidden size={14} strokeWidth={2.2} />
          {unreached.length > NAMED
            ? text.manyUnreached(unreached.length)
            : unreached.map(({ name, why, cover }) => text.unreached[why](name, cover)).join(' ')}
        </p>
      )}
    </div>
  )
}
