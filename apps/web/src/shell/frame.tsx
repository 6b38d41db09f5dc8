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
import { PresenceProvider } from '../wardline/presence.tsx'
import { AccountDialog } from './account-dialog.tsx'
import styles from './frame.module.css'
import { PaletteDialog } from './palette-dialog.tsx'
import { ShortcutsDialog } from './shortcuts-dialog.tsx'
import { TopBar } from './top-bar.tsx'
import { UpdateNotice } from './update-notice.tsx'
import { usePalette } from './use-palette.ts'
import { usePaletteKey, useShortcuts } from './use-shortcuts.ts'

/** To the conversation if one is open, else to the content: past the bar and the inbox. */
function skip(): void {
  const conversation = document.querySelector<HTMLElement>('[data-skip-to-conversation]')
  const target = conversation ?? document.querySelector<HTMLElement>('[data-skip-to]')
  target?.focus()
}

type Door = 'account' | 'shortcuts' | 'password' | 'factor' | 'sessions' | 'palette'

/** What is around every screen of somebody who is signed in. */
export function Frame() {
  const navigate = useNavigate()
  const { singleKeys } = useSettings()
  const [open, setOpen] = useState<Door | null>(null)
  const may = {
    audit: useAbility('audit.read'),
    alerts: useAbility('alert.read'),
    people: useAbility('user.read'),
    careTeams: useAbility('care-team.read'),
    settings: useAbility('settings.manage'),
  }

  useShortcuts(
    {
      '?': () => setOpen('shortcuts'),
      'g i': () => void navigate({ to: '/' }),
      'g a': () => {
        if (may.audit) void navigate({ to: '/audit', search: {} })
      },
      'g l': () => {
        if (may.alerts) void navigate({ to: '/alerts', search: {} })
      },
      'g p': () => {
        if (may.people) void navigate({ to: '/people' })
      },
      'g t': () => {
        if (may.careTeams) void navigate({ to: '/people/care-teams', search: {} })
      },
      'g s': () => {
        if (may.settings) void navigate({ to: '/settings' })
      },
    },
    singleKeys,
  )

  usePaletteKey(() => setOpen('palette'))

  useEffect(() => {
    document.title = strings.words.product
  }, [])

  return (
    <PresenceProvider>
      <div className={styles.frame}>
        <button type="button" className={styles.skip} onClick={skip}>
          {strings.shell.skip}
        </button>
        <DemoStripe />
        <TopBar onAccount={() => setOpen('account')} onPalette={() => setOpen('palette')} />
        <UpdateNotice />
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
        {open === 'palette' && <Palette onOpen={setOpen} />}
        {open === 'shortcuts' && <ShortcutsDialog onClose={() => setOpen(null)} />}
      </div>
    </PresenceProvider>
  )
}

/** Made anew each time it is opened: what it lists is of that moment. */
function Palette({ onOpen }: { readonly onOpen: (door: Door | null) => void }) {
  const entries = usePalette({
    onAccount: () => onOpen('account'),
    onShortcuts: () => onOpen('shortcuts'),
    onSessions: () => onOpen('sessions'),
  })
  return <PaletteDialog entries={entries} onClose={() => onOpen(null)} />
}
