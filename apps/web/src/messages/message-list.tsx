import type { Post } from '@wardline/client'
import { ArrowDown } from 'lucide-react'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { Virtuoso, type VirtuosoHandle } from 'react-virtuoso'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import type { ConversationState } from './conversation.ts'
import { DaySeparator, HoleRow, NoticeRow, UnreadLine } from './line-rows.tsx'
import styles from './message-list.module.css'
import { MessageRow, type MessageRowProps } from './message-row.tsx'
import { OlderLine } from './older-line.tsx'
import { beginning, countUpTo, type Row, rowKey, rowsOf, startsDay, startsGroup } from './rows.ts'
import { amendmentOf, messageById } from './timeline.ts'
import { UnsentRow } from './unsent-row.tsx'
import { useBeginAt } from './use-begin-at.ts'
import { useReading } from './use-reading.ts'
import { useStickToBottom } from './use-stick-to-bottom.ts'

/** Lines are numbered down from here as pages of the past come on top. */
const BASE = 10_000_000
/** The last line, at the bottom. */
const END = { index: 'LAST', align: 'end', behavior: 'auto' } as const
/** A line near the top, with a little of what came before it. */
const placeOf = (index: number) => ({ index, align: 'start', offset: -64 }) as const

type Shared = Pick<MessageRowProps, 'me' | 'people' | 'members' | 'receipts' | 'abilities' | 'onDetails' | 'onReply'>

interface MessageListProps extends Shared {
  readonly state: ConversationState
  readonly unsent: readonly Post[]
  /** Where the unread line stands, or null. */
  readonly unreadSeq: number | null
  readonly visible: boolean
  readonly now: number
  readonly onOlder: () => void
  readonly onSeen: (seq: number) => void
}

/** The messages of one conversation: only those in sight are drawn, so ten thousand are as quick as ten. */
export function MessageList(props: MessageListProps) {
  const { state, unsent, unreadSeq, visible, now, onOlder, onSeen, ...shared } = props
  const { timeline } = state
  const rows = useMemo(() => rowsOf(timeline, unsent, shared.me), [timeline, unsent, shared.me])

  const virtuoso = useRef<VirtuosoHandle>(null)
  const [scroller, setScroller] = useState<HTMLElement | null>(null)

  // How the list was when it was first drawn: what precedes that was put on top later.
  const [from] = useState(timeline.from)
  const firstItemIndex = BASE - countUpTo(rows, from)
  const [firstIndex] = useState(() => beginning(rows, unreadSeq, timeline.complete))
  const [atBottom, setAtBottom] = useState(firstIndex === null)
  const [seenSeq, setSeenSeq] = useState(firstIndex === null || unreadSeq === null ? timeline.head : unreadSeq - 1)
  const onSight = useCallback(
    (seq: number) => {
      setSeenSeq((before) => Math.max(before, seq))
      onSeen(seq)
    },
    [onSeen],
  )
  const look = useReading(scroller, visible, onSight)
  useStickToBottom(scroller)
  const [beginSeq] = useState(() => {
    const row = firstIndex === null ? undefined : rows[firstIndex]
    return row?.is === 'item' ? row.item.seq : null
  })
  const begin = useRef<() => void>(() => undefined)
  useEffect(() => {
    begin.current = () => {
      const index = rows.findIndex((row) => row.is === 'item' && row.item.seq === beginSeq)
      virtuoso.current?.scrollToIndex(index === -1 ? END : placeOf(index))
    }
  })
  useBeginAt(scroller, { seq: beginSeq, go: begin })

  const toLatest = () => virtuoso.current?.scrollToIndex(END)

  // What comes is followed from the end of the list alone; what I write is always before my eyes. (The list’s own
  // `followOutput` takes a page of the past for something new.)
  const last = rows.at(-1)
  const end = { key: last === undefined ? '' : rowKey(last), head: timeline.head }
  const [followed, setFollowed] = useState(end)
  const written = followed.key !== end.key && last?.is === 'unsent'
  const come = followed.key !== end.key || followed.head !== end.head
  const follow = written || (come && atBottom)
  useEffect(() => {
    if (follow) virtuoso.current?.scrollToIndex(END)
    setFollowed({ key: end.key, head: end.head })
  }, [follow, end.key, end.head])

  useEffect(look, [look, rows])

  const below = timeline.items.filter(
    (each) => each.kind === 'message' && each.seq > seenSeq && each.sender !== shared.me,
  )
  const statBelow = below.some((each) => each.kind === 'message' && each.priority === 'stat')

  const draw = (index: number, row: Row) => {
    const above = rows[index - firstItemIndex - 1]
    const unread = row.is === 'item' && row.item.seq === unreadSeq
    const at = row.is === 'unsent' ? row.post.queuedAt : row.item.kind === 'hole' ? null : row.item.at
    return (
      <>
        {at !== null && startsDay(row, above) && <DaySeparator at={at} now={now} />}
        {unread && <UnreadLine />}
        {drawRow(row, unread || startsGroup(row, above, shared.me))}
      </>
    )
  }

  const drawRow = (row: Row, first: boolean) => {
    if (row.is === 'unsent') return <UnsentRow post={row.post} first={first} />
    const { item } = row
    if (item.kind === 'hole') return <HoleRow seq={item.seq} />
    if (item.kind === 'notice') return <NoticeRow notice={item} people={shared.people} now={now} />
    const quoted = item.inReplyTo === null ? null : messageById(timeline, item.inReplyTo)
    return (
      <MessageRow
        message={item}
        amendment={amendmentOf(timeline, item.id)}
        quotedMessage={quoted}
        quotedAmendment={quoted === null ? null : amendmentOf(timeline, quoted.id)}
        first={first}
        {...shared}
      />
    )
  }

  return (
    <div className={styles.list}>
      <Virtuoso<Row>
        ref={virtuoso}
        scrollerRef={(element) => setScroller(element instanceof HTMLElement ? element : null)}
        className={styles.scroller ?? ''}
        role="region"
        aria-label={strings.messages.list}
        data={rows}
        firstItemIndex={firstItemIndex}
        initialTopMostItemIndex={firstIndex === null ? END : placeOf(firstIndex)}
        computeItemKey={(_, row) => rowKey(row)}
        itemContent={draw}
        alignToBottom
        atBottomThreshold={48}
        atBottomStateChange={setAtBottom}
        increaseViewportBy={{ top: 600, bottom: 300 }}
        startReached={onOlder}
        components={LIST_COMPONENTS}
        context={{ state, onOlder }}
      />
      {!atBottom && (
        <Button
          small={below.length === 0}
          kind={statBelow ? 'stat' : 'primary'}
          className={styles.latest ?? ''}
          icon={ArrowDown}
          onClick={toLatest}
        >
          {below.length === 0 ? strings.messages.toLatest : strings.messages.newBelow(below.length)}
        </Button>
      )}
    </div>
  )
}

const LIST_COMPONENTS = {
  Header: OlderLine,
  Footer: () => <div className={styles.end} />,
}
