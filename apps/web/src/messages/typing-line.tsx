import { strings } from '../strings.ts'
import styles from './conversation-pane.module.css'
import type { People } from './use-people.ts'

interface TypingLineProps {
  readonly typing: ReadonlySet<string>
  readonly me: string
  readonly people: People
}

/** Who is writing now. Its line is always there, so that nothing jumps when somebody begins. */
export function TypingLine({ typing, me, people }: TypingLineProps) {
  const names = [...typing].filter((user) => user !== me).map((user) => people(user).name)
  return (
    <p className={styles.typing} aria-live="off">
      {names.length === 0 ? '\u00A0' : strings.messages.typing(names)}
    </p>
  )
}
