import type { AuditEventView } from '@wardline/protocol'
import { ShieldAlert, ShieldCheck } from 'lucide-react'
import { useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { useWardline } from '../wardline/context.tsx'
import { type KnownKey, type ProofVerdict, verifyRow } from './proof.ts'
import styles from './proof-cell.module.css'

const text = strings.audit.proof
const KEY = 'wardline.audit-key'
const knownKey: KnownKey = {
  get: () => localStorage.getItem(KEY),
  set: (vkey) => localStorage.setItem(KEY, vkey),
}
const counted = new Intl.NumberFormat()

type Progress =
  | { readonly is: 'idle' | 'verifying' | 'unreachable' }
  | { readonly is: 'done'; readonly verdict: ProofVerdict }

interface ProofCellProps {
  readonly row: AuditEventView
  /** Entries that the checkpoint covers; undefined while nobody knows. */
  readonly signed: number | undefined
}

/** What is proved of a row, and a button that proves it here, on the reader's own machine. */
export function ProofCell({ row, signed }: ProofCellProps) {
  const { api } = useWardline()
  const [progress, setProgress] = useState<Progress>({ is: 'idle' })
  const { index } = row
  if (index === null) return <span className={styles.faint}>{text.none}</span>
  if (signed === undefined || index >= signed) return <span className={styles.faint}>{text.waiting}</span>
  const verify = async () => {
    setProgress({ is: 'verifying' })
    try {
      setProgress({ is: 'done', verdict: await verifyRow(row, await api.admin.auditProof(index), knownKey) })
    } catch {
      setProgress({ is: 'unreachable' })
    }
  }

  return (
    <div className={styles.cell} role="status">
      {progress.is === 'done' ? (
        <Verdict verdict={progress.verdict} />
      ) : (
        <>
          <span>{progress.is === 'unreachable' ? text.unreachable : text.covered(counted.format(signed))}</span>
          <Button
            small
            kind="quiet"
            disabled={progress.is === 'verifying'}
            aria-label={text.verifyOne(counted.format(index))}
            onClick={() => void verify()}
          >
            {progress.is === 'verifying' ? text.verifying : text.verify}
          </Button>
        </>
      )}
    </div>
  )
}

function Verdict({ verdict }: { readonly verdict: ProofVerdict }) {
  const Icon = verdict.ok ? ShieldCheck : ShieldAlert
  return (
    <strong className={verdict.ok ? styles.proved : styles.unproved}>
      <Icon aria-hidden size={15} strokeWidth={2.2} />
      {verdict.ok ? text.verified(counted.format(verdict.size)) : text.faults[verdict.fault]}
    </strong>
  )
}
