import type { ClientRequest, clientRequest, ErrorFrame, ServerFrame, ServerFrameOf } from '@wardline/protocol'
import { WardlineError } from './error.ts'

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never

/** What a client sends and nobody answers. */
export type Notice = Extract<ClientRequest, { type: 'receipt.mark' | 'typing.set' | 'session.activity' }>

/** What a client asks, before it has its `id`: as typed, so a body is a plain string that the schema has yet to judge. */
export type Request = WithoutId<
  Exclude<(typeof clientRequest)['_zod']['input'], { type: Notice['type'] | 'session.renew' }>
>

/** The frame that answers each request. */
export type AnswerTo<T extends Request['type']> = T extends 'message.post'
  ? ServerFrameOf<'message.accepted'>
  : T extends 'channel.subscribe'
    ? ServerFrameOf<'channel.subscribed'>
    : ServerFrameOf<'done'>

/** How a request went. `lost`: the line ended first, and whether the server did it is not known. */
export type Outcome =
  | { readonly is: 'answered'; readonly frame: ServerFrame }
  | { readonly is: 'refused'; readonly error: Pick<ErrorFrame, 'code' | 'retry' | 'retryAfterMs'> }
  | { readonly is: 'lost' }

/** A request's outcome as an error. */
export function errorOf(outcome: Exclude<Outcome, { is: 'answered' }>): WardlineError {
  if (outcome.is === 'lost') return new WardlineError('unavailable')
  return new WardlineError(outcome.error.code, { retry: outcome.error.retry, retryAfterMs: outcome.error.retryAfterMs })
}
