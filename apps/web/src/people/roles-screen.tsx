import { strings } from '../strings.ts'
import { PeoplePage } from './people-page.tsx'
import styles from './people-screen.module.css'
import { RoleList } from './role-list.tsx'
import { RoleMatrix } from './role-matrix.tsx'

const text = strings.accounts.roles

/** What each role may do, and what it asks of who holds it. */
export function RolesScreen() {
  return (
    <PeoplePage wide title={text.title} lead={text.lead}>
      <RoleList />
      <section className={styles.section} aria-labelledby="matrix-title">
        <h2 id="matrix-title">{text.matrix}</h2>
        <p className={styles.lead}>{text.matrixLead}</p>
        <RoleMatrix />
      </section>
    </PeoplePage>
  )
}
