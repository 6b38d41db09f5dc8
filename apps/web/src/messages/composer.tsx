import { WardlineError } from '@wardline/client'
import { SendHorizontal, X } from 'lucide-react'
import {
  type KeyboardEvent,
  type ReactNode,
  type Ref,
  useEffect,
  useId,
  useImperativeHandle,
  useRef,
  useState,
} from 'react'
import { useSettings } from '../settings/settings.tsx'
import { strings } from '../strings.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { Hidden } from '../ui/hidden.tsx'
import { useWardline } from '../wardline/context.tsx'
import styles from './composer.module.css'
import { draftProblem, isWorthKeeping, toPost, withIntent, withPriority } from './draft.ts'
import { IntentPicker } from './intent-picker.tsx'
import { PriorityPicker } from './priority-picker.tsx'
import type { useDraft } from './use-draft.ts'

const text = strings.messages.composer
/** From so few characters left on, how many is said. */
const FEW_LEFT = 500

interface ComposerProps {
  readonly channel: string
  /** Whom or what it is about, as the send button says it: `DOE, Jane`. */
  readonly subject: string
  readonly aboutPatient: boolean
  /** The bound of a body, in UTF-16 code units. */
  readonly maxLength: number
  readonly editing: ReturnType<typeof useDraft>
  /** Who wrote the message that is being answered, and what. */
  readonly replyTo: { readonly name: string; readonly body: string } | null
  /** Whom it goes to, and who of them cannot be reached. */
  readonly recipients: ReactNode
  readonly onTyping: (active: boolean) => void
  readonly ref?: Ref<{ focus: () => void }>
}

/** Where one writes. The button names the patient: the last look before it goes (NPSG.01.01.01). */
export function Composer(props: ComposerProps) {
  const { channel, subject, aboutPatient, maxLength, editing, replyTo, recipients, onTyping, ref } = props
  const { draft, ready, refused, change, clear } = editing
  const wardline = useWardline()
  const { enterSends } = useSettings()
  const field = useRef<HTMLTextAreaElement>(null)
  const [failure, setFailure] = useState<string | null>(null)
  const id = useId()

  useImperativeHandle(ref, () => ({ focus: () => field.current?.focus() }), [])

  // As high as what is in it, up to the bound that the style sheet sets.
  useEffect(() => {
    const area = field.current
    if (area === null) return
    area.style.height = 'auto'
    area.style.height = `${area.scrollHeight + 2}px`
  }, [draft.body])

  const problem = draftProblem(draft, maxLength)
  const left = maxLength - draft.body.normalize('NFC').length

  const send = () => {
    if (problem !== null || !ready) return
    try {
      wardline.post(channel, toPost(draft))
    } catch (error) {
      const { refused: why } = strings.messages.unsent
      setFailure(error instanceof WardlineError && error.code === 'too-large' ? why['too-large'] : why.other)
      return
    }
    setFailure(null)
    clear()
    onTyping(false)
    field.current?.focus()
  }

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && draft.inReplyTo !== null) {
      event.stopPropagation()
      change({ inReplyTo: null })
      return
    }
    // While an input method composes a character, Enter belongs to it.
    if (event.key !== 'Enter' || event.nativeEvent.isComposing || event.shiftKey || event.altKey) return
    if (enterSends || event.ctrlKey || event.metaKey) {
      event.preventDefault()
      send()
    }
  }

  return (
    <form
      className={styles.composer}
      data-priority={draft.priority}
      data-empty={isWorthKeeping(draft) ? undefined : ''}
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      {draft.inReplyTo !== null && (
        <div className={styles.reply}>
          <p>
            <span className={styles.replyName}>
              {replyTo === null ? strings.messages.replyGone : text.replying(replyTo.name)}
            </span>
            {replyTo !== null && <bdi className={styles.replyText}>{replyTo.body}</bdi>}
          </p>
          <IconButton label={text.stopReply} icon={X} size={16} onClick={() => change({ inReplyTo: null })} />
        </div>
      )}
      <label htmlFor={id}>
        <Hidden>{aboutPatient ? text.label(subject) : text.labelPlain(subject)}</Hidden>
      </label>
      <textarea
        id={id}
        ref={field}
        className={styles.field}
        rows={1}
        placeholder={text.placeholder}
        value={draft.body}
        disabled={!ready}
        dir="auto"
        autoComplete="off"
        aria-describedby={`${id}-state`}
        aria-invalid={problem === 'too-long' || problem === 'forbidden-text' ? true : undefined}
        onChange={(event) => {
          change({ body: event.target.value })
          onTyping(event.target.value !== '')
        }}
        onBlur={() => onTyping(false)}
        onKeyDown={onKeyDown}
      />
      <div className={styles.bar}>
        <PriorityPicker value={draft.priority} onChange={(next) => change(withPriority(draft, next))} />
        <IntentPicker
          value={draft.intent}
          disabled={draft.priority === 'stat'}
          onChange={(next) => change(withIntent(draft, next))}
        />
        <label className={styles.ack}>
          <input
            type="checkbox"
            aria-label={text.ackRequired}
            checked={draft.ackRequired}
            disabled={draft.priority === 'stat'}
            title={draft.priority === 'stat' ? text.ackAlways : undefined}
            onChange={(event) => change({ ackRequired: event.target.checked })}
          />
          <span className={styles.long}>{text.ackRequired}</span>
          <span className={styles.short}>{text.ackShort}</span>
        </label>
        <p id={`${id}-state`} className={styles.state} role={failure === null && !refused ? undefined : 'alert'}>
          {failure ??
            (problem === 'too-long'
              ? text.tooLong(-left)
              : problem === 'forbidden-text'
                ? text.forbiddenText
                : left <= FEW_LEFT
                  ? text.left(left)
                  : refused
                    ? strings.shell.faultStorage
                    : '')}
        </p>
      </div>
      <div className={`${styles.bar} ${styles.last}`}>
        {recipients}
        <Button
          type="submit"
          kind={draft.priority === 'routine' ? 'primary' : draft.priority}
          icon={SendHorizontal}
          className={styles.send ?? ''}
          disabled={problem !== null}
          title={enterSends ? text.hintEnter : text.hintCtrl}
        >
          <span className={styles.sendText}>{aboutPatient ? text.sendAbout(subject) : text.sendTo(subject)}</span>
        </Button>
      </div>
    </form>
  )
}
