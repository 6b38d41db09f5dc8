import type { ReactNode } from 'react'
import styles from './hidden.module.css'

/** Said by a screen reader, seen by nobody. */
export function Hidden({ children, id }: { readonly children: ReactNode; readonly id?: string }) {
  return (
    <span className={styles.hidden} id={id}>
      {children}
    </span>
  )
}
