import type { AuditCheckpoint, AuditEventView } from '@wardline/protocol'
import { ShieldAlert, ShieldCheck } from 'lucide-react'
import { useState } from 'react'
import { clockSeconds, shortDate } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { useWardline } from '../wardline/context.tsx'
import { knownKey } from './log-key.ts'
import { type ProofVerdict, verifyRow } from './proof.ts'
import styles from './proof-cell.module.css'

const text = strings.audit.proof
const counted = new Intl.NumberFormat()

type Progress =
  | { readonly is: 'idle' | 'verifying' | 'unreachable' }
  | { readonly is: 'done'; readonly verdict: ProofVerdict }

interface ProofCellProps {
  readonly row: AuditEventView
  /** What is signed of the log; undefined while nobody knows. */
  readonly signed: AuditCheckpoint | undefined
}

/** What is proved of a row, and a button that proves it here, on the reader's own machine. */
export function ProofCell({ row, signed }: ProofCellProps) {
  const { api } = useWardline()
  const [progress, setProgress] = useState<Progress>({ is: 'idle' })
  const { index } = row
  if (index === null) return <span className={styles.faint}>{text.none}</span>
  if (signed === undefined || index >= signed.size) return <span className={styles.faint}>{text.waiting}</span>
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
          {progress.is === 'unreachable' ? <span>{text.unreachable}</span> : <Covered signed={signed} index={index} />}
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

/** Which checkpoint holds it, and whether others than the log have signed for it. */
function Covered({ signed, index }: { readonly signed: AuditCheckpoint; readonly index: number }) {
  const { witnessed } = signed
  const size = counted.format(signed.size)
  if (witnessed === null || index >= witnessed.size) return <span>{text.covered(size)}</span>
  const at = `${shortDate(witnessed.at)} ${clockSeconds(witnessed.at)}`
  return <span title={text.witnessedBy(witnessed.by.join(', '), at)}>{text.witnessed(size)}</span>
}

function Verdict({ verdict }: { readonly verdict: ProofVerdict }) {
  const Icon = verdict.ok ? ShieldCheck : ShieldAlert
  return (
    <strong className={verdict.ok ? styles.proved : styles.unproved}>
      <Icon aria-hidden size={15} strokeWidth={2.2} />
      {verdict.ok
        ? (verdict.isFirst ? text.verifiedFirst : text.verified)(counted.format(verdict.size))
        : text.faults[verdict.fault]}
    </strong>
  )
}
