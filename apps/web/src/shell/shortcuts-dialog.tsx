import { useSettings } from '../settings/settings.tsx'
import { strings } from '../strings.ts'
import { Dialog } from '../ui/dialog.tsx'
import styles from './shortcuts-dialog.module.css'

const text = strings.shell.shortcuts

/** All keys, on `?`. */
export function ShortcutsDialog({ onClose }: { readonly onClose: () => void }) {
  const { singleKeys } = useSettings()
  return (
    <Dialog title={text.title} onClose={onClose}>
      {!singleKeys && <p className={styles.off}>{text.off}</p>}
      <dl className={styles.list}>
        {text.list.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              {keys
                .split(' ')
                .map((part, index) =>
                  /^(then|\/)$/.test(part) && keys.includes(' ') ? (
                    <span key={`${index}-${part}`}> {part} </span>
                  ) : (
                    <kbd key={`${index}-${part}`}>{part}</kbd>
                  ),
                )}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
