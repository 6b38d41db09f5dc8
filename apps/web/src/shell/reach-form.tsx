import { presenceStatus } from '@wardline/protocol'
import { useState } from 'react'
import { strings } from '../strings.ts'
import { SelectField } from '../ui/field.tsx'
import { Segmented } from '../ui/segmented.tsx'
import { useMe, useWardline } from '../wardline/context.tsx'
import { useDirectory } from '../wardline/directory.ts'
import { usePresence } from '../wardline/presence.tsx'
import styles from './account-dialog.module.css'

const text = strings.shell.account

/** Whether I can be reached, and who covers: colleagues see it before they write. */
export function ReachForm() {
  const wardline = useWardline()
  const me = useMe().id
  const said = usePresence().get(me)
  const people = (useDirectory(true).data ?? []).filter(({ id }) => id !== me)
  const [status, setStatus] = useState(said?.status ?? 'available')
  const [cover, setCover] = useState(said?.cover ?? '')
  const [failed, setFailed] = useState(false)

  const say = (next: typeof status, by: string) => {
    setStatus(next)
    setCover(by)
    setFailed(false)
    const covered = next === 'available' || by === '' ? {} : { cover: by }
    wardline.setPresence(next, covered).catch(() => setFailed(true))
  }

  return (
    <div className={styles.reach}>
      <Segmented
        showLabel
        label={text.reach}
        value={status}
        onChange={(next) => say(next, cover)}
        segments={presenceStatus.options.map((value) => ({ value, text: strings.members.presence[value] }))}
      />
      {status !== 'available' && (
        <SelectField
          label={text.cover}
          value={cover}
          options={[
            { value: '', text: text.noCover },
            ...people.map(({ id, displayName }) => ({ value: id, text: displayName })),
          ]}
          onChange={(by) => say(status, by)}
        />
      )}
      {failed && (
        <p role="alert" className={styles.warning}>
          {text.reachFailed}
        </p>
      )}
    </div>
  )
}
