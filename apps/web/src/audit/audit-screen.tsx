import { useNavigate, useSearch } from '@tanstack/react-router'
import { FileSearch, RefreshCw } from 'lucide-react'
import { clock, zone } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Failure, Loading, ScreenState } from '../ui/screen-state.tsx'
import { useAuditEvents, useCheckpointSize } from './api.ts'
import { AuditFilters } from './audit-filters.tsx'
import styles from './audit-screen.module.css'
import { AuditTable } from './audit-table.tsx'
import type { AuditSearch } from './search.ts'

const text = strings.audit

/** Who did what, when, from where, and whether it was allowed. There is no content in it to show. */
export function AuditScreen() {
  const search = useSearch({ from: '/audit' })
  const navigate = useNavigate()
  const events = useAuditEvents(search)
  const rows = events.data?.pages.flatMap((page) => page.items) ?? []
  const actions = [...new Set(rows.map((each) => each.action))].toSorted()
  const filtered = Object.keys(search).length > 0
  const signed = useCheckpointSize(events.dataUpdatedAt)
  const go = (next: AuditSearch) => void navigate({ to: '/audit', search: next })

  return (
    <div className={styles.screen}>
      <header className={styles.header}>
        <div>
          <h1>{text.title}</h1>
          <p className={styles.lead}>{text.lead}</p>
        </div>
        <p className={styles.asOf}>
          {events.dataUpdatedAt > 0 && text.asOf(clock(events.dataUpdatedAt))}
          <br />
          {strings.words.timesIn(zone())}
        </p>
        <Button icon={RefreshCw} disabled={events.isFetching} onClick={() => void events.refetch()}>
          {text.refresh}
        </Button>
      </header>
      <AuditFilters key={JSON.stringify(search)} search={search} actions={actions} onApply={go} />
      {events.isPending ? (
        <Loading lines={8} />
      ) : events.isError && rows.length === 0 ? (
        <Failure error={events.error} onRetry={() => void events.refetch()} />
      ) : (
        <>
          {events.isError && <Failure error={events.error} onRetry={() => void events.refetch()} />}
          {rows.length === 0 && !events.hasNextPage ? (
            <ScreenState icon={FileSearch} title={filtered ? text.empty : text.emptyAll} />
          ) : (
            <div className={styles.scroll}>
              <AuditTable
                rows={rows}
                signed={signed}
                onFilter={(part) => go({ ...search, ...part })}
                onFollow={(part) => go(part)}
              />
              <div className={styles.more}>
                {events.hasNextPage ? (
                  <Button disabled={events.isFetchingNextPage} onClick={() => void events.fetchNextPage()}>
                    {events.isFetchingNextPage ? strings.words.loading : text.older}
                  </Button>
                ) : (
                  <p>{text.end}</p>
                )}
              </div>
            </div>
          )}
        </>
      )}
    </div>
  )
}
