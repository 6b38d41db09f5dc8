import { assemble, type Parts, type Wardline } from '../client.ts'
import { memoryStorage } from '../csrf-store.ts'
import { memoryKeyStore } from '../device-key.ts'
import { type Environment, globalTime } from '../environment.ts'
import { noOutboxStore } from '../outbox-store.ts'
import { noLocks, noTabs } from '../tabs.ts'
import { nodeFetch } from './fetch.ts'
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
  Partial<Environment> & {
    /** The certificate authority to trust instead of the system's: PEM. `$WARDLINE_DATA/tls/authority.crt` of a local server. */
    ca?: string | undefined
    /** The `Origin` to state. By default that of `url`, which a server always allows. */
    origin?: string | undefined
  }

/** The SDK for bots, tools and tests: keys and cookies live as long as the process. */
export function createWardline(options: NodeOptions): Wardline {
  const { url, storage, keyStore, outboxStore, tabs, locks, proofs, ca, origin, ...environment } = options
  return assemble({
    url,
    environment: {
      ...globalTime,
      fetch: environment.fetch ?? nodeFetch({ ca, origin }),
      transport: environment.transport ?? nodeTransport({ ca, origin }),
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
