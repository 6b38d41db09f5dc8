import type { AuditFilter } from '@wardline/protocol'
import { BookmarkPlus, X } from 'lucide-react'
import { strings } from '../strings.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { useDirectory } from '../wardline/directory.ts'
import { useKeptFilters } from './api.ts'
import styles from './kept-filters.module.css'
import { type AuditSearch, filterOf } from './search.ts'

const text = strings.audit.kept
const DAY_MS = 86_400_000

interface KeptFiltersProps {
  readonly search: AuditSearch
  readonly onApply: (search: AuditSearch) => void
}

/** The filters that I keep: one press, and the list shows that. They are named after what they ask for. */
export function KeptFilters({ search, onApply }: KeptFiltersProps) {
  const { kept, keep, letGo } = useKeptFilters()
  const people = useDirectory(true).data ?? []
  const names = new Map(people.map(({ id, displayName }) => [id, displayName]))
  const items = kept.data?.items ?? []
  const { from, until: _, ...filter } = filterOf(search)
  const isWorthKeeping = Object.keys(filter).length > 0 || from !== undefined
  if (items.length === 0 && !isWorthKeeping) return null

  return (
    <div className={styles.bar} role="group" aria-label={text.label}>
      {items.map((each) => {
        const label = labelOf(each, names)
        return (
          <span key={each.id} className={styles.chip}>
            <button type="button" onClick={() => onApply(searchOf(each))}>
              {label}
            </button>
            <IconButton label={text.letGo(label)} icon={X} size={14} onClick={() => letGo.mutate(each.id)} />
          </span>
        )
      })}
      {isWorthKeeping && (
        <Button
          small
          kind="quiet"
          icon={BookmarkPlus}
          disabled={keep.isPending}
          onClick={() => keep.mutate({ filter, days: daysSince(from) })}
        >
          {text.keep}
        </Button>
      )}
      {(keep.isError || letGo.isError) && <span role="alert">{text.failed}</span>}
    </div>
  )
}

/** A beginning is kept as "the last so many days". */
function daysSince(from: string | undefined): number | null {
  if (from === undefined) return null
  return Math.min(366, Math.max(1, Math.ceil((Date.now() - Date.parse(from)) / DAY_MS)))
}

/** What a kept filter asks for, in words: `Refused · Astrid Lind · last 7 days`. */
function labelOf({ filter, days }: AuditFilter, names: ReadonlyMap<string, string>): string {
  const { outcome, action, actor, patient, connection } = filter
  const short = (id: string) => `${id.slice(0, 8)}…`
  const parts = [
    outcome === undefined ? '' : strings.audit.outcomes[outcome],
    action ?? '',
    actor === undefined ? '' : (names.get(actor) ?? short(actor)),
    patient === undefined ? '' : text.patient(short(patient)),
    connection === undefined ? '' : text.connection(short(connection)),
    days === null ? '' : text.days(days),
  ].filter((part) => part !== '')
  return parts.length === 0 ? text.everything : parts.join(' · ')
}

function searchOf({ filter, days }: AuditFilter): AuditSearch {
  const from = days === null ? {} : { from: new Date(Date.now() - days * DAY_MS).toISOString() }
  return { ...(filter as AuditSearch), ...from }
}
