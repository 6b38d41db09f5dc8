import { type ChannelSummary, DEFAULT_LIMITS } from '@wardline/protocol'
import { MessagesSquare } from 'lucide-react'
import {
  type ReactNode,
  type Ref,
  useCallback,
  useImperativeHandle,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react'
import { strings } from '../strings.ts'
import { Failure, Loading, ScreenState } from '../ui/screen-state.tsx'
import { useChannel, useConnectionState, useMe, useUnsent, useWardline } from '../wardline/context.tsx'
import { mostPressing } from './attention.ts'
import { Composer } from './composer.tsx'
import styles from './conversation-pane.module.css'
import { useConversations } from './conversations.tsx'
import { MessageDetails } from './message-details.tsx'
import { MessageList } from './message-list.tsx'
import { currentBody } from './message-row.tsx'
import { RecipientsLine } from './recipients-line.tsx'
import { amendmentOf, messageById, type PostedMessage } from './timeline.ts'
import { TypingLine } from './typing-line.tsx'
import { useBeginning } from './use-beginning.ts'
import { useDraft } from './use-draft.ts'
import { usePeople } from './use-people.ts'

/** What the keyboard can do in a conversation. */
export interface ConversationHandle {
  readonly focusComposer: () => void
  /** Acknowledges what presses most; false when nothing waits. */
  readonly acknowledge: () => boolean
}

interface ConversationPaneProps {
  readonly summary: ChannelSummary
  /** Whom or what it is about, as the send button says it. */
  readonly subject: string
  /** What stands above the messages and never scrolls away: the patient’s banner. */
  readonly banner: ReactNode
  /** Whether it is shown at all: what is not shown is not read. */
  readonly visible: boolean
  readonly now: number
  readonly onRead: (seq: number) => void
  readonly ref?: Ref<ConversationHandle>
}

/** One conversation. Give it `key={summary.id}`: nothing of one conversation may be seen in another. */
export function ConversationPane({ summary, subject, banner, visible, now, onRead, ref }: ConversationPaneProps) {
  const me = useMe().id
  const wardline = useWardline()
  const conversations = useConversations()
  const connection = useConnectionState()
  const [conversation] = useState(() => conversations.open(summary))
  const state = useSyncExternalStore(conversation.subscribe, () => conversation.state)
  const { channel, state: channelState, members, receipts, abilities: live, typing } = useChannel(summary.id)
  const abilities = members.length === 0 ? summary.abilities : live
  const unsent = useUnsent(summary.id)
  const editing = useDraft(summary.id)
  const { change } = editing
  const composer = useRef<{ focus: () => void }>(null)
  const [details, setDetails] = useState<PostedMessage | null>(null)
  const { timeline, older } = state

  const senders = useMemo(
    () => new Set(timeline.items.flatMap((each) => (each.kind === 'message' ? [each.sender] : []))),
    [timeline.items],
  )
  const people = usePeople(members, senders)

  const { ready, unreadSeq } = useBeginning({
    conversation,
    state,
    me,
    read: receipts.get(me)?.read ?? summary.read,
    head: summary.head,
    settled: channelState.is === 'live' || channelState.is === 'closed',
  })

  const seen = useRef(0)
  const onSeen = useCallback(
    (seq: number) => {
      const { items, head } = conversation.state.timeline
      // Behind the last line there may be corrections and acknowledgements, which have no line of their own.
      const upTo = seq >= (items.at(-1)?.seq ?? 0) ? head : seq
      if (upTo <= seen.current) return
      seen.current = upTo
      channel.markRead(upTo)
      onRead(upTo)
    },
    [conversation, channel, onRead],
  )

  const onReply = useCallback(
    (message: PostedMessage) => {
      change({ inReplyTo: message.id })
      composer.current?.focus()
    },
    [change],
  )

  useImperativeHandle(
    ref,
    () => ({
      focusComposer: () => composer.current?.focus(),
      acknowledge: () => {
        const message = mostPressing(conversation.state.timeline, me)
        if (message !== null) void wardline.acknowledge(message.id, 'seen').catch(() => undefined)
        return message !== null
      },
    }),
    [conversation, me, wardline],
  )

  const repliedTo = editing.draft.inReplyTo === null ? null : messageById(timeline, editing.draft.inReplyTo)
  const limits = connection.is === 'live' ? connection.limits : DEFAULT_LIMITS
  const closed = channelState.is === 'closed' && channelState.reason !== null ? channelState.reason : null
  const mayPost = abilities.includes('message.post') && closed === null

  return (
    <section
      className={styles.pane}
      tabIndex={-1}
      data-skip-to-conversation=""
      aria-label={`${strings.messages.region}: ${subject}`}
    >
      {banner}
      {!ready ? (
        <div className={styles.fill}>
          <Loading label={strings.messages.older.loading} />
        </div>
      ) : timeline.items.length === 0 && unsent.length === 0 ? (
        <div className={styles.fill}>
          {older === 'failed' ? (
            <Failure error={state.error} onRetry={() => void conversation.loadOlder()} />
          ) : (
            <ScreenState icon={MessagesSquare} title={strings.messages.empty} more={strings.messages.emptyMore} />
          )}
        </div>
      ) : (
        <MessageList
          state={state}
          unsent={unsent}
          unreadSeq={unreadSeq}
          visible={visible}
          now={now}
          me={me}
          people={people}
          members={members}
          receipts={receipts}
          abilities={abilities}
          onOlder={conversation.loadOlder}
          onSeen={onSeen}
          onDetails={setDetails}
          onReply={onReply}
        />
      )}
      {closed !== null && (
        <p role="alert" className={styles.closed}>
          {closed === 'forbidden' || closed === 'removed' || closed === 'archived'
            ? strings.messages.closed[closed]
            : strings.messages.closed.other}
        </p>
      )}
      {mayPost ? (
        <>
          <TypingLine typing={typing} me={me} people={people} />
          <Composer
            ref={composer}
            channel={summary.id}
            subject={subject}
            aboutPatient={summary.patient !== null}
            maxLength={limits.bodyLength}
            editing={editing}
            replyTo={
              repliedTo === null
                ? null
                : {
                    name: repliedTo.sender === me ? strings.words.me : people(repliedTo.sender).name,
                    body: currentBody(repliedTo, amendmentOf(timeline, repliedTo.id)) ?? strings.messages.recalled,
                  }
            }
            recipients={
              <RecipientsLine
                members={members}
                receipts={receipts}
                me={me}
                head={timeline.head}
                priority={editing.draft.priority}
                now={now}
              />
            }
            onTyping={(active) => channel.setTyping(active)}
          />
        </>
      ) : (
        closed === null && <p className={styles.readOnly}>{strings.messages.composer.readOnly}</p>
      )}
      {details !== null && (
        <MessageDetails
          message={details}
          amendment={amendmentOf(timeline, details.id)}
          me={me}
          people={people}
          members={members}
          receipts={receipts}
          abilities={abilities}
          maxLength={limits.bodyLength}
          onReply={onReply}
          onClose={() => setDetails(null)}
        />
      )}
    </section>
  )
}
