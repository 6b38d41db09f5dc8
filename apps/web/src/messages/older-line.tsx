import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import type { ConversationState } from './conversation.ts'
import styles from './line-rows.module.css'

const { older } = strings.messages

interface OlderLineProps {
  readonly context?: { readonly state: ConversationState; readonly onOlder: () => void }
}

/** Above the oldest message: more is coming, or could not be had. */
export function OlderLine({ context }: OlderLineProps) {
  if (context === undefined) return null
  const { state, onOlder } = context
  if (state.older === 'failed') {
    return (
      <p className={styles.notice} role="alert">
        {older.failed}
        <Button small onClick={onOlder}>
          {strings.words.retry}
        </Button>
      </p>
    )
  }
  return state.timeline.complete ? null : <p className={styles.notice}>{older.loading}</p>
}
