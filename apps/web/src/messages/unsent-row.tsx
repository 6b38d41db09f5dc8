import type { Post } from '@wardline/client'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { PriorityMark } from '../ui/priority-mark.tsx'
import { useWardline } from '../wardline/context.tsx'
import styles from './message-row.module.css'
import { StandingIcon } from './receipt-button.tsx'

const { unsent: text } = strings.messages

function stateText({ state }: Post): string {
  switch (state.is) {
    case 'queued':
      return state.maybeSent ? text.maybe : text.queued
    case 'sending':
      return text.sending
    case 'accepted':
      return text.accepted
    case 'refused':
      return state.code === 'forbidden' || state.code === 'not-found'
        ? text.refused.forbidden
        : state.code === 'too-large'
          ? text.refused['too-large']
          : text.refused.other
  }
}

/** My message that is not on the server yet: in its place at the end, never lost in silence, never sent twice. */
export function UnsentRow({ post, first }: { readonly post: Post; readonly first: boolean }) {
  const { outbox } = useWardline()
  const { draft, state, clientId } = post
  const priority = draft.priority ?? 'routine'
  const intent = draft.intent === undefined || draft.intent === 'stat' ? null : draft.intent
  const refused = state.is === 'refused'
  return (
    <article
      className={`${styles.row} ${styles.mine} ${first ? styles.first : ''}`}
      data-priority={priority}
      aria-label={`${strings.words.me}. ${stateText(post)}`}
    >
      <header className={`${styles.header} ${first ? '' : styles.folded}`}>
        <span className={styles.sender}>{strings.words.me}</span>
      </header>
      <div className={`${styles.bubble} ${styles.pending}`}>
        {(priority !== 'routine' || intent !== null) && (
          <p className={styles.weight}>
            {priority !== 'routine' && <PriorityMark priority={priority} />}
            {intent !== null && (
              <span className={styles.intent} data-intent={intent}>
                {strings.messages.intents[intent]}
              </span>
            )}
          </p>
        )}
        <p className={styles.body} dir="auto">
          {draft.body}
        </p>
      </div>
      <div className={styles.footer}>
        <span className={`${styles.receipt} ${refused ? styles.refused : ''}`} role={refused ? 'alert' : undefined}>
          {!refused && <StandingIcon standing={state.is === 'accepted' ? 'sent' : 'waiting'} />}
          {stateText(post)}
        </span>
        {state.is === 'queued' && !state.maybeSent && (
          <Button small kind="quiet" onClick={() => outbox.cancel(clientId)}>
            {text.cancel}
          </Button>
        )}
        {refused && (
          <>
            <Button small onClick={() => outbox.retry(clientId)}>
              {text.retry}
            </Button>
            <Button small kind="quiet" onClick={() => outbox.discard(clientId)}>
              {text.discard}
            </Button>
          </>
        )}
      </div>
    </article>
  )
}
