import { strings } from '../strings.ts'
import { Dialog } from '../ui/dialog.tsx'
import { FactorManager } from './factor-manager.tsx'

/** One's own second factors: passkeys, an authenticator app, recovery codes. */
export function FactorDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title={strings.account.factor.title} onClose={onClose}>
      <FactorManager empty={strings.account.factor.off} onDone={onClose} />
    </Dialog>
  )
}
