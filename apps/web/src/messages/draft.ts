import type { Draft } from '@wardline/client'
import { type Intent, intent, type Priority, priority, textProblem } from '@wardline/protocol'

/** What is being written in one conversation. */
export interface ComposerDraft {
  readonly body: string
  readonly priority: Priority
  readonly ackRequired: boolean
  /** What is wanted of the reader; of a STAT, the priority says it. */
  readonly intent: Exclude<Intent, 'stat'> | null
  /** The id of the message that this answers. */
  readonly inReplyTo: string | null
}

export const EMPTY_DRAFT: ComposerDraft = {
  body: '',
  priority: 'routine',
  ackRequired: false,
  intent: null,
  inReplyTo: null,
}

/** The draft with another priority: urgent and STAT ask for an acknowledgement by themselves, routine does not. */
export function withPriority(draft: ComposerDraft, next: Priority): ComposerDraft {
  const { intent: wanted } = draft
  return {
    ...draft,
    priority: next,
    ackRequired: next !== 'routine' || wanted === 'action' || wanted === 'concern',
  }
}

/** The draft with another intent: who wants something done, or a call, asks to be answered; what is for information alone does not. */
export function withIntent(draft: ComposerDraft, next: ComposerDraft['intent']): ComposerDraft {
  return {
    ...draft,
    intent: next,
    ackRequired: draft.priority !== 'routine' || next === 'action' || next === 'concern',
  }
}

/** A draft as it was kept; what cannot be read, or is of another shape, is an empty one. */
export function readDraft(value: unknown): ComposerDraft {
  if (typeof value !== 'object' || value === null) return EMPTY_DRAFT
  const kept = value as Partial<Record<keyof ComposerDraft, unknown>>
  if (typeof kept.body !== 'string') return EMPTY_DRAFT
  const weight = priority.safeParse(kept.priority)
  const wanted = intent.exclude(['stat']).safeParse(kept.intent)
  return {
    body: kept.body,
    priority: weight.success ? weight.data : 'routine',
    ackRequired: kept.ackRequired === true,
    intent: wanted.success ? wanted.data : null,
    inReplyTo: typeof kept.inReplyTo === 'string' ? kept.inReplyTo : null,
  }
}

/** Whether there is anything to lose. */
export function isWorthKeeping(draft: ComposerDraft): boolean {
  return draft.body.trim() !== '' || draft.inReplyTo !== null || draft.priority !== 'routine' || draft.intent !== null
}

/** Why it cannot be sent, or null. `max`: the server’s bound, in UTF-16 code units after NFC. */
export function draftProblem(draft: ComposerDraft, max: number): 'empty' | 'too-long' | 'forbidden-text' | null {
  if (draft.body.trim() === '') return 'empty'
  if (draft.body.normalize('NFC').length > max) return 'too-long'
  return textProblem(draft.body) === null ? null : 'forbidden-text'
}

/** As the SDK posts it: without what is as usual. */
export function toPost(draft: ComposerDraft): Draft {
  const wanted = draft.priority === 'stat' ? 'stat' : draft.intent
  return {
    body: draft.body,
    ...(draft.priority === 'routine' ? {} : { priority: draft.priority }),
    ...(wanted === null ? {} : { intent: wanted }),
    ...(draft.ackRequired ? { ackRequired: true } : {}),
    ...(draft.inReplyTo === null ? {} : { inReplyTo: draft.inReplyTo }),
  }
}
