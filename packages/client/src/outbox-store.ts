import type { OnFault } from './fault.ts'
import type { Draft } from './post.ts'

/** An unsent post as it is kept on the device. `draft.body` is ePHI: a store encrypts it, or keeps it in memory. */
export type StoredPost = {
  readonly clientId: string
  /** The id of the user who wrote it. Nobody else's sign-in sends it. */
  readonly owner: string
  readonly channel: string
  readonly draft: Draft
  /** Milliseconds by this machine's clock. */
  readonly queuedAt: number
}

/** Where unsent posts outlive the page. Every method may reject: the post is sent all the same, and the fault is told. */
export type OutboxStore = {
  /** The posts of this user, in any order. */
  load(owner: string): Promise<readonly StoredPost[]>
  put(post: StoredPost): Promise<void>
  remove(clientId: string): Promise<void>
  /** Everything, of whomever: called at sign-out. */
  clear(): Promise<void>
}

/** Keeps nothing beyond the page. */
export const noOutboxStore: OutboxStore = {
  load: async () => [],
  put: async () => undefined,
  remove: async () => undefined,
  clear: async () => undefined,
}

/** Runs the work on a store one after another, so that a removal never overtakes the write it undoes. Faults are told. */
export function inOrder(store: OutboxStore, onFault: OnFault): (work: (store: OutboxStore) => Promise<void>) => void {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    last = last.then(() => work(store)).catch((error: unknown) => onFault({ kind: 'storage', error }))
  }
}
