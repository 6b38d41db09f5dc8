import { LockKeyhole, LogOut } from 'lucide-react'
import { useState } from 'react'
import { zone } from '../format/time.ts'
import { useSignOut } from '../session/sign-out.tsx'
import { useSettings } from '../settings/settings.tsx'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Switch } from '../ui/field.tsx'
import { Segmented } from '../ui/segmented.tsx'
import { useAbility, useMe, useUnsent, useWardline } from '../wardline/context.tsx'
import styles from './account-dialog.module.css'
import { unsentCount } from './connection-words.ts'
import { ReachForm } from './reach-form.tsx'

const text = strings.shell.account

interface AccountDialogProps {
  readonly onShortcuts: () => void
  readonly onPassword: () => void
  readonly onFactor: () => void
  readonly onSessions: () => void
  readonly onClose: () => void
}

/** Who I am here, how this device behaves, and the way out. */
export function AccountDialog({ onShortcuts, onPassword, onFactor, onSessions, onClose }: AccountDialogProps) {
  const me = useMe()
  const settings = useSettings()
  const wardline = useWardline()
  const signOut = useSignOut()
  const unsent = unsentCount(useUnsent())
  const clinical = useAbility('channel.read')
  const [warned, setWarned] = useState(false)
  const [busy, setBusy] = useState(false)

  const leave = () => {
    if (unsent > 0 && !warned) {
      setWarned(true)
      return
    }
    setBusy(true)
    void signOut()
  }

  return (
    <Dialog
      title={text.title}
      onClose={onClose}
      footer={
        <div className={styles.leave}>
          {warned && (
            <p role="alert" className={styles.warning}>
              {text.unsentWarning(unsent)}
            </p>
          )}
          <p className={styles.hint}>{text.signOutHint}</p>
          <Button kind="danger" icon={LogOut} disabled={busy} onClick={leave}>
            {warned ? text.signOutAnyway : text.signOut}
          </Button>
        </div>
      }
    >
      <div className={styles.me}>
        <p className={styles.name}>{me.displayName}</p>
        <p>{[me.title, me.roles.map(strings.words.role).join(', '), me.tenant.name].filter(Boolean).join(' · ')}</p>
        <p className={styles.hint}>{me.username}</p>
        <p className={styles.keys}>
          <Button small onClick={onPassword}>
            {strings.account.password.open}
          </Button>
          <Button small onClick={onFactor}>
            {strings.account.factor.open}
          </Button>
          <Button small onClick={onSessions}>
            {strings.sessions.open}
          </Button>
          <Button small icon={LockKeyhole} onClick={() => void wardline.lock()}>
            {strings.lock.now}
          </Button>
        </p>
      </div>
      {clinical && <ReachForm />}
      <div className={styles.settings}>
        <Segmented
          showLabel
          label={text.theme}
          value={settings.theme}
          onChange={(theme) => settings.change({ theme })}
          segments={(['system', 'light', 'dark'] as const).map((value) => ({ value, text: text.themes[value] }))}
        />
        <Switch
          label={text.enter}
          hint={text.enterHint}
          checked={settings.enterSends}
          onChange={(enterSends) => settings.change({ enterSends })}
        />
        <Switch
          label={text.sound}
          hint={text.soundHint}
          checked={settings.sound}
          onChange={(sound) => settings.change({ sound })}
        />
        <Switch
          label={text.keys}
          hint={text.keysHint}
          checked={settings.singleKeys}
          onChange={(singleKeys) => settings.change({ singleKeys })}
        />
        <div>
          <Button small onClick={onShortcuts}>
            {text.shortcuts}
          </Button>
        </div>
        <p className={styles.hint}>{strings.words.timesIn(zone())}</p>
      </div>
    </Dialog>
  )
}
