import type { ErrorCode, messagePost, Retry } from '@wardline/protocol'

type PostInput = (typeof messagePost)['_zod']['input']

/** What a person writes: the body and, where they are not the plain ones, its attributes. */
export type Draft = Omit<PostInput, 'type' | 'id' | 'channel' | 'clientId'>

/** On disk at the server, its audit event included (P2). `at`: RFC 3339. */
export type Accepted = { readonly message: string; readonly seq: number; readonly at: string }

export type PostState =
  /** `maybeSent`: it has been on the wire, and its answer was lost. `retryAt`: not before, in milliseconds. */
  | { readonly is: 'queued'; readonly maybeSent: boolean; readonly retryAt: number | null }
  | { readonly is: 'sending' }
  | ({ readonly is: 'accepted' } & Accepted)
  /** For good, unless somebody says `retry`: the server has not taken it. */
  | { readonly is: 'refused'; readonly code: ErrorCode; readonly retry: Retry }

/** A post on its way. Replaced, never changed. */
export type Post = {
  readonly clientId: string
  readonly channel: string
  readonly draft: Draft
  readonly queuedAt: number
  readonly state: PostState
}
