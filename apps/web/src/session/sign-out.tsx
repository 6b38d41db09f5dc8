import { createContext, type ReactNode, useContext } from 'react'

const SignOutContext = createContext<(() => Promise<void>) | null>(null)

interface SignOutProviderProps {
  readonly signOut: () => Promise<void>
  readonly children: ReactNode
}

export function SignOutProvider({ signOut, children }: SignOutProviderProps) {
  return <SignOutContext value={signOut}>{children}</SignOutContext>
}

/** Ends the session: here and in the other tabs at once, at the server if it can be reached. */
export function useSignOut(): () => Promise<void> {
  const signOut = useContext(SignOutContext)
  if (signOut === null) throw new Error('outside of SignOutProvider')
  return signOut
}
