import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { useConnectionState, useUnsent, useWardline } from '../wardline/context.tsx'
import styles from './connection-line.module.css'
import { connectionWords, unsentCount } from './connection-words.ts'

const text = strings.shell.connection

/** Whether what is on the screen is true now: always in sight, always in words. */
export function ConnectionLine() {
  const { connection } = useWardline()
  const state = useConnectionState()
  const unsent = unsentCount(useUnsent())
  const { tone, state: word, details } = connectionWords(state, unsent)
  const waits = state.is === 'reconnecting' && state.nextAt !== null
  const reload = state.is === 'stopped' && state.reason !== 'replaced'
  return (
    <div className={styles.line} data-tone={tone}>
      <p role="status" aria-label={text.label} className={styles.words}>
        <span className={styles.dot} aria-hidden />
        <span className={styles.state}>{word}</span>
        {details.map((each) => (
          <span key={each} className={styles.detail}>
            {each}
          </span>
        ))}
      </p>
      {waits && (
        <Button small kind="quiet" onClick={() => connection.retryNow()}>
          {text.retryNow}
        </Button>
      )}
      {state.is === 'stopped' && state.reason === 'replaced' && (
        <Button small onClick={() => connection.retryNow()}>
          {text.stopped.here}
        </Button>
      )}
      {reload && (
        <Button small onClick={() => location.reload()}>
          {text.stopped.reload}
        </Button>
      )}
    </div>
  )
}
