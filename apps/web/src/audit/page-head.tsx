import { Link } from '@tanstack/react-router'
import { zone } from '../format/time.ts'
import { strings } from '../strings.ts'
import styles from './reviews-screen.module.css'

/** What stands above a screen beside the events: what it is for, in which zone its times are, and the way back. */
export function PageHead({ title, lead }: { readonly title: string; readonly lead: string }) {
  return (
    <header className={styles.header}>
      <div>
        <h1>{title}</h1>
        <p className={styles.lead}>
          {lead} {strings.words.timesIn(zone())}
        </p>
      </div>
      <Link to="/audit" search={{}}>
        {strings.audit.reviews.toEvents}
      </Link>
    </header>
  )
}
