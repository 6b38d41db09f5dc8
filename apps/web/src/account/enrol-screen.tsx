import { type ReactNode, useState } from 'react'
import { DemoStripe } from '../session/demo-stripe.tsx'
import { useSignOut } from '../session/sign-out.tsx'
import { Wordmark } from '../session/wordmark.tsx'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { useMe, useWardline } from '../wardline/context.tsx'
import styles from './enrol-screen.module.css'
import { FactorManager } from './factor-manager.tsx'
import { StepUpDialog } from './step-up-dialog.tsx'

const text = strings.account.enrol

/** What follows is for those alone who have the second factor that their role demands. */
export function EnrolGate({ children }: { readonly children: ReactNode }) {
  return useMe().mustEnrol === true ? <EnrolScreen /> : children
}

/** At the first sign-in, or when a role begins to demand it: nothing else is answered until a factor is in force. */
function EnrolScreen() {
  const { session } = useWardline()
  const signOut = useSignOut()
  const [kept, setKept] = useState(false)
  return (
    <div className={styles.screen}>
      <DemoStripe />
      <main className={styles.main}>
        <Wordmark />
        <section className={styles.sheet} aria-labelledby="enrol-title">
          <h1 id="enrol-title">{text.title}</h1>
          <FactorManager empty={text.more} onDone={() => setKept(true)} />
          {kept && (
            <Button kind="primary" onClick={() => void session.renew().catch(() => undefined)}>
              {text.goOn}
            </Button>
          )}
        </section>
        <Button kind="quiet" onClick={() => void signOut()}>
          {text.signOut}
        </Button>
      </main>
      <StepUpDialog />
    </div>
  )
}
