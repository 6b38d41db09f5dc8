import { presenceStatus, uuid } from '@wardline/protocol'
import { z } from 'zod'

const head = z.int().min(0)
const node = z.string().max(40)

/**
 * What nodes tell each other, in as few letters as it takes: several go into one Postgres notification. `t` tenant, `u` user,
 * `c` channel, `v` version. Ids, numbers and words of lists: nothing here can carry a text that somebody typed (law 4), and
 * nothing here is the truth (law 1): a hint says "look", and whoever misses it looks each `limits.pollMs` anyway (P6).
 *
 * `typing`, `presence`, and how much a user takes of a node, are nowhere else: they are lost when they are lost.
 */
export const hint = z.discriminatedUnion('k', [
  z.strictObject({ k: z.literal('channel'), t: uuid, c: uuid, head }),
  z.strictObject({ k: z.literal('user'), t: uuid, u: uuid, v: z.int() }),
  z.strictObject({ k: z.literal('tenant'), t: uuid, v: z.int() }),
  z.strictObject({ k: z.literal('receipt'), t: uuid, c: uuid, u: uuid, delivered: head, read: head }),
  z.strictObject({ k: z.literal('typing'), t: uuid, c: uuid, u: uuid, active: z.boolean() }),
  z.strictObject({
    k: z.literal('presence'),
    t: uuid,
    u: uuid,
    status: presenceStatus,
    cover: uuid.nullable(),
    until: z.int().nullable(),
  }),
  // Held off until then; how many requests a second a user makes of node `n`; when its sockets of a user were opened, oldest first.
  z.strictObject({ k: z.literal('held'), t: uuid, u: uuid, until: z.int() }),
  z.strictObject({ k: z.literal('rate'), t: uuid, u: uuid, n: node, r: z.int().min(0) }),
  z.strictObject({
    k: z.literal('sockets'),
    t: uuid,
    u: uuid,
    n: node,
    at: z.array(z.int()).max(256),
    ask: z.boolean(),
  }),
])

export type Hint = z.infer<typeof hint>

export interface Bus {
  /** Tells every other node. Never throws, never waits; may be lost. */
  publish(hint: Hint): void
  /** Hints of other nodes (never one's own). Returns the way to stop. */
  onHint(listener: (hint: Hint) => void): () => void
  /** Hints may have been lost until now: whoever listens polls everything once. */
  onGap(listener: () => void): () => void
  close(): Promise<void>
}

/** The bus of nodes that only look for themselves (P6), and of tests in which every hint is lost. */
export const silentBus: Bus = {
  publish: () => undefined,
  onHint: () => () => undefined,
  onGap: () => () => undefined,
  close: () => Promise.resolve(),
}
