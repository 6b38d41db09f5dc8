import { useMutation, useQuery } from '@tanstack/react-query'
import { KeyRound, Smartphone } from 'lucide-react'
import { useState } from 'react'
import { isCalledOff, makePasskey, passkeysWork } from '../session/passkey.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Loading } from '../ui/screen-state.tsx'
import { useMe, useWardline } from '../wardline/context.tsx'
import styles from './account.module.css'
import { EnrolForm } from './enrol-form.tsx'
import { FactorList } from './factor-list.tsx'
import { changeFailure } from './failure.ts'
import { RecoveryCodes } from './recovery-codes.tsx'

const text = strings.account.factor

interface FactorManagerProps {
  /** What stands there while there is none. */
  readonly empty: string
  /** After the recovery codes were shown. */
  readonly onDone: () => void
}

/** Sets up second factors, lists them, takes them away. What is shown once is kept nowhere but on the screen: no query holds it. */
export function FactorManager({ empty, onDone }: FactorManagerProps) {
  const { api, session } = useWardline()
  const me = useMe().id
  const held = useQuery({ queryKey: ['factors', me], queryFn: () => api.factors(), staleTime: 0 })
  const [codes, setCodes] = useState<readonly string[] | null>(null)
  const [done, setDone] = useState<string | null>(null)

  // The token of before knows nothing of the factor. Only once the codes are kept: a screen that was waiting for it goes away.
  const renew = () => session.renew().catch(() => undefined)
  const changed = (recoveryCodes: readonly string[], what: string) => {
    setDone(what)
    if (recoveryCodes.length > 0) setCodes(recoveryCodes)
    else void renew()
    app.reset()
    void held.refetch()
  }
  const app = useMutation({ mutationFn: () => api.enrolTotp(), gcTime: 0, onMutate: () => setDone(null) })
  const passkey = useMutation({
    mutationFn: async () => api.confirmPasskey(await makePasskey(await api.enrolPasskey())),
    gcTime: 0,
    onMutate: () => setDone(null),
    onSuccess: ({ recoveryCodes }) => changed(recoveryCodes, text.passkeyAdded),
  })
  const anew = useMutation({
    mutationFn: () => api.renewRecoveryCodes(),
    gcTime: 0,
    onMutate: () => setDone(null),
    onSuccess: ({ recoveryCodes }) => changed(recoveryCodes, text.codesAnew),
  })

  if (codes !== null) {
    return (
      <div className={styles.form}>
        <h2 className={styles.part}>{text.codesTitle}</h2>
        <RecoveryCodes
          codes={codes}
          done={done}
          onKept={() => {
            void renew().then(() => {
              setCodes(null)
              onDone()
            })
          }}
        />
      </div>
    )
  }
  if (app.data !== undefined) {
    return <EnrolForm enrolment={app.data} onConfirmed={(given) => changed(given, text.appAdded)} />
  }
  const failed = [passkey.error, app.error, anew.error, held.error].find((error) => error !== null)
  const busy = passkey.isPending || app.isPending || anew.isPending
  const hasApp = held.data?.items.some(({ kind }) => kind === 'totp') ?? false
  return (
    <div className={styles.form}>
      {failed !== undefined && (
        <p role="alert" className={styles.failure}>
          {isCalledOff(failed) ? text.calledOff : changeFailure(failed)}
        </p>
      )}
      {done !== null && (
        <p role="status" className={styles.done}>
          {done}
        </p>
      )}
      {held.data === undefined ? (
        held.isPending && <Loading lines={2} label={strings.words.loading} />
      ) : (
        <>
          {held.data.items.length === 0 ? (
            <p>{empty}</p>
          ) : (
            <FactorList factors={held.data.items} onRemoved={() => void held.refetch()} />
          )}
          <div className={styles.actions}>
            {passkeysWork() && (
              <Button kind="primary" icon={KeyRound} aria-disabled={busy} onClick={() => busy || passkey.mutate()}>
                {text.addPasskey}
              </Button>
            )}
            <Button icon={Smartphone} aria-disabled={busy} onClick={() => busy || app.mutate()}>
              {hasApp ? text.changeApp : text.begin}
            </Button>
          </div>
          {held.data.items.length > 0 && (
            <div className={styles.recovery}>
              <p>{text.left(held.data.recoveryCodes)}</p>
              <Button small aria-disabled={busy} onClick={() => busy || anew.mutate()}>
                {text.newCodes}
              </Button>
            </div>
          )}
          <p className={styles.hint}>{text.hint}</p>
        </>
      )}
    </div>
  )
}
