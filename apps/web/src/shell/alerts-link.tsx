import { Link } from '@tanstack/react-router'
import { useCallback } from 'react'
import { useOpenAlerts } from '../alerts/open-alerts.ts'
import { strings } from '../strings.ts'
import { Hidden } from '../ui/hidden.tsx'
import { useAbility } from '../wardline/context.tsx'
import styles from './alerts-link.module.css'
import { useAnnounce } from './announcer.tsx'

/** The way to the alerts, for those who may see them, with how many nobody has acknowledged; a new one is announced. */
export function AlertsLink({ className }: { readonly className: string }) {
  const announce = useAnnounce()
  const open = useOpenAlerts(useCallback(() => announce(strings.alerts.announced, 'assertive'), [announce]))
  if (!useAbility('alert.read')) return null
  return (
    <Link to="/alerts" search={{}} className={className} activeProps={{ 'aria-current': 'page' }}>
      {strings.shell.nav.alerts}
      {open !== null && open > 0 && (
        <>
          <span className={styles.badge} aria-hidden>
            {open > 99 ? '99+' : open}
          </span>
          <Hidden>, {strings.alerts.badge(open)}</Hidden>
        </>
      )}
    </Link>
  )
}
