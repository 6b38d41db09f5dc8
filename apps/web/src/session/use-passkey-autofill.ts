import { useEffect } from 'react'
import { useWardline } from '../wardline/context.tsx'
import { askForPasskey, autofillWorks, callOff, isCalledOff } from './passkey.ts'

/** What was asked of the browser is asked anew before it is too old for the server, in ms. */
const ASK_ANEW_MS = 4 * 60_000

/**
 * Passkeys among what the browser offers in the user name's field, for as long as the form is there: one that is chosen there
 * signs in. @param enabled not while another way in is being tried
 */
export function usePasskeyAutofill(enabled: boolean, onFailed: (error: unknown) => void): void {
  const { session } = useWardline()
  useEffect(() => {
    if (!enabled) return
    let over = false
    let timer: ReturnType<typeof setTimeout> | undefined

    async function offer(): Promise<void> {
      if (!(await autofillWorks()) || over) return
      const request = await session.passkeyOptions()
      if (over || request.rpId !== location.hostname) return
      timer = setTimeout(() => void offer().catch(ignore), ASK_ANEW_MS)
      const passkey = await askForPasskey(request, true)
      if (!over) await session.signInWithPasskey(passkey).catch(onFailed)
    }
    function ignore(error: unknown): void {
      // A server that does not answer is seen by whoever types a password.
      if (!isCalledOff(error)) clearTimeout(timer)
    }

    void offer().catch(ignore)
    return () => {
      over = true
      clearTimeout(timer)
      callOff()
    }
  }, [enabled, session, onFailed])
}
