import type { Member, RecallReason, Receipt } from '@wardline/protocol'
import { Pencil, Reply, Undo2 } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { clock, shortDate } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { PriorityMark } from '../ui/priority-mark.tsx'
import { useWardline } from '../wardline/context.tsx'
import { AmendForm } from './amend-form.tsx'
import styles from './message-details.module.css'
import { StandingIcon } from './receipt-button.tsx'
import { standings } from './receipts.ts'
import type { Amendment, PostedMessage } from './timeline.ts'
import type { People } from './use-people.ts'

const text = strings.messages

interface MessageDetailsProps {
  readonly message: PostedMessage
  readonly amendment: Amendment
  readonly me: string
  readonly people: People
  readonly members: readonly Member[]
  readonly receipts: ReadonlyMap<string, Receipt>
  readonly abilities: readonly string[]
  readonly maxLength: number
  readonly onReply: (message: PostedMessage) => void
  readonly onClose: () => void
}

/** Everything about one message: the original, who has it and how far, who answered; and what I may do with it. */
export function MessageDetails(props: MessageDetailsProps) {
  const { message, amendment, me, people, members, receipts, abilities, maxLength, onReply, onClose } = props
  const wardline = useWardline()
  const [amending, setAmending] = useState<'correct' | 'recall' | null>(null)
  const mine = message.sender === me
  const open = amendment.recall === null
  const may = (ability: string) => abilities.includes(ability)

  if (amending !== null) {
    return (
      <AmendForm
        kind={amending}
        body={amendment.correction?.body ?? message.body}
        maxLength={maxLength}
        onCorrect={(body) => wardline.correct(message.id, body)}
        onRecall={(reason: RecallReason) => wardline.recall(message.id, reason)}
        onClose={onClose}
      />
    )
  }

  return (
    <Dialog
      title={text.actions.title}
      onClose={onClose}
      footer={
        <>
          {mine && open && may('message.recall') && (
            <Button kind="danger" icon={Undo2} onClick={() => setAmending('recall')}>
              {text.actions.recall}
            </Button>
          )}
          {mine && open && may('message.correct') && (
            <Button icon={Pencil} onClick={() => setAmending('correct')}>
              {text.actions.correct}
            </Button>
          )}
          {open && may('message.post') && (
            <Button
              kind="primary"
              icon={Reply}
              onClick={() => {
                onClose()
                onReply(message)
              }}
            >
              {text.actions.reply}
            </Button>
          )}
        </>
      }
    >
      <p className={styles.meta}>
        <strong>{mine ? strings.words.me : people(message.sender).name}</strong>
        <time dateTime={message.at}>{text.actions.sentAt(shortDate(message.at), clock(message.at))}</time>
        {message.priority !== 'routine' && <PriorityMark priority={message.priority} />}
      </p>
      <MessageText message={message} amendment={amendment} />

      {message.ackRequired && (
        <Section title={text.actions.acknowledgements}>
          {amendment.acknowledgements.length === 0 ? (
            <p className={styles.none}>{text.acknowledge.none}</p>
          ) : (
            <ul className={styles.people}>
              {amendment.acknowledgements.map((each) => (
                <li key={each.by}>
                  {text.acknowledge.theirs(
                    each.by === me ? strings.words.me : people(each.by).name,
                    text.acknowledge.responses[each.response ?? 'seen'],
                    clock(each.at),
                  )}
                </li>
              ))}
            </ul>
          )}
        </Section>
      )}

      <Section title={text.actions.people}>
        <ul className={styles.people}>
          {standings(members, receipts, message).map((each) => (
            <li key={each.user}>
              <span className={styles.person}>
                {each.user === me ? strings.words.me : each.displayName}
                <span className={styles.role}>{strings.words.role(each.role)}</span>
              </span>
              <span className={styles.standing}>
                <StandingIcon standing={each.standing} />
                {text.receipts.standing[each.standing]}
              </span>
            </li>
          ))}
        </ul>
      </Section>
    </Dialog>
  )
}

function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className={styles.section}>
      <h3>{title}</h3>
      {children}
    </section>
  )
}

/** The words as they stand, and the original under them where they were corrected. */
function MessageText({ message, amendment }: { readonly message: PostedMessage; readonly amendment: Amendment }) {
  if (amendment.recall !== null) {
    return (
      <p className={styles.recalled}>
        {text.recalled}: {text.recallReasons[amendment.recall.reason]}, {clock(amendment.recall.at)}
      </p>
    )
  }
  return (
    <>
      <p className={styles.body} dir="auto">
        {amendment.correction?.body ?? message.body}
      </p>
      {amendment.correction !== null && (
        <div className={styles.original}>
          <p>
            {text.edited(clock(amendment.correction.at))}. {text.original}:
          </p>
          <p className={styles.body} dir="auto">
            {message.body}
          </p>
        </div>
      )}
    </>
  )
}
