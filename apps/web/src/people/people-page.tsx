import { Link } from '@tanstack/react-router'
import { type ReactNode, useId } from 'react'
import { strings } from '../strings.ts'
import { useAbility } from '../wardline/context.tsx'
import styles from './people-page.module.css'

const { nav, tabs } = strings.accounts

interface PeoplePageProps {
  readonly title: string
  readonly lead: string
  /** Buttons beside the title. */
  readonly actions?: ReactNode
  readonly wide?: boolean
  readonly children: ReactNode
}

/** What the screens about people have around them: their title, and the way to each other. */
export function PeoplePage({ title, lead, actions, wide = false, children }: PeoplePageProps) {
  const heading = useId()
  const careTeams = useAbility('care-team.read')
  const sessions = useAbility('session.read')
  const roles = useAbility('role.read')
  const connections = useAbility('connection.read')
  const link = { className: styles.tab ?? '', activeProps: { 'aria-current': 'page' as const } }
  return (
    // Scrolls by itself, so it can be reached and scrolled by keys.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={styles.screen} role="region" aria-labelledby={heading} tabIndex={0}>
      <nav className={styles.tabs} aria-label={nav}>
        <Link to="/people" activeOptions={{ exact: true }} {...link}>
          {tabs.people}
        </Link>
        {roles && (
          <Link to="/people/roles" {...link}>
            {tabs.roles}
          </Link>
        )}
        {careTeams && (
          <Link to="/people/care-teams" search={{}} activeOptions={{ includeSearch: false }} {...link}>
            {tabs.careTeams}
          </Link>
        )}
        {sessions && (
          <Link to="/people/sign-ins" search={{}} activeOptions={{ includeSearch: false }} {...link}>
            {tabs.sessions}
          </Link>
        )}
        {connections && (
          <Link to="/people/connections" search={{}} activeOptions={{ includeSearch: false }} {...link}>
            {tabs.connections}
          </Link>
        )}
      </nav>
      <div className={styles.page} data-wide={wide ? '' : undefined}>
        <header className={styles.header}>
          <div>
            <h1 id={heading}>{title}</h1>
            <p className={styles.lead}>{lead}</p>
          </div>
          {actions !== undefined && <div className={styles.actions}>{actions}</div>}
        </header>
        {children}
      </div>
    </div>
  )
}
