import type { Draft, OutboxStore, StoredPost } from '@wardline/client'
import type { SealedRecords } from './sealed-records.ts'

/** Unsent posts on this device, sealed. Clearing destroys the key, and so the drafts as well: it is what sign-out asks for. */
export function sealedOutboxStore(records: SealedRecords): OutboxStore {
  /** Whose each post is: a removal names the post alone. */
  const owners = new Map<string, string>()
  return {
    load: async (owner) => {
      const posts = (await records.readAll('outbox', owner)).filter(isStoredPost)
      for (const post of posts) owners.set(post.clientId, owner)
      return posts
    },
    put: async (post) => {
      owners.set(post.clientId, post.owner)
      await records.write('outbox', post.owner, post.clientId, post)
    },
    remove: async (clientId) => {
      const owner = owners.get(clientId)
      owners.delete(clientId)
      if (owner !== undefined) await records.remove('outbox', owner, clientId)
    },
    clear: async () => {
      owners.clear()
      await records.wipe()
    },
  }
}

/** What an older version of this page kept may have another shape: it is left where it is. The server judges the rest. */
function isStoredPost(value: unknown): value is StoredPost {
  if (typeof value !== 'object' || value === null) return false
  const { clientId, owner, channel, draft, queuedAt } = value as Partial<Record<keyof StoredPost, unknown>>
  return (
    typeof clientId === 'string' &&
    typeof owner === 'string' &&
    typeof channel === 'string' &&
    typeof queuedAt === 'number' &&
    typeof draft === 'object' &&
    draft !== null &&
    typeof (draft as Partial<Draft>).body === 'string'
  )
}
