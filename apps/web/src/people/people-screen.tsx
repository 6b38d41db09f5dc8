import type { AdminUser } from '@wardline/protocol'
import { UserRoundPlus } from 'lucide-react'
import { useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { useAbility } from '../wardline/context.tsx'
import { PeoplePage } from './people-page.tsx'
import styles from './people-screen.module.css'
import { PersonDialog } from './person-dialog.tsx'
import { PersonList } from './person-list.tsx'
import { SetUpDialog } from './set-up-dialog.tsx'

const text = strings.accounts.people

/** Who may sign in, and as what. */
export function PeopleScreen() {
  const mayCreate = useAbility('user.manage')
  const [creating, setCreating] = useState(false)
  const maySetUp = useAbility('password.reset')
  /** Somebody new who cannot sign in yet. */
  const [open, setOpen] = useState<AdminUser | null>(null)
  const [done, setDone] = useState<string | null>(null)
  return (
    <PeoplePage
      title={text.title}
      lead={text.lead}
      actions={
        mayCreate && (
          <Button kind="primary" icon={UserRoundPlus} aria-haspopup="dialog" onClick={() => setCreating(true)}>
            {text.create}
          </Button>
        )
      }
    >
      {done !== null && (
        <p role="status" className={styles.done}>
          {done}
        </p>
      )}
      <PersonList onDone={setDone} />
      {creating && (
        <PersonDialog
          person={null}
          onClose={() => setCreating(false)}
          onDone={(said, created) => {
            setDone(said)
            setCreating(false)
            if (maySetUp) setOpen(created ?? null)
          }}
        />
      )}
      {open !== null && <SetUpDialog person={open} onClose={() => setOpen(null)} />}
    </PeoplePage>
  )
}
