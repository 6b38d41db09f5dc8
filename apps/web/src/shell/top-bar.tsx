import { Link } from '@tanstack/react-router'
import { CircleUser, Search } from 'lucide-react'
import { Wordmark } from '../session/wordmark.tsx'
import { strings } from '../strings.ts'
import { IconButton } from '../ui/button.tsx'
import { useAbility, useMe } from '../wardline/context.tsx'
import { AlertsLink } from './alerts-link.tsx'
import { ConnectionLine } from './connection-line.tsx'
import styles from './top-bar.module.css'

const { nav, account, palette } = strings.shell

interface TopBarProps {
  readonly onAccount: () => void
  readonly onPalette: () => void
}

/** On every screen: where one is, whether it is true now, and who one is. */
export function TopBar({ onAccount, onPalette }: TopBarProps) {
  const me = useMe()
  const clinical = useAbility('channel.read')
  const auditor = useAbility('audit.read')
  const administrator = useAbility('settings.manage')
  const people = useAbility('user.read')
  return (
    <header className={styles.bar}>
      <Link to="/" className={styles.home ?? ''} aria-label={strings.words.product}>
        <Wordmark small />
      </Link>
      {auditor && (
        <nav aria-label={nav.label} className={styles.nav}>
          {clinical && (
            <Link
              to="/"
              className={styles.link ?? ''}
              activeProps={{ 'aria-current': 'page' }}
              activeOptions={{ exact: false }}
            >
              {nav.inbox}
            </Link>
          )}
          <Link to="/audit" className={styles.link ?? ''} activeProps={{ 'aria-current': 'page' }}>
            {nav.audit}
          </Link>
          <AlertsLink className={styles.link ?? ''} />
          {people && (
            <Link to="/people" className={styles.link ?? ''} activeProps={{ 'aria-current': 'page' }}>
              {nav.people}
            </Link>
          )}
          {administrator && (
            <Link to="/settings" className={styles.link ?? ''} activeProps={{ 'aria-current': 'page' }}>
              {strings.policy.nav}
            </Link>
          )}
        </nav>
      )}
      <span className={styles.space} />
      <ConnectionLine />
      <IconButton label={palette.open} icon={Search} size={18} aria-haspopup="dialog" onClick={onPalette} />
      <button
        type="button"
        className={styles.me}
        aria-label={account.openAs(me.displayName)}
        title={account.open}
        aria-haspopup="dialog"
        onClick={onAccount}
      >
        <CircleUser aria-hidden size={19} strokeWidth={2} />
        <span className={styles.myName}>{me.displayName}</span>
      </button>
    </header>
  )
}
