import type { Priority } from '@wardline/protocol'
import { strings } from '../strings.ts'
import styles from './priority-mark.module.css'

/** The shape of a priority: a circle, a triangle, an octagon. Told apart without colour, and at 14 px. */
export function PriorityShape({ priority, size = 16 }: { readonly priority: Priority; readonly size?: number }) {
  return (
    <svg aria-hidden viewBox="0 0 16 16" width={size} height={size} className={`${styles.shape} ${styles[priority]}`}>
      {priority === 'routine' && <circle cx="8" cy="8" r="5" />}
      {priority === 'urgent' && (
        <>
          <path d="M8 1.2 15.4 14.4H.6Z" />
          <path className={styles.sign} d="M8 6v4.2M8 12.1v.3" />
        </>
      )}
      {priority === 'stat' && (
        <>
          <path d="M5 .8h6L15.2 5v6L11 15.2H5L.8 11V5Z" />
          <path className={styles.sign} d="M8 4v4.8M8 11.6v.3" />
        </>
      )}
    </svg>
  )
}

/** Shape and word together: what a message weighs. */
export function PriorityMark({ priority }: { readonly priority: Priority }) {
  return (
    <span className={`${styles.mark} ${styles[`${priority}Mark`]}`}>
      <PriorityShape priority={priority} size={15} />
      {strings.words.priority[priority]}
    </span>
  )
}
