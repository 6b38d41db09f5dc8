import { useMutation, useQuery } from '@tanstack/react-query'
import type { Factors } from '@wardline/protocol'
import { useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Loading } from '../ui/screen-state.tsx'
import { useMe, useWardline } from '../wardline/context.tsx'
import styles from './account.module.css'
import { EnrolForm } from './enrol-form.tsx'
import { changeFailure } from './failure.ts'
import { RecoveryCodes } from './recovery-codes.tsx'

const text = strings.account.factor

/** One's own second factor: set up an authenticator app, or take it away. */
export function FactorDialog({ onClose }: { readonly onClose: () => void }) {
  const { api } = useWardline()
  const me = useMe().id
  const held = useQuery({ queryKey: ['factors', me], queryFn: () => api.factors(), staleTime: 0 })
  const [codes, setCodes] = useState<readonly string[] | null>(null)
  // What is shown once is kept nowhere but on the screen: no query holds it.
  const begin = useMutation({ mutationFn: () => api.enrolTotp(), gcTime: 0 })

  const confirmed = (recoveryCodes: readonly string[]) => {
    setCodes(recoveryCodes)
    begin.reset()
    void held.refetch()
  }
  const failed = begin.error ?? held.error
  return (
    <Dialog title={codes === null ? text.title : text.codesTitle} onClose={onClose}>
      <div className={styles.form}>
        {failed !== null && (
          <p role="alert" className={styles.failure}>
            {changeFailure(failed)}
          </p>
        )}
        {codes !== null ? (
          <RecoveryCodes codes={codes} onKept={onClose} />
        ) : begin.data !== undefined ? (
          <EnrolForm enrolment={begin.data} onConfirmed={confirmed} />
        ) : held.data === undefined ? (
          held.isPending && <Loading lines={2} label={strings.words.loading} />
        ) : held.data.items.length === 0 ? (
          <>
            <p>{text.off}</p>
            <div>
              <Button kind="primary" disabled={begin.isPending} onClick={() => begin.mutate()}>
                {text.begin}
              </Button>
            </div>
          </>
        ) : (
          <Held factors={held.data} onChanged={() => void held.refetch()} />
        )}
      </div>
    </Dialog>
  )
}

function Held({ factors, onChanged }: { readonly factors: Factors; readonly onChanged: () => void }) {
  const { api } = useWardline()
  const [sure, setSure] = useState(false)
  const [first] = factors.items
  const remove = useMutation({ mutationFn: (id: string) => api.removeFactor(id), onSuccess: onChanged })
  if (first === undefined) return null
  return (
    <>
      <p>{text.on(new Date(first.createdAt).toLocaleDateString())}</p>
      <p className={styles.hint}>{text.left(factors.recoveryCodes)}</p>
      {remove.error !== null && (
        <p role="alert" className={styles.failure}>
          {changeFailure(remove.error)}
        </p>
      )}
      <div>
        <Button
          kind="danger"
          disabled={remove.isPending}
          onClick={() => {
            if (sure) remove.mutate(first.id)
            else setSure(true)
          }}
        >
          {sure ? text.removeSure : text.remove}
        </Button>
      </div>
    </>
  )
}
