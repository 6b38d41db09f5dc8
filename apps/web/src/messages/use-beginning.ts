import { useEffect, useMemo, useState } from 'react'
import { useConnectionState } from '../wardline/context.tsx'
import type { Conversation, ConversationState } from './conversation.ts'
import { enoughToBegin, firstUnread } from './rows.ts'

interface Beginning {
  /** Whether the list may be drawn: before, it would jump, and what jumps is read wrong. */
  readonly ready: boolean
  /** Where the unread line stands, or null. It stays for as long as the conversation is open. */
  readonly unreadSeq: number | null
}

interface BeginningOptions {
  readonly conversation: Conversation
  readonly state: ConversationState
  readonly me: string
  /** How far this person had read, and the last sequence there was, when the conversation was opened. */
  readonly read: number
  readonly head: number
  /** Whether all that came until now has been delivered, or can be no more. */
  readonly settled: boolean
}

/** Fetches as much of the past as the first sight of a conversation needs, and says when it is there. */
export function useBeginning({ conversation, state, me, read, head, settled }: BeginningOptions): Beginning {
  const connection = useConnectionState()
  const [opened] = useState({ read, head })
  const [drawn, setDrawn] = useState(false)
  const { timeline, older } = state
  const unreadSeq = useMemo(() => firstUnread(timeline, opened, me), [timeline, opened, me])
  const enough = enoughToBegin(timeline, unreadSeq)

  useEffect(() => {
    if (!drawn && !enough && older === 'idle') void conversation.loadOlder()
  }, [conversation, drawn, enough, older])

  const cutOff = connection.is === 'reconnecting' || connection.is === 'stopped'
  const caughtUp = timeline.head >= opened.head || settled || cutOff
  const ready = drawn || (caughtUp && (enough || older === 'failed'))
  if (ready && !drawn) setDrawn(true)
  return { ready, unreadSeq }
}
