import { assemble, type Parts, type Wardline } from './client.ts'
import { browserStorage } from './csrf-store.ts'
import { memoryKeyStore } from './device-key.ts'
import { browserWake, type Environment, globalTime } from './environment.ts'
import { indexedDbKeyStore } from './indexed-db-key-store.ts'
import { noOutboxStore } from './outbox-store.ts'
import { globalTransport } from './socket-like.ts'
import { broadcastTabs, browserLocks, noLocks, noTabs } from './tabs.ts'

export type { Api, AuditQuery, Page, PageQuery } from './api.ts'
export type { Channel } from './channel.ts'
export type { ChannelEvents, ChannelState } from './channel-state.ts'
export type { Wardline, WardlineEvents } from './client.ts'
export type { Connection, ConnectionState } from './connection.ts'
export type { Storage } from './csrf-store.ts'
export type { KeyStore } from './device-key.ts'
export type { Environment } from './environment.ts'
export { WardlineError } from './error.ts'
export type { Fault } from './fault.ts'
export type { Outbox } from './outbox.ts'
export type { OutboxStore, StoredPost } from './outbox-store.ts'
export type { Accepted, Draft, Post, PostState } from './post.ts'
export type { StopReason } from './reconnect.ts'
export type { Hole } from './sequence-gate.ts'
export type { Session } from './session.ts'
export type { EndReason, LockedWhy, SessionState, SessionWarning, SignIn, SignInResult } from './session-state.ts'
export type { Locks, Tabs } from './tabs.ts'

/** `url` and, for whatever is not to be the browser's own, a part of another make. */
export type WardlineOptions = Pick<Parts, 'url'> & Partial<Omit<Parts, 'url' | 'environment'>> & Partial<Environment>

/** The SDK as a page uses it: the browser's clock, network and storage, wherever the options give no others. */
export function createWardline(options: WardlineOptions): Wardline {
  const { url, storage, keyStore, outboxStore, tabs, locks, proofs, ...environment } = options
  return assemble({
    url,
    environment: {
      ...globalTime,
      fetch: (target, init) => fetch(target, init),
      transport: globalTransport,
      wake: 'document' in globalThis ? browserWake : () => () => undefined,
      ...environment,
    },
    storage: storage ?? browserStorage(),
    keyStore: keyStore ?? ('indexedDB' in globalThis ? indexedDbKeyStore() : memoryKeyStore()),
    outboxStore: outboxStore ?? noOutboxStore,
    tabs: tabs ?? ('document' in globalThis ? broadcastTabs() : noTabs),
    locks: locks ?? (typeof navigator !== 'undefined' && 'locks' in navigator ? browserLocks() : noLocks),
    proofs,
  })
}
