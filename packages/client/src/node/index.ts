import { assemble, type Parts, type Wardline } from '../client.ts'
import { memoryStorage } from '../csrf-store.ts'
import { memoryKeyStore } from '../device-key.ts'
import { type Environment, globalTime } from '../environment.ts'
import { noOutboxStore } from '../outbox-store.ts'
import { noLocks, noTabs } from '../tabs.ts'
import { nodeFetch } from './fetch.ts'
import type { NodeTls } from './tls.ts'
import { nodeTransport } from './transport.ts'

export type { Wardline } from '../client.ts'
export { memoryKeyStore } from '../device-key.ts'
export { WardlineError } from '../error.ts'
export { createProofs } from '../proof.ts'
export { ServerClock } from '../server-clock.ts'
export { type ServiceCredentials, signInAsService } from './service.ts'
export { nodeTransport } from './transport.ts'

/** What a program outside a browser adds. */
export type NodeOptions = Pick<Parts, 'url'> &
  Partial<Omit<Parts, 'url' | 'environment'>> &
  Partial<Environment> &
  NodeTls

/** The SDK for bots, tools and tests: keys and cookies live as long as the process. */
export function createWardline(options: NodeOptions): Wardline {
  const { url, storage, keyStore, outboxStore, tabs, locks, proofs, ca, certificate, origin, ...environment } = options
  const tls = { ca, certificate, origin }
  return assemble({
    url,
    environment: {
      ...globalTime,
      fetch: environment.fetch ?? nodeFetch(tls),
      transport: environment.transport ?? nodeTransport(tls),
      wake: () => () => undefined,
      ...environment,
    },
    storage: storage ?? memoryStorage(),
    keyStore: keyStore ?? memoryKeyStore(),
    outboxStore: outboxStore ?? noOutboxStore,
    tabs: tabs ?? noTabs,
    locks: locks ?? noLocks,
    proofs,
  })
}
