import { useMutation } from '@tanstack/react-query'
import type { Factors } from '@wardline/protocol'
import { KeyRound, Smartphone } from 'lucide-react'
import { useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { useWardline } from '../wardline/context.tsx'
import styles from './account.module.css'
import { changeFailure } from './failure.ts'

const text = strings.account.factor

type Factor = Factors['items'][number]

interface FactorListProps {
  readonly factors: readonly Factor[]
  readonly onRemoved: () => void
}

/** What stands between one's password and one's account, each with a way to take it away: said twice, since it is not undone. */
export function FactorList({ factors, onRemoved }: FactorListProps) {
  const { api } = useWardline()
  const [sure, setSure] = useState<string | null>(null)
  const remove = useMutation({ mutationFn: (id: string) => api.removeFactor(id), onSuccess: onRemoved })
  return (
    <>
      {remove.error !== null && (
        <p role="alert" className={styles.failure}>
          {changeFailure(remove.error)}
        </p>
      )}
      <ul className={styles.factors} aria-label={text.listLabel}>
        {factors.map((factor) => (
          <li key={factor.id}>
            {factor.kind === 'passkey' ? <KeyRound aria-hidden size={20} /> : <Smartphone aria-hidden size={20} />}
            <div>
              <p className={styles.kind}>{kindOf(factor)}</p>
              <p className={styles.hint}>
                {text.since(day(factor.createdAt), factor.lastUsedAt && day(factor.lastUsedAt))}
              </p>
            </div>
            <Button
              small
              kind={sure === factor.id ? 'danger' : 'plain'}
              aria-label={sure === factor.id ? text.removeSureLabel(kindOf(factor)) : text.removeLabel(kindOf(factor))}
              aria-disabled={remove.isPending}
              onClick={() => {
                if (remove.isPending) return
                if (sure === factor.id) remove.mutate(factor.id)
                else setSure(factor.id)
              }}
            >
              {sure === factor.id ? text.removeSure : text.remove}
            </Button>
          </li>
        ))}
      </ul>
    </>
  )
}

function kindOf(factor: Factor): string {
  if (factor.kind === 'totp') return text.kinds.totp
  return factor.synced ? text.kinds.synced : text.kinds.bound
}

function day(at: string): string {
  return new Date(at).toLocaleDateString(undefined, { day: 'numeric', month: 'short', year: 'numeric' })
}
