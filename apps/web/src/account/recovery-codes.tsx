import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { useCopied } from '../ui/use-copied.ts'
import styles from './account.module.css'

const text = strings.account.factor

interface RecoveryCodesProps {
  readonly codes: readonly string[]
  /** What they follow from. */
  readonly done: string | null
  readonly onKept: () => void
}

/** Shown this once. */
export function RecoveryCodes({ codes, done, onKept }: RecoveryCodesProps) {
  const { copied, copy } = useCopied(codes.join('\n'))
  return (
    <>
      <p role="status">
        {done} {text.codes}
      </p>
      <ul className={styles.codes}>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div>
        <Button onClick={copy}>{copied ? text.copied : text.copy}</Button>{' '}
        <Button kind="primary" onClick={onKept}>
          {text.kept}
        </Button>
      </div>
    </>
  )
}
