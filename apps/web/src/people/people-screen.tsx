import { strings } from '../strings.ts'
import styles from './people-screen.module.css'
import { PersonList } from './person-list.tsx'
import { RoleList } from './role-list.tsx'

const text = strings.accounts

/** Who may sign in, by what, and what their roles ask of them. */
export function PeopleScreen() {
  return (
    // Scrolls by itself, so it can be reached and scrolled by keys.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={styles.screen} role="region" aria-labelledby="people-and-roles" tabIndex={0}>
      <h1 id="people-and-roles">{text.title}</h1>
      <section className={styles.section} aria-labelledby="roles-title">
        <h2 id="roles-title">{text.roles.title}</h2>
        <p className={styles.lead}>{text.roles.lead}</p>
        <RoleList />
      </section>
      <section className={styles.section} aria-labelledby="people-title">
        <h2 id="people-title">{text.people.title}</h2>
        <p className={styles.lead}>{text.people.lead}</p>
        <PersonList />
      </section>
    </div>
  )
}
