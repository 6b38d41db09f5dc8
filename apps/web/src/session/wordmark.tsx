import { strings } from '../strings.ts'
import styles from './wordmark.module.css'

/** The name with its sign: a line that carries something. */
export function Wordmark({ small = false }: { readonly small?: boolean }) {
  return (
    <span className={`${styles.wordmark} ${small ? styles.small : ''}`}>
      <svg viewBox="0 0 32 32" aria-hidden className={styles.sign}>
        <rect width="32" height="32" rx="7" />
        <path d="M6 17h5l3-8 4.5 14 3-6H26" />
      </svg>
      <span className={styles.name}>{strings.words.product}</span>
    </span>
  )
}
