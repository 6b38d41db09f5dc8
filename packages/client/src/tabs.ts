/** What the tabs of one browser tell each other: they share the refresh cookie, so they share the sign-in. */
export type TabMessage =
  | { readonly kind: 'signed-in'; readonly user: string }
  | { readonly kind: 'signed-out' | 'locked' | 'unlocked' | 'active' }

export type Tabs = {
  /** To all others; never to this one. */
  post(message: TabMessage): void
  onMessage(run: (message: TabMessage) => void): () => void
  close(): void
}

/** One at a time, over all tabs: two refreshes with one cookie would look like theft. */
export type Locks = { request<T>(name: string, run: () => Promise<T>): Promise<T> }

const CHANNEL = 'wardline-session'
const PLAIN: ReadonlySet<unknown> = new Set(['signed-out', 'locked', 'unlocked', 'active'])

export function broadcastTabs(): Tabs {
  const channel = new BroadcastChannel(CHANNEL)
  return {
    post: (message) => channel.postMessage(message),
    onMessage: (run) => {
      const listener = (event: MessageEvent<unknown>) => {
        if (isTabMessage(event.data)) run(event.data)
      }
      channel.addEventListener('message', listener)
      return () => channel.removeEventListener('message', listener)
    },
    close: () => channel.close(),
  }
}

/** For a process that has no other tabs. */
export const noTabs: Tabs = { post: () => undefined, onMessage: () => () => undefined, close: () => undefined }

/** Web Locks where the browser has them. A page that holds one is not frozen, so none is held for ever. */
export function browserLocks(): Locks {
  return {
    request: async (name, run) => {
      // The type of `request` loses what `run` gives, so it is carried out by hand.
      let outcome: { value: Awaited<ReturnType<typeof run>> } | undefined
      await navigator.locks.request(name, async () => {
        outcome = { value: await run() }
      })
      if (outcome === undefined) throw new Error('the lock was granted and its work not done')
      return outcome.value
    },
  }
}

/** For a process that has no other tabs. */
export const noLocks: Locks = { request: (_name, run) => run() }

function isTabMessage(value: unknown): value is TabMessage {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false
  if (value.kind === 'signed-in') return 'user' in value && typeof value.user === 'string'
  return PLAIN.has(value.kind)
}
