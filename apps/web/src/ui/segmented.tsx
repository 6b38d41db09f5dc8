import type { ReactNode } from 'react'
import { useId } from 'react'
import styles from './segmented.module.css'

interface Segment<T extends string> {
  readonly value: T
  readonly text: string
  readonly mark?: ReactNode
}

interface SegmentedProps<T extends string> {
  readonly label: string
  readonly value: T
  readonly segments: readonly Segment<T>[]
  readonly onChange: (value: T) => void
  readonly showLabel?: boolean
}

/** One of few, all in sight: native radio buttons, so arrows, labels and screen readers work as they always do. */
export function Segmented<T extends string>({
  label,
  value,
  segments,
  onChange,
  showLabel = false,
}: SegmentedProps<T>) {
  const name = useId()
  return (
    <fieldset className={styles.group} aria-label={showLabel ? undefined : label}>
      {showLabel && <legend className={styles.legend}>{label}</legend>}
      <div className={styles.segments}>
        {segments.map((each) => (
          <label key={each.value} className={styles.segment} data-value={each.value}>
            <input
              type="radio"
              name={name}
              value={each.value}
              checked={each.value === value}
              onChange={() => onChange(each.value)}
            />
            {each.mark}
            <span>{each.text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}
