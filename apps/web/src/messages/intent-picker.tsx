import { intent as intents } from '@wardline/protocol'
import { strings } from '../strings.ts'
import styles from './composer.module.css'
import type { ComposerDraft } from './draft.ts'

const { intents: words, composer: text } = strings.messages
/** STAT is a priority and an intent at once: it is chosen there. */
const CHOICES = intents.exclude(['stat']).options

interface IntentPickerProps {
  readonly value: ComposerDraft['intent']
  /** STAT says what is wanted by itself. */
  readonly disabled: boolean
  readonly onChange: (intent: ComposerDraft['intent']) => void
}

/** What the sender wants of the reader, in one of few plain words (JHM 2018: they cut interruptions by a third). */
export function IntentPicker({ value, disabled, onChange }: IntentPickerProps) {
  return (
    <select
      className={styles.intent}
      aria-label={text.intent}
      title={text.intent}
      value={disabled ? '' : (value ?? '')}
      disabled={disabled}
      onChange={(event) => onChange(CHOICES.find((each) => each === event.target.value) ?? null)}
    >
      <option value="">{disabled ? words.stat : text.noIntent}</option>
      {CHOICES.map((each) => (
        <option key={each} value={each}>
          {words[each]}
        </option>
      ))}
    </select>
  )
}
