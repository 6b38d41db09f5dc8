import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { Download, FileSearch, RefreshCw, UsersRound } from 'lucide-react'
import { useState } from 'react'
import { clock, zone } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Failure, Loading, ScreenState } from '../ui/screen-state.tsx'
import { useAbility } from '../wardline/context.tsx'
import { useAuditEvents, useCheckpoint, useHistogram, useMarks } from './api.ts'
import { AuditFilters } from './audit-filters.tsx'
import styles from './audit-screen.module.css'
import { AuditTable } from './audit-table.tsx'
import { ConnectionStory } from './connection-story.tsx'
import { ExportDialog } from './export-dialog.tsx'
import { KeptFilters } from './kept-filters.tsx'
import { LogKeyNote } from './log-key-note.tsx'
import { PatientPeople } from './patient-people.tsx'
import { type AuditSearch, filterOf } from './search.ts'
import { TimeBrush } from './time-brush.tsx'

const text = strings.audit

/** Who did what, when, from where, and whether it was allowed. There is no content in it to show. */
export function AuditScreen() {
  const search = useSearch({ from: '/audit' })
  const navigate = useNavigate()
  const events = useAuditEvents(search)
  const histogram = useHistogram(search, events.dataUpdatedAt)
  const rows = events.data?.pages.flatMap((page) => page.items) ?? []
  const actions = [...new Set(rows.map((each) => each.action))].toSorted()
  const mayExport = useAbility('audit.export')
  const [exporting, setExporting] = useState(false)
  // Of which patient the people are shown in place of the events.
  const [peopleOf, setPeopleOf] = useState<string | null>(null)
  const go = (next: AuditSearch) => void navigate({ to: '/audit', search: next })
  const { patient, review } = search
  const showsPeople = patient !== undefined && peopleOf === patient

  return (
    <div className={styles.screen}>
      <header className={styles.header}>
        <div>
          <h1>{text.title}</h1>
          <p className={styles.lead}>{text.lead}</p>
          <LogKeyNote />
        </div>
        <p className={styles.asOf}>
          {events.dataUpdatedAt > 0 && text.asOf(clock(events.dataUpdatedAt))}
          <br />
          {strings.words.timesIn(zone())}
        </p>
        <div className={styles.actions}>
          <Link to="/audit/reviews" className={styles.link ?? ''}>
            {text.reviews.title}
          </Link>
          <Link to="/audit/keeping" className={styles.link ?? ''}>
            {text.keeping.title}
          </Link>
          {mayExport && (
            <Button icon={Download} onClick={() => setExporting(true)}>
              {text.export.open}
            </Button>
          )}
          <Button icon={RefreshCw} disabled={events.isFetching} onClick={() => void events.refetch()}>
            {text.refresh}
          </Button>
        </div>
      </header>
      {review !== undefined && (
        <p className={styles.reviewing}>
          {text.reviews.reviewing} <Link to="/audit/reviews">{text.reviews.back}</Link>
        </p>
      )}
      <KeptFilters search={search} onApply={go} />
      <AuditFilters
        key={JSON.stringify(search)}
        search={search}
        actions={actions}
        onApply={(next) => go(review === undefined ? next : { ...next, review })}
      />
      {histogram.data !== undefined && (
        <TimeBrush
          histogram={histogram.data}
          times={search}
          onTimes={(times) => {
            const { from: _, until: __, ...rest } = search
            go({ ...rest, ...times })
          }}
        />
      )}
      {patient !== undefined && (
        <p className={styles.who}>
          <Button
            small
            icon={UsersRound}
            aria-pressed={showsPeople}
            onClick={() => setPeopleOf(showsPeople ? null : patient)}
          >
            {showsPeople ? text.people.events : text.people.open}
          </Button>
        </p>
      )}
      {showsPeople ? (
        <div className={styles.scroll}>
          <PatientPeople
            patient={patient}
            onPerson={(part) => {
              setPeopleOf(null)
              go({ patient, ...part })
            }}
          />
        </div>
      ) : (
        <Events search={search} events={events} onGo={go} />
      )}
      {exporting && <ExportDialog search={search} onClose={() => setExporting(false)} />}
    </div>
  )
}

interface EventsProps {
  readonly search: AuditSearch
  readonly events: ReturnType<typeof useAuditEvents>
  readonly onGo: (search: AuditSearch) => void
}

function Events({ search, events, onGo }: EventsProps) {
  const { connection, review } = search
  const signed = useCheckpoint(events.dataUpdatedAt)
  const { marks, mark } = useMarks(review)
  const newestFirst = events.data?.pages.flatMap((page) => page.items) ?? []
  // A connection is read as it went, from its handshake on, once all of it is there.
  const isStory = connection !== undefined && !events.hasNextPage
  const rows = isStory ? newestFirst.toReversed() : newestFirst
  const filtered = Object.keys(filterOf(search)).length > 0

  if (events.isPending) return <Loading lines={8} />
  const retry = () => void events.refetch()
  if (events.isError && rows.length === 0) return <Failure error={events.error} onRetry={retry} />
  return (
    <>
      {events.isError && <Failure error={events.error} onRetry={retry} />}
      {mark.isError && <Failure error={mark.error} />}
      {isStory && <ConnectionStory rows={rows} />}
      {rows.length === 0 && !events.hasNextPage ? (
        <ScreenState icon={FileSearch} title={filtered ? text.empty : text.emptyAll} />
      ) : (
        <div className={styles.scroll}>
          <AuditTable
            rows={rows}
            signed={signed}
            marks={review === undefined ? undefined : marks}
            onMark={(row, verdict) => mark.mutate({ writer: row.writer, seq: row.seq, verdict })}
            onFilter={(part) => onGo({ ...search, ...part })}
            onFollow={(part) => onGo(review === undefined ? part : { ...part, review })}
          />
          <div className={styles.more}>
            {events.hasNextPage ? (
              <Button disabled={events.isFetchingNextPage} onClick={() => void events.fetchNextPage()}>
                {events.isFetchingNextPage ? strings.words.loading : text.older}
              </Button>
            ) : (
              <p>{isStory ? text.story.end : text.end}</p>
            )}
          </div>
        </div>
      )}
    </>
  )
}
