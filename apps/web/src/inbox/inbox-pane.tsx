import { Inbox, MessageSquarePlus, Search, X } from 'lucide-react'
import { type KeyboardEvent, type Ref, useImperativeHandle, useMemo, useRef, useState } from 'react'
import { strings } from '../strings.ts'
import { IconButton } from '../ui/button.tsx'
import { Hidden } from '../ui/hidden.tsx'
import { Failure, Loading, ScreenState } from '../ui/screen-state.tsx'
import { Segmented } from '../ui/segmented.tsx'
import { useInbox } from './api.ts'
import styles from './inbox-pane.module.css'
import { InboxRow } from './inbox-row.tsx'
import { inboxSections, matching, ofKind, type InboxRow as Row, type Shown, type Waiting } from './sections.ts'

const text = strings.inbox

const SHOWN: readonly Shown[] = ['all', 'patient', 'others']

/** What the keyboard can do in the inbox. */
export interface InboxHandle {
  readonly focusFilter: () => void
  /** Opens the conversation below (1) or above (-1) the one that is open. */
  readonly step: (by: 1 | -1) => void
}

interface InboxPaneProps {
  /** What waits for an answer, by channel id. */
  readonly waitingIn: ReadonlyMap<string, Waiting>
  readonly now: number
  readonly onCreate: (() => void) | null
  readonly ref?: Ref<InboxHandle>
}

/** All my conversations: first what waits for me, then what is new, then the rest. */
export function InboxPane({ waitingIn, now, onCreate, ref }: InboxPaneProps) {
  const inbox = useInbox()
  const [filter, setFilter] = useState('')
  const [shown, setShown] = useState<Shown>('all')
  const field = useRef<HTMLInputElement>(null)
  const list = useRef<HTMLElement>(null)
  const channels = inbox.data
  const sections = useMemo(
    () => (channels === undefined ? null : inboxSections(ofKind(matching(channels, filter), shown), waitingIn)),
    [channels, filter, shown, waitingIn],
  )

  useImperativeHandle(
    ref,
    () => ({
      focusFilter: () => field.current?.focus(),
      step: (by) => {
        const rows = [...(list.current?.querySelectorAll<HTMLElement>('[data-inbox-row]') ?? [])]
        const at = rows.findIndex((row) => row.hasAttribute('aria-current'))
        const next = at === -1 ? (by === 1 ? rows[0] : rows.at(-1)) : rows[at + by]
        next?.click()
        next?.focus()
      },
    }),
    [],
  )

  const onFilterKey = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      event.stopPropagation()
      setFilter('')
      field.current?.blur()
    }
  }

  return (
    <nav className={styles.pane} aria-label={text.title}>
      <div className={styles.bar}>
        <label className={styles.filter}>
          <Search aria-hidden size={16} />
          <Hidden>{text.filter}</Hidden>
          <input
            ref={field}
            type="search"
            value={filter}
            placeholder={text.filter}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => setFilter(event.target.value)}
            onKeyDown={onFilterKey}
          />
          {filter !== '' && <IconButton label={text.clearFilter} icon={X} size={15} onClick={() => setFilter('')} />}
        </label>
        {onCreate !== null && (
          <IconButton label={text.create} icon={MessageSquarePlus} aria-haspopup="dialog" onClick={onCreate} />
        )}
      </div>
      <div className={styles.shown}>
        <Segmented
          label={text.show}
          value={shown}
          onChange={setShown}
          segments={SHOWN.map((value) => ({ value, text: text.shows[value] }))}
        />
      </div>
      <section ref={list} className={styles.list} aria-label={text.title}>
        {sections === null ? (
          inbox.isError ? (
            <Failure error={inbox.error} onRetry={() => void inbox.refetch()} />
          ) : (
            <Loading lines={7} />
          )
        ) : (
          <>
            {inbox.isError && <p className={styles.stale}>{text.stale}</p>}
            {channels?.length === 0 ? (
              <ScreenState icon={Inbox} title={text.empty} more={text.emptyMore} />
            ) : sections.waiting.length + sections.unread.length + sections.rest.length === 0 ? (
              <ScreenState title={text.noMatch} />
            ) : (
              <>
                <Section title={text.sections.waiting} rows={sections.waiting} now={now} />
                <Section title={text.sections.unread} rows={sections.unread} now={now} />
                <Section title={text.sections.rest} rows={sections.rest} now={now} />
              </>
            )}
          </>
        )}
      </section>
    </nav>
  )
}

function Section({
  title,
  rows,
  now,
}: {
  readonly title: string
  readonly rows: readonly Row[]
  readonly now: number
}) {
  if (rows.length === 0) return null
  return (
    <section aria-label={title}>
      <h2 className={styles.heading}>
        {title}
        <span>{rows.length}</span>
      </h2>
      <ul>
        {rows.map((row) => (
          <InboxRow key={row.channel.id} row={row} now={now} />
        ))}
      </ul>
    </section>
  )
}
