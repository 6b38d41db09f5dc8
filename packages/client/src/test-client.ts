import type { ChannelEvent } from '@wardline/protocol'
import { createFakeServer, type FakeServerOptions, fakeId, manualTime } from './fake-server/index.ts'
import type { Fault } from './fault.ts'
import { createWardline, type Wardline, type WardlineOptions } from './index.ts'

/** The one channel that a test has unless it asks for others. */
export const CHANNEL = fakeId(0xd1)

export const CREDENTIALS = { tenant: 'riverside', username: 'nurse.lind', password: 'right' }

/** A server, a clock that stands still, and a client that is not signed in. */
export function startClient(options: FakeServerOptions = {}, parts: Partial<WardlineOptions> = {}) {
  const time = manualTime()
  const server = createFakeServer({ time, channels: [{ id: CHANNEL }], ...options })
  const wardline = createWardline(server.browser(parts))
  const faults: Fault[] = []
  wardline.on('fault', (fault) => faults.push(fault))
  return { time, server, wardline, faults, signIn: () => signIn(wardline, server) }
}

/** The same, signed in and live. */
export async function startLive(options: FakeServerOptions = {}, parts: Partial<WardlineOptions> = {}) {
  const client = startClient(options, parts)
  await client.signIn()
  return client
}

async function signIn(wardline: Wardline, server: { settle(): Promise<void> }): Promise<void> {
  await wardline.signIn(CREDENTIALS)
  await server.settle()
}

/** What the app was given of a channel, in the order it came. */
export function record(wardline: Wardline, channel: string = CHANNEL): ChannelEvent[] {
  const events: ChannelEvent[] = []
  wardline.channel(channel).on('event', (event) => events.push(event))
  return events
}

export function seqs(events: readonly ChannelEvent[]): number[] {
  return events.map(({ seq }) => seq)
}

export function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 1)
}
