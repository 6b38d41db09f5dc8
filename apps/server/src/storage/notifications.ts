import pg from 'pg'
import type { Clock } from '../clock.ts'
import { StorageUnavailable } from './errors.ts'

/** PostgreSQL refuses a payload of 8000 bytes or more. */
export const MAX_PAYLOAD_BYTES = 7_999

const RECONNECT_MIN_MS = 100
const RECONNECT_MAX_MS = 5_000

export type Notifications = {
  /** Sends to every listener, oneself included. At most {@link MAX_PAYLOAD_BYTES}. @throws StorageUnavailable: it is lost */
  publish(payload: string): Promise<void>
  close(): Promise<void>
}

export type Listener = {
  readonly onPayload: (payload: string) => void
  /** The connection was away and is back: whatever was sent meanwhile is lost. Also called once at the first connection. */
  readonly onGap: () => void
}

/**
 * LISTEN and NOTIFY on a connection of its own, opened again whenever it breaks. Payloads are hints: they may be lost.
 *
 * @param channel a plain lower-case name
 */
export function openNotifications(
  config: pg.ClientConfig,
  clock: Clock,
  channel: string,
  listener: Listener,
): Notifications {
  let client: pg.Client | undefined
  let closed = false
  let pause = RECONNECT_MIN_MS
  let cancelRetry = () => {}

  function retry(): void {
    if (closed) return
    cancelRetry = clock.after(pause, () => void connect())
    pause = Math.min(pause * 2, RECONNECT_MAX_MS)
  }

  async function connect(): Promise<void> {
    const next = new pg.Client(config)
    let broken = false
    const onBroken = () => {
      if (broken) return
      broken = true
      if (client === next) client = undefined
      next.end().catch(() => undefined)
      retry()
    }
    next.on('error', onBroken)
    next.on('end', onBroken)
    next.on('notification', ({ payload }) => listener.onPayload(payload ?? ''))
    try {
      await next.connect()
      await next.query(`LISTEN ${pg.escapeIdentifier(channel)}`)
    } catch {
      onBroken()
      return
    }
    if (closed) {
      await next.end()
      return
    }
    client = next
    pause = RECONNECT_MIN_MS
    listener.onGap()
  }

  const first = connect()

  return {
    async publish(payload) {
      if (client === undefined) throw new StorageUnavailable('not connected')
      try {
        await client.query({ name: 'wardline_notify', text: 'SELECT pg_notify($1, $2)', values: [channel, payload] })
      } catch (error) {
        throw new StorageUnavailable('a notification was lost', { cause: error })
      }
    },
    async close() {
      closed = true
      cancelRetry()
      await first
      const last = client
      client = undefined
      await last?.end().catch(() => undefined)
    },
  }
}
