import type { AuditEventView } from '@wardline/protocol'
import { Check, Flag } from 'lucide-react'
import { strings } from '../strings.ts'
import styles from './review-marks.module.css'

const text = strings.audit.marks
export type Verdict = 'as-expected' | 'follow-up'

interface ReviewMarksProps {
  readonly row: AuditEventView
  readonly verdict: Verdict | undefined
  readonly onMark: (verdict: Verdict) => void
}

/** What the reviewer thinks of one event. One that has no place in the log yet cannot be marked. */
export function ReviewMarks({ row, verdict, onMark }: ReviewMarksProps) {
  const what = `${row.action}, ${row.at}`
  return (
    <div className={styles.marks} role="group" aria-label={text.of(what)}>
      <button
        type="button"
        aria-pressed={verdict === 'as-expected'}
        aria-label={text.asExpected}
        title={text.asExpected}
        disabled={row.index === null}
        onClick={() => onMark('as-expected')}
      >
        <Check aria-hidden size={15} strokeWidth={2.4} />
      </button>
      <button
        type="button"
        aria-pressed={verdict === 'follow-up'}
        aria-label={text.followUp}
        title={text.followUp}
        disabled={row.index === null}
        onClick={() => onMark('follow-up')}
      >
        <Flag aria-hidden size={15} strokeWidth={2.4} />
      </button>
    </div>
  )
}
