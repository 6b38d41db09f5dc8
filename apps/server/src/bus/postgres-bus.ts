import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Database } from '../storage/open.ts'
import { type Bus, type Hint, hint } from './bus.ts'

const CHANNEL = 'wardline'
/** PostgreSQL takes less than 8,000 bytes in a notification; all we send is ASCII. */
const MAX_PAYLOAD = 7_900
/** Hints that wait for the notification under way. More are dropped: whoever misses them polls (P6). */
const MAX_WAITING = 10_000
/** Each node says that it is there this often, and answers a node that it has not heard of before. */
const GREETING_MS = 5_000
/** Nobody has said anything for so long: there is nobody. */
const ALONE_AFTER_MS = 3 * GREETING_MS
/** Until then after connecting, whoever there is may not have answered yet. */
const GETTING_KNOWN_MS = 2_000

/** Each payload names the node that sent it: nobody needs to be told what they said themselves. No hints: a greeting. */
const payloadSchema = z.strictObject({ from: z.string().max(40), hints: z.array(hint) })

/**
 * Hints by LISTEN and NOTIFY. NOTIFY takes a lock of the whole cluster when it commits, so hints never go out in the transactions
 * that they tell of, but on a connection of their own, as many in one as fit, the next when the one before is through. A node that
 * is alone sends none: each would be a transaction for nobody.
 */
export function createPostgresBus(
  database: Pick<Database, 'notifications'>,
  clock: Clock,
  onFault: (error: unknown) => void,
): Bus {
  const node = randomUUID()
  const greeting = payloadOf([])
  const hintListeners = new Set<(hint: Hint) => void>()
  const gapListeners = new Set<() => void>()
  /** Who may no longer do what goes before what is new: it is hardly ever more than one notification. */
  const first = new Map<string, string>()
  const waiting = new Map<string, string>()
  const heardAt = new Map<string, number>()
  let connectedAt = clock.now()
  let sending = false
  let mustGreet = false

  const notifications = database.notifications(CHANNEL, {
    onPayload(payload) {
      const read = readPayload(payload)
      if (read === null || read.from === node) return
      if (!heardAt.has(read.from)) greet()
      heardAt.set(read.from, clock.now())
      for (const each of read.hints) for (const listener of hintListeners) guard(() => listener(each))
    },
    onGap() {
      connectedAt = clock.now()
      greet()
      for (const listener of gapListeners) guard(listener)
    },
  })
  const stopGreeting = clock.every(GREETING_MS, () => {
    const now = clock.now()
    for (const [from, at] of heardAt) if (now - at > ALONE_AFTER_MS) heardAt.delete(from)
    greet()
  })

  function guard(tell: () => void): void {
    try {
      tell()
    } catch (error) {
      onFault(error)
    }
  }

  function greet(): void {
    mustGreet = true
    sendSoon()
  }

  function sendSoon(): void {
    if (!sending) queueMicrotask(() => void (sending || send()))
  }

  /** One notification at a time: the connection takes no second statement while the first is under way. */
  async function send(): Promise<void> {
    sending = true
    while (first.size + waiting.size > 0 || mustGreet) {
      const isGreeting = first.size + waiting.size === 0
      // Hints greet as well as a greeting does.
      mustGreet = false
      try {
        await notifications.publish(nextPayload())
      } catch (error) {
        first.clear()
        waiting.clear()
        // Where the connection is away, whoever there is will be greeted when it is back.
        if (!isGreeting) onFault(error)
      }
    }
    sending = false
  }

  function payloadOf(hints: readonly string[]): string {
    return `{"from":"${node}","hints":[${hints.join(',')}]}`
  }

  function nextPayload(): string {
    const hints: string[] = []
    let length = greeting.length
    for (const queue of [first, waiting]) {
      for (const [key, text] of queue) {
        if (hints.length > 0 && length + text.length + 1 > MAX_PAYLOAD) return payloadOf(hints)
        hints.push(text)
        length += text.length + 1
        queue.delete(key)
      }
    }
    return payloadOf(hints)
  }

  return {
    publish(each) {
      if (heardAt.size === 0 && clock.now() - connectedAt > GETTING_KNOWN_MS) return
      // A later hint about the same thing says all that an earlier one did.
      const key = keyOf(each)
      const queue = each.k === 'user' || each.k === 'tenant' || each.k === 'held' ? first : waiting
      if (queue.size >= MAX_WAITING && !queue.has(key)) return
      queue.delete(key)
      queue.set(key, JSON.stringify(each))
      sendSoon()
    },
    onHint(listener) {
      hintListeners.add(listener)
      return () => hintListeners.delete(listener)
    },
    onGap(listener) {
      gapListeners.add(listener)
      return () => gapListeners.delete(listener)
    },
    close() {
      stopGreeting()
      return notifications.close()
    },
  }
}

function readPayload(payload: string): z.infer<typeof payloadSchema> | null {
  try {
    return payloadSchema.parse(JSON.parse(payload))
  } catch {
    // A node of another version, or anybody who may NOTIFY on this database.
    return null
  }
}

function keyOf(each: Hint): string {
  const { k, t } = each
  const about = 'c' in each ? each.c : ''
  const who = 'u' in each ? each.u : ''
  return `${k} ${t} ${about} ${who}`
}
