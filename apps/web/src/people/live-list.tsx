import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query'
import type { LucideIcon } from 'lucide-react'
import { RefreshCw } from 'lucide-react'
import type { ReactNode } from 'react'
import { clock } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { SelectField } from '../ui/field.tsx'
import { Failure, Loading, ScreenState } from '../ui/screen-state.tsx'
import { useDirectory } from '../wardline/directory.ts'
import styles from './people-screen.module.css'

const text = strings.accounts.live

/** A list of what is so now, page after page: it changes by itself, and is asked for again by hand. */
export type Held<T> = UseInfiniteQueryResult<InfiniteData<{ readonly items: readonly T[] }>>

/** As of when it is, and the way to ask again. */
export function Refresh({ held }: { readonly held: Held<unknown> }) {
  return (
    <>
      {held.dataUpdatedAt > 0 && <p className={styles.hint}>{text.asOf(clock(held.dataUpdatedAt))}</p>}
      <Button icon={RefreshCw} disabled={held.isFetching} onClick={() => void held.refetch()}>
        {text.refresh}
      </Button>
    </>
  )
}

interface PersonFilterProps {
  readonly person: string | undefined
  readonly onChange: (search: { readonly person?: string }) => void
}

/** Of everybody, or of one. */
export function PersonFilter({ person, onChange }: PersonFilterProps) {
  const people = useDirectory(true).data ?? []
  return (
    <SelectField
      label={text.person}
      value={person ?? ''}
      options={[
        { value: '', text: text.everybody },
        ...people.map(({ id, displayName }) => ({ value: id, text: displayName })),
      ]}
      onChange={(id) => onChange(id === '' ? {} : { person: id })}
    />
  )
}

interface LiveListProps<T> {
  readonly held: Held<T>
  /** What stands there where there is nothing. */
  readonly icon: LucideIcon
  readonly none: string
  readonly row: (item: T) => ReactNode
}

export function LiveList<T>({ held, icon, none, row }: LiveListProps<T>) {
  if (held.isPending) return <Loading lines={6} />
  if (held.isError) return <Failure error={held.error} onRetry={() => void held.refetch()} />
  const items = held.data.pages.flatMap((page) => page.items)
  if (items.length === 0) return <ScreenState icon={icon} title={none} />
  return (
    <>
      <ul className={styles.list}>{items.map(row)}</ul>
      {held.hasNextPage && (
        <div>
          <Button disabled={held.isFetchingNextPage} onClick={() => void held.fetchNextPage()}>
            {text.more}
          </Button>
        </div>
      )}
    </>
  )
}
