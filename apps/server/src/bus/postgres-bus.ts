import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Database } from '../storage/open.ts'
import { type Bus, type Hint, hint } from './bus.ts'

const CHANNEL = 'wardline'
/** PostgreSQL takes less than 8,000 bytes in a notification; all we send is ASCII. */
const MAX_PAYLOAD = 7_900
/** Hints that wait for the notification under way. More are dropped: whoever misses them polls (P6). */
const MAX_WAITING = 10_000

/** Each payload names the node that sent it: nobody needs to be told what they said themselves. */
const payloadSchema = z.strictObject({ from: z.string().max(40), hints: z.array(hint) })

/**
 * Hints by LISTEN and NOTIFY. NOTIFY takes a lock of the whole cluster when it commits, so hints never go out in the transactions
 * that they tell of, but on a connection of their own, as many in one as fit, the next when the one before is through.
 */
export function createPostgresBus(database: Pick<Database, 'notifications'>, onFault: (error: unknown) => void): Bus {
  const node = randomUUID()
  const hintListeners = new Set<(hint: Hint) => void>()
  const gapListeners = new Set<() => void>()
  const waiting = new Map<string, string>()
  let sending = false

  const notifications = database.notifications(CHANNEL, {
    onPayload(payload) {
      const read = readPayload(payload)
      if (read === null || read.from === node) return
      for (const each of read.hints) for (const listener of hintListeners) listener(each)
    },
    onGap() {
      for (const listener of gapListeners) listener()
    },
  })

  async function send(): Promise<void> {
    sending = true
    while (waiting.size > 0) {
      try {
        await notifications.publish(nextPayload())
      } catch (error) {
        waiting.clear()
        onFault(error)
      }
    }
    sending = false
  }

  function nextPayload(): string {
    const frame = `{"from":"${node}","hints":[]}`
    const hints: string[] = []
    let length = frame.length
    for (const [key, text] of waiting) {
      if (hints.length > 0 && length + text.length + 1 > MAX_PAYLOAD) break
      hints.push(text)
      length += text.length + 1
      waiting.delete(key)
    }
    return `{"from":"${node}","hints":[${hints.join(',')}]}`
  }

  return {
    publish(each) {
      // A later hint about the same thing says all that an earlier one did.
      const key = keyOf(each)
      if (waiting.size >= MAX_WAITING && !waiting.has(key)) return
      waiting.delete(key)
      waiting.set(key, JSON.stringify(each))
      if (!sending) queueMicrotask(() => void (sending || send()))
    },
    onHint(listener) {
      hintListeners.add(listener)
      return () => hintListeners.delete(listener)
    },
    onGap(listener) {
      gapListeners.add(listener)
      return () => gapListeners.delete(listener)
    },
    close: () => notifications.close(),
  }
}

function readPayload(payload: string): z.infer<typeof payloadSchema> | null {
  try {
    return payloadSchema.parse(JSON.parse(payload))
  } catch {
    // A node of another version, or anybody who may NOTIFY on this database: hints are not obeyed, so this is nothing.
    return null
  }
}

function keyOf(each: Hint): string {
  const { k, t } = each
  const about = 'c' in each ? each.c : ''
  const who = 'u' in each ? each.u : ''
  return `${k} ${t} ${about} ${who}`
}
