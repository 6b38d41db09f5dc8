import { useMatch, useNavigate } from '@tanstack/react-router'
import { useEffect, useMemo, useRef, useState } from 'react'
import { NewConversationDialog } from '../directory/new-conversation-dialog.tsx'
import { useInbox, useInboxChanges, useInboxEvents } from '../inbox/api.ts'
import { type InboxHandle, InboxPane } from '../inbox/inbox-pane.tsx'
import type { ConversationHandle } from '../messages/conversation-pane.tsx'
import { useAttention, useConversations } from '../messages/conversations.tsx'
import { useSettings } from '../settings/settings.tsx'
import { strings } from '../strings.ts'
import { ScreenState } from '../ui/screen-state.tsx'
import { useAbility } from '../wardline/context.tsx'
import styles from './clinical-layout.module.css'
import { ConversationView } from './conversation-view.tsx'
import { useArrivals } from './use-arrivals.ts'
import { useLayout } from './use-layout.ts'
import { useNow } from './use-now.ts'
import { useShortcuts } from './use-shortcuts.ts'
import { useTitle } from './use-title.ts'

/** What waits changes in bursts; the server is asked to count again once for each. */
const SETTLE_MS = 400

/** Inbox, conversation and context: three panes where they fit, one after the other on a phone, under the same addresses. */
export function ClinicalLayout() {
  const now = useNow()
  const layout = useLayout()
  const navigate = useNavigate()
  const { singleKeys } = useSettings()
  const inbox = useInbox()
  const { remove, refresh } = useInboxChanges()
  const conversations = useConversations()
  const attention = useAttention()
  const mayCreate = [useAbility('channel.create-direct'), useAbility('channel.create-group')].some(Boolean)
  const [creating, setCreating] = useState(false)
  const inboxRef = useRef<InboxHandle>(null)
  const conversationRef = useRef<ConversationHandle>(null)

  const about = useMatch({ from: '/clinical/c/$channelId/about', shouldThrow: false })
  const chosen = useMatch({ from: '/clinical/c/$channelId', shouldThrow: false })
  const channelId = (about ?? chosen)?.params.channelId ?? null
  const view = channelId === null ? 'inbox' : about === undefined ? 'conversation' : 'about'

  useInboxEvents()
  useArrivals(inbox.data)
  useTitle(useMemo(() => (inbox.data ?? []).reduce((sum, each) => sum + each.unread, 0), [inbox.data]))

  useEffect(() => {
    if (inbox.data !== undefined) conversations.keep(inbox.data)
  }, [conversations, inbox.data])
  useEffect(() => conversations.onEnded(remove), [conversations, remove])
  const [counted, setCounted] = useState(attention)
  useEffect(() => {
    if (attention === counted) return
    const timer = setTimeout(() => {
      setCounted(attention)
      void refresh()
    }, SETTLE_MS)
    return () => clearTimeout(timer)
  }, [attention, counted, refresh])

  useShortcuts(
    {
      j: () => inboxRef.current?.step(1),
      k: () => inboxRef.current?.step(-1),
      '/': () => inboxRef.current?.focusFilter(),
      n: () => {
        if (mayCreate) setCreating(true)
      },
      c: () => conversationRef.current?.focusComposer(),
      a: () => conversationRef.current?.acknowledge(),
    },
    singleKeys,
  )

  return (
    <div className={styles.panes} data-layout={layout} data-view={view}>
      <h1 className={styles.heading}>{strings.shell.home.heading}</h1>
      {(layout !== 'one' || view === 'inbox') && (
        <InboxPane
          ref={inboxRef}
          waitingIn={attention}
          now={now}
          onCreate={mayCreate ? () => setCreating(true) : null}
        />
      )}
      {channelId === null ? (
        layout !== 'one' && (
          <div className={styles.blank}>
            <ScreenState title={strings.shell.home.pick} more={strings.shell.home.pickMore} />
          </div>
        )
      ) : (
        <ConversationView
          key={channelId}
          channelId={channelId}
          layout={layout}
          about={view === 'about'}
          now={now}
          handle={conversationRef}
        />
      )}
      {creating && (
        <NewConversationDialog
          onClose={() => setCreating(false)}
          onOpened={(id) => {
            setCreating(false)
            void refresh()
            void navigate({ to: '/c/$channelId', params: { channelId: id } })
          }}
        />
      )}
    </div>
  )
}
