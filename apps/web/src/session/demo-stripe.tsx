import { strings } from '../strings.ts'
import { useDemo } from './api.ts'
import styles from './demo-stripe.module.css'

/** On every screen of a demonstration: nobody may take it for the real thing. */
export function DemoStripe() {
  if (!useDemo()) return null
  return (
    <aside className={styles.stripe} aria-label={strings.session.demoLabel}>
      <strong>{strings.session.demo}</strong> {strings.session.demoLine}
    </aside>
  )
}
