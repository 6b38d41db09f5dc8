import { MessageSquare, MonitorCog, Zap } from 'lucide-react'
import { type KeyboardEvent, useId, useState } from 'react'
import { strings } from '../strings.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Hidden } from '../ui/hidden.tsx'
import styles from './palette-dialog.module.css'
import { matchingEntries, type PaletteEntry } from './palette-entries.ts'

const text = strings.shell.palette
const ICONS = { talk: MessageSquare, go: MonitorCog, act: Zap } as const

interface PaletteDialogProps {
  readonly entries: readonly PaletteEntry[]
  readonly onClose: () => void
}

/** One field from which every conversation and every screen is a few letters away (WAI-ARIA combobox with a list). */
export function PaletteDialog({ entries, onClose }: PaletteDialogProps) {
  const id = useId()
  const [typed, setTyped] = useState('')
  const [chosen, setChosen] = useState(0)
  const found = matchingEntries(entries, typed)
  const run = (entry: PaletteEntry | undefined) => {
    if (entry === undefined) return
    onClose()
    entry.run()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (by !== 0 && found.length > 0) {
      event.preventDefault()
      const next = (chosen + by + found.length) % found.length
      setChosen(next)
      document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: 'nearest' })
    } else if (event.key === 'Enter') {
      event.preventDefault()
      run(found[chosen])
    }
  }
  return (
    <Dialog wide title={text.open} onClose={onClose}>
      <input
        className={styles.field}
        type="text"
        role="combobox"
        aria-label={text.field}
        aria-expanded
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={found.length === 0 ? undefined : `${id}-${chosen}`}
        placeholder={text.placeholder}
        value={typed}
        autoComplete="off"
        spellCheck={false}
        // The palette is opened to type into it.
        // oxlint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        onChange={(event) => {
          setTyped(event.target.value)
          setChosen(0)
        }}
        onKeyDown={onKeyDown}
      />
      <div id={`${id}-list`} role="listbox" aria-label={text.list} className={styles.list}>
        {found.map((entry, at) => {
          const Icon = ICONS[entry.kind]
          return (
            // The field has the focus and its keys choose here, as the combobox pattern has it.
            // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
            <div
              key={entry.key}
              id={`${id}-${at}`}
              role="option"
              aria-selected={at === chosen}
              tabIndex={-1}
              className={styles.entry}
              onMouseMove={() => setChosen(at)}
              onClick={() => run(entry)}
            >
              <Icon aria-hidden size={16} strokeWidth={2} />
              <span className={styles.text}>{entry.text}</span>
              <span className={styles.detail}>{entry.detail}</span>
              <Hidden>{text.kinds[entry.kind]}</Hidden>
            </div>
          )
        })}
      </div>
      <p role="status" className={styles.hint}>
        {found.length === 0 ? text.none : text.hint}
      </p>
    </Dialog>
  )
}
