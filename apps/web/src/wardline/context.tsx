import type { Channel, ConnectionState, Post, SessionState, Wardline } from '@wardline/client'
import type { SignedInUser } from '@wardline/protocol'
import { createContext, type ReactNode, useContext, useMemo, useSyncExternalStore } from 'react'
import type { SealedRecords } from '../vault/sealed-records.ts'

/** What every feature is built on: the SDK, and the sealed place for what has not been sent yet. */
interface Foundation {
  readonly wardline: Wardline
  readonly vault: SealedRecords
}

const FoundationContext = createContext<Foundation | null>(null)
const MeContext = createContext<SignedInUser | null>(null)

interface FoundationProviderProps extends Foundation {
  readonly children: ReactNode
}

export function FoundationProvider({ wardline, vault, children }: FoundationProviderProps) {
  const foundation = useMemo(() => ({ wardline, vault }), [wardline, vault])
  return <FoundationContext value={foundation}>{children}</FoundationContext>
}

/** Around everything that only a person who is signed in sees. */
export function MeProvider({ me, children }: { readonly me: SignedInUser; readonly children: ReactNode }) {
  return <MeContext value={me}>{children}</MeContext>
}

function useFoundation(): Foundation {
  const foundation = useContext(FoundationContext)
  if (foundation === null) throw new Error('outside of FoundationProvider')
  return foundation
}

export function useWardline(): Wardline {
  return useFoundation().wardline
}

export function useVault(): SealedRecords {
  return useFoundation().vault
}

/** Who is signed in. */
export function useMe(): SignedInUser {
  const me = useContext(MeContext)
  if (me === null) throw new Error('outside of MeProvider')
  return me
}

/** Whether policy lets this person do something at all; what it lets them do in one channel is in that channel’s abilities. */
export function useAbility(ability: string): boolean {
  return useMe().abilities.includes(ability)
}

export function useSessionState(): SessionState {
  const { session } = useWardline()
  return useSyncExternalStore(session.subscribe, () => session.state)
}

export function useConnectionState(): ConnectionState {
  const { connection } = useWardline()
  return useSyncExternalStore(connection.subscribe, () => connection.state)
}

/** What is not settled yet, of one channel or of all, in order. */
export function useUnsent(channel?: string): readonly Post[] {
  const { outbox } = useWardline()
  const all = useSyncExternalStore(outbox.subscribe, () => outbox.list())
  return useMemo(() => (channel === undefined ? all : all.filter((post) => post.channel === channel)), [all, channel])
}

/** One channel as the SDK knows it: who is in it, how far each has got, who is typing, and what I may do in it. */
export function useChannel(id: string): {
  readonly channel: Channel
  readonly state: Channel['state']
  readonly members: Channel['members']
  readonly receipts: Channel['receipts']
  readonly abilities: Channel['abilities']
  readonly typing: Channel['typing']
} {
  const wardline = useWardline()
  const channel = useMemo(() => wardline.channel(id), [wardline, id])
  return {
    channel,
    state: useSyncExternalStore(channel.subscribe, () => channel.state),
    members: useSyncExternalStore(channel.subscribe, () => channel.members),
    receipts: useSyncExternalStore(channel.subscribe, () => channel.receipts),
    abilities: useSyncExternalStore(channel.subscribe, () => channel.abilities),
    typing: useSyncExternalStore(channel.subscribe, () => channel.typing),
  }
}
