import { Outlet, useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { FactorDialog } from '../account/factor-dialog.tsx'
import { PasswordDialog } from '../account/password-dialog.tsx'
import { SessionsDialog } from '../account/sessions-dialog.tsx'
import { StepUpDialog } from '../account/step-up-dialog.tsx'
import { DemoStripe } from '../session/demo-stripe.tsx'
import { useSettings } from '../settings/settings.tsx'
import { strings } from '../strings.ts'
import { useAbility } from '../wardline/context.tsx'
import { AccountDialog } from './account-dialog.tsx'
import styles from './frame.module.css'
import { ShortcutsDialog } from './shortcuts-dialog.tsx'
import { TopBar } from './top-bar.tsx'
import { useShortcuts } from './use-shortcuts.ts'

/** To the conversation if one is open, else to the content: past the bar and the inbox. */
function skip(): void {
  const conversation = document.querySelector<HTMLElement>('[data-skip-to-conversation]')
  const target = conversation ?? document.querySelector<HTMLElement>('[data-skip-to]')
  target?.focus()
}

/** What is around every screen of somebody who is signed in. */
export function Frame() {
  const navigate = useNavigate()
  const { singleKeys } = useSettings()
  const auditor = useAbility('audit.read')
  const [open, setOpen] = useState<'account' | 'shortcuts' | 'password' | 'factor' | 'sessions' | null>(null)

  useShortcuts(
    {
      '?': () => setOpen('shortcuts'),
      'g i': () => void navigate({ to: '/' }),
      'g a': () => {
        if (auditor) void navigate({ to: '/audit', search: {} })
      },
    },
    singleKeys,
  )

  useEffect(() => {
    document.title = strings.words.product
  }, [])

  return (
    <div className={styles.frame}>
      <button type="button" className={styles.skip} onClick={skip}>
        {strings.shell.skip}
      </button>
      <DemoStripe />
      <TopBar onAccount={() => setOpen('account')} />
      <main className={styles.main} tabIndex={-1} data-skip-to="">
        <Outlet />
      </main>
      {open === 'account' && (
        <AccountDialog
          onShortcuts={() => setOpen('shortcuts')}
          onPassword={() => setOpen('password')}
          onFactor={() => setOpen('factor')}
          onSessions={() => setOpen('sessions')}
          onClose={() => setOpen(null)}
        />
      )}
      <StepUpDialog />
      {open === 'password' && <PasswordDialog onClose={() => setOpen(null)} />}
      {open === 'factor' && <FactorDialog onClose={() => setOpen(null)} />}
      {open === 'sessions' && <SessionsDialog onClose={() => setOpen(null)} />}
      {open === 'shortcuts' && <ShortcutsDialog onClose={() => setOpen(null)} />}
    </div>
  )
}
