import type { Member, Receipt } from '@wardline/protocol'
import { Ellipsis, Reply } from 'lucide-react'
import { memo, useId } from 'react'
import { clock } from '../format/time.ts'
import { strings } from '../strings.ts'
import { IconButton } from '../ui/button.tsx'
import { PriorityMark } from '../ui/priority-mark.tsx'
import { AcknowledgeBar } from './acknowledge-bar.tsx'
import styles from './message-row.module.css'
import { ReceiptButton } from './receipt-button.tsx'
import type { Amendment, PostedMessage } from './timeline.ts'
import type { People } from './use-people.ts'

const text = strings.messages

export interface MessageRowProps {
  readonly message: PostedMessage
  readonly amendment: Amendment
  /** The message that it answers and what became of it, if this device holds it. */
  readonly quotedMessage: PostedMessage | null
  readonly quotedAmendment: Amendment | null
  /** Whether it begins a group: a new sender, a pause, or something that must stand alone. */
  readonly first: boolean
  readonly me: string
  readonly people: People
  readonly members: readonly Member[]
  readonly receipts: ReadonlyMap<string, Receipt>
  readonly abilities: readonly string[]
  readonly onDetails: (message: PostedMessage) => void
  readonly onReply: (message: PostedMessage) => void
}

/** The words of a message as they stand now: corrected, or none because it was recalled. */
export function currentBody(message: PostedMessage, amendment: Amendment): string | null {
  return amendment.recall === null ? (amendment.correction?.body ?? message.body) : null
}

/** One message, with what it weighs, what became of it and who has it. */
export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const {
    message,
    amendment,
    quotedMessage,
    quotedAmendment,
    first,
    me,
    people,
    members,
    receipts,
    abilities,
    onDetails,
    onReply,
  } = props
  const heading = useId()
  const mine = message.sender === me
  const sender = people(message.sender)
  const body = currentBody(message, amendment)
  // Of a STAT the priority says what is wanted.
  const intent = message.intent === 'stat' ? null : message.intent
  const weighty = message.priority !== 'routine' || message.ackRequired || intent !== null
  const acknowledged = amendment.acknowledgements.length
  const others = members.filter((each) => each.user !== message.sender).length

  return (
    <article
      aria-labelledby={heading}
      className={`${styles.row} ${mine ? styles.mine : ''} ${first ? styles.first : ''}`}
      data-priority={message.priority}
      data-seq={message.seq}
    >
      <header id={heading} className={`${styles.header} ${first ? '' : styles.folded}`}>
        <span className={styles.sender}>{mine ? strings.words.me : sender.name}</span>
        {!mine && sender.role !== '' && <span className={styles.role}>{sender.role}</span>}
        <time dateTime={message.at} className={styles.time}>
          {clock(message.at)}
        </time>
      </header>

      <div className={styles.bubble}>
        {weighty && (
          <p className={styles.weight}>
            {(message.priority !== 'routine' || intent === null) && <PriorityMark priority={message.priority} />}
            {intent !== null && (
              <span className={styles.intent} data-intent={intent}>
                {text.intents[intent]}
              </span>
            )}
            {message.ackRequired && <span>{mine ? text.acknowledge.wantedOwn : text.acknowledge.wanted}</span>}
          </p>
        )}
        {message.inReplyTo !== null && (
          <blockquote className={styles.quote}>
            {quotedMessage === null || quotedAmendment === null ? (
              text.replyGone
            ) : (
              <>
                <span className={styles.quoteName}>
                  {text.replyTo(quotedMessage.sender === me ? strings.words.me : people(quotedMessage.sender).name)}
                </span>
                <bdi className={styles.quoteText}>{currentBody(quotedMessage, quotedAmendment) ?? text.recalled}</bdi>
              </>
            )}
          </blockquote>
        )}
        {body === null ? (
          <p className={styles.recalled}>
            {text.recalled}
            {amendment.recall !== null &&
              `: ${text.recallReasons[amendment.recall.reason]}, ${clock(amendment.recall.at)}`}
          </p>
        ) : (
          <p className={styles.body} dir="auto">
            {body}
          </p>
        )}
        {amendment.correction !== null && body !== null && (
          <p className={styles.corrected}>{text.edited(clock(amendment.correction.at))}</p>
        )}
        {amendment.escalations.map((each) => (
          <p key={each.seq} className={styles.escalated}>
            {text.escalated(strings.words.role(each.to), clock(each.at))}
          </p>
        ))}
        {!mine && message.ackRequired && (
          <AcknowledgeBar
            message={message}
            amendment={amendment}
            me={me}
            allowed={abilities.includes('message.acknowledge')}
          />
        )}
      </div>

      <div className={styles.footer}>
        {mine && (
          <ReceiptButton message={message} members={members} receipts={receipts} onOpen={() => onDetails(message)} />
        )}
        {message.ackRequired && acknowledged > 0 && others > 0 && (
          <button type="button" className={styles.receipt} onClick={() => onDetails(message)}>
            {text.acknowledge.count(acknowledged, others)}
          </button>
        )}
        {mine && message.ackRequired && acknowledged === 0 && (
          <span className={styles.noAck}>{text.acknowledge.none}</span>
        )}
      </div>

      <div className={styles.actions}>
        {abilities.includes('message.post') && body !== null && (
          <IconButton label={text.actions.reply} icon={Reply} size={17} onClick={() => onReply(message)} />
        )}
        <IconButton
          label={mine ? text.actions.moreOwn : text.actions.more(sender.name)}
          icon={Ellipsis}
          size={17}
          aria-haspopup="dialog"
          onClick={() => onDetails(message)}
        />
      </div>
    </article>
  )
})
