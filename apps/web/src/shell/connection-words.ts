import type { ConnectionState, Post } from '@wardline/client'
import { clock } from '../format/time.ts'
import { strings } from '../strings.ts'

const text = strings.shell.connection

/** The state of the line as a person reads it. */
export interface ConnectionWords {
  readonly tone: 'live' | 'waiting' | 'stopped'
  /** `Live`, `Reconnecting…` */
  readonly state: string
  /** `2 unsent`, `Up to date as of 14:32`; what matters most first. */
  readonly details: readonly string[]
}

/** What is not on the server yet: an accepted post only waits to be shown in its place. */
export function unsentCount(posts: readonly Post[]): number {
  return posts.filter((post) => post.state.is !== 'accepted').length
}

/**
 * The state of the connection in words.
 * @param moment formats milliseconds of the epoch as `14:32`
 */
export function connectionWords(
  state: ConnectionState,
  unsent: number,
  moment: (ms: number) => string = clock,
): ConnectionWords {
  const waiting = unsent === 0 ? [] : [text.unsent(unsent)]
  switch (state.is) {
    case 'live':
      return { tone: 'live', state: text.live, details: unsent === 0 ? [] : [text.sending(unsent)] }
    case 'connecting':
      return { tone: 'waiting', state: text.connecting, details: waiting }
    case 'reconnecting':
      return {
        tone: 'waiting',
        state: text.reconnecting,
        details: [...waiting, ...(state.lastLiveAt === null ? [] : [text.asOf(moment(state.lastLiveAt))])],
      }
    case 'offline':
      return { tone: 'stopped', state: text.offline, details: waiting }
    case 'stopped':
      return {
        tone: 'stopped',
        state: state.reason === 'replaced' ? text.stopped.replaced : text.stopped.other,
        details: waiting,
      }
  }
}
