import { useQueryClient } from '@tanstack/react-query'
import { SET_UP_PATH } from '@wardline/protocol'
import { CloudOff } from 'lucide-react'
import { type ReactNode, useCallback, useEffect, useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Loading, ScreenState } from '../ui/screen-state.tsx'
import { MeProvider, useSessionState, useVault, useWardline } from '../wardline/context.tsx'
import { IdleWarning } from './idle-warning.tsx'
import { LockScreen } from './lock-screen.tsx'
import styles from './session-gate.module.css'
import { type SetUpAccount, SetUpScreen } from './set-up-screen.tsx'
import { SignInScreen } from './sign-in-screen.tsx'
import { SignOutProvider } from './sign-out.tsx'

/** While the server cannot be reached, it is asked again this often. */
const RETRY_MS = 5_000

type Restoring = 'busy' | 'failed' | 'done'

/** Shows the app to whoever is signed in, and the way in to everybody else. The address stays, so one comes back to where one was. */
export function SessionGate({ children }: { readonly children: ReactNode }) {
  const wardline = useWardline()
  const vault = useVault()
  const client = useQueryClient()
  const state = useSessionState()
  const [restoring, setRestoring] = useState<Restoring>('busy')
  const [unreached, setUnreached] = useState(false)
  const [setUpCode, setSetUpCode] = useState(codeInAddress)
  const [account, setAccount] = useState<SetUpAccount | null>(null)

  const restore = useCallback(() => {
    setRestoring('busy')
    wardline.restore().then(
      () => setRestoring('done'),
      () => setRestoring('failed'),
    )
  }, [wardline])

  useEffect(restore, [restore])

  // A secret does not stay in the address: not in the history, nor on a screen that is shown to others.
  useEffect(() => {
    if (setUpCode !== null) window.history.replaceState(null, '', SET_UP_PATH)
  }, [setUpCode])

  // Nobody should have to press a button because the network was away for a moment.
  useEffect(() => {
    if (restoring !== 'failed') return
    const timer = setTimeout(restore, RETRY_MS)
    window.addEventListener('online', restore)
    return () => {
      clearTimeout(timer)
      window.removeEventListener('online', restore)
    }
  }, [restoring, restore])

  // What one person read must not be there for the next; what another left unsent is not theirs to find.
  useEffect(() => {
    const stops = [
      wardline.session.on('ended', (reason) => {
        client.removeQueries({ predicate: (query) => query.queryKey[0] !== 'about' })
        if (reason === 'signed-out' || reason === 'elsewhere') void vault.wipe().catch(() => undefined)
      }),
      // Nothing of a patient stays in this page's memory behind the lock.
      wardline.session.on('locked', () =>
        client.removeQueries({ predicate: (query) => query.queryKey[0] !== 'about' }),
      ),
      wardline.session.on('signed-in', (user) => {
        setUnreached(false)
        void vault.keepOnly(user.id).catch(() => undefined)
      }),
    ]
    return () => stops.forEach((stop) => stop())
  }, [wardline, vault, client])

  const signOut = useCallback(async () => {
    const { reached } = await wardline.signOut()
    setUnreached(!reached)
  }, [wardline])

  if (setUpCode !== null) {
    const leave = (set: SetUpAccount | null) => {
      window.history.replaceState(null, '', '/')
      setAccount(set)
      setSetUpCode(null)
    }
    return <SetUpScreen code={setUpCode} onDone={leave} onLeave={() => leave(null)} />
  }
  if (state.is === 'signed-in') {
    return (
      <MeProvider me={state.user}>
        <SignOutProvider signOut={signOut}>{children}</SignOutProvider>
        <IdleWarning />
      </MeProvider>
    )
  }
  if (state.is === 'locked') return <LockScreen user={state.user} why={state.why} onSignOut={() => void signOut()} />
  if (restoring === 'busy') {
    return (
      <main className={styles.wait}>
        <Loading lines={1} label={strings.session.opening} />
      </main>
    )
  }
  if (restoring === 'failed') {
    return (
      <main className={styles.wait}>
        <ScreenState
          main
          alert
          icon={CloudOff}
          title={strings.session.unreachable.title}
          more={strings.session.unreachable.more}
          action={<Button onClick={restore}>{strings.words.retry}</Button>}
        />
      </main>
    )
  }
  return <SignInScreen ended={state.reason} unreached={unreached} account={account} />
}

/** What a link to set a password holds behind its #; null where the address is another. */
function codeInAddress(): string | null {
  return location.pathname === SET_UP_PATH ? location.hash.slice(1) : null
}
