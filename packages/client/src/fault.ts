/**
 * Something that should not happen and that no caller awaits. It never holds content: not the frame, not the text.
 * `unreadable-frame`, `unreadable-answer`: the server said what this version cannot read, over the socket or HTTP; it was not
 * acted on, and most likely the server is of another version. `unexpected-frame`: readable, and out of place. `handler`: a listener of the app threw. `storage`: an unsent post could not be kept or fetched.
 */
export type Fault =
  | { readonly kind: 'unreadable-frame'; readonly length: number }
  | { readonly kind: 'unreadable-answer'; readonly length: number }
  | { readonly kind: 'unexpected-frame'; readonly type: string }
  | { readonly kind: 'handler'; readonly error: unknown }
  | { readonly kind: 'storage'; readonly error: unknown }

export type OnFault = (fault: Fault) => void
