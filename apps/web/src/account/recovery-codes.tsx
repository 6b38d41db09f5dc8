import { useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
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
  const [copied, setCopied] = useState(false)
  const copy = () => {
    // Where the browser refuses, they can still be marked and copied by hand.
    navigator.clipboard.writeText(codes.join('\n')).then(
      () => setCopied(true),
      () => setCopied(false),
    )
  }
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
