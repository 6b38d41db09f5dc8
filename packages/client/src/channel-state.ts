import type { ChannelEvent, ErrorCode, ServerFrameOf } from '@wardline/protocol'
import type { Connection } from './connection.ts'
import type { Environment } from './environment.ts'
import type { OnFault } from './fault.ts'
import type { Hole } from './sequence-gate.ts'

export type ChannelState =
  /** Not wanted (null), ended by the server, or refused by it. `open` asks again. */
  | { readonly is: 'closed'; readonly reason: ServerFrameOf<'channel.closed'>['reason'] | ErrorCode | null }
  /** Wanted, and there is no line; resumes by itself. */
  | { readonly is: 'waiting' }
  | { readonly is: 'opening' }
  /** What was missed up to `head` comes in. */
  | { readonly is: 'replaying'; readonly head: number }
  | { readonly is: 'live' }

export type ChannelEvents = {
  changed: undefined
  /** Each of the channel's events once and ascending, this person's own posts included. */
  event: ChannelEvent
  hole: Hole
  /** The server's head is behind what was delivered (a restored backup): what came after `head` is void. */
  rewound: { readonly from: number; readonly head: number }
}

export type ChannelDeps = {
  env: Pick<Environment, 'now' | 'random' | 'setTimer'>
  connection: Pick<Connection, 'ask' | 'notify' | 'state'>
  /** The id of the person who is signed in. */
  me: () => string | null
  /** Hands an event on to the whole client. True when somebody listens there. */
  pass: (event: ChannelEvent) => boolean
  onFault: OnFault
}
