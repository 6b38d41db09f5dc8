import type { Environment } from './environment.ts'
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

/** A store that does not answer holds up what is written now no longer than this. Milliseconds. */
const LOAD_MS = 3_000

/** The kept posts of `owner`; none, and a fault told, where the store fails or does not answer. */
export async function loadKept(
  store: OutboxStore,
  owner: string,
  setTimer: Environment['setTimer'],
  onFault: OnFault,
): Promise<readonly StoredPost[]> {
  let answered = () => undefined as void
  const silent = new Promise<never>((_, reject) => {
    answered = setTimer(LOAD_MS, () => reject(new Error('the store of unsent posts does not answer')))
  })
  try {
    return await Promise.race([store.load(owner), silent])
  } catch (error) {
    onFault({ kind: 'storage', error })
    return []
  } finally {
    answered()
  }
}

/** Runs the work on a store one after another, so that a removal never overtakes the write it undoes. Faults are told. */
export function inOrder(store: OutboxStore, onFault: OnFault): (work: (store: OutboxStore) => Promise<void>) => void {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    last = last.then(() => work(store)).catch((error: unknown) => onFault({ kind: 'storage', error }))
  }
}
