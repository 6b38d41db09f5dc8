import type { AuditCheckpoint, AuditEventView } from '@wardline/protocol'
import { Ban, Check, CircleAlert, Repeat } from 'lucide-react'
import { memo } from 'react'
import { clockSeconds, shortDate } from '../format/time.ts'
import { strings } from '../strings.ts'
import styles from './audit-table.module.css'
import { ProofCell } from './proof-cell.tsx'
import { ReviewMarks, type Verdict } from './review-marks.tsx'
import type { AuditSearch } from './search.ts'

const { columns, outcomes, only, nobody, none, system, table, things } = strings.audit
const OUTCOME_ICONS = { allowed: Check, refused: Ban, failed: CircleAlert, repeated: Repeat } as const

interface AuditTableProps {
  readonly rows: readonly AuditEventView[]
  /** What is signed of the log; undefined while nobody knows. */
  readonly signed: AuditCheckpoint | undefined
  /** What was marked in the review that one is at; undefined: one is at none. */
  readonly marks?: ReadonlyMap<string, Verdict> | undefined
  readonly onMark: (row: AuditEventView, verdict: Verdict) => void
  /** Narrows what is shown. */
  readonly onFilter: (part: AuditSearch) => void
  /** Shows this and nothing else: all of a connection, all about a patient. */
  readonly onFollow: (part: AuditSearch) => void
}

/** The events, newest first. What is underlined narrows the list to itself. */
export const AuditTable = memo(function AuditTable({ rows, ...rest }: AuditTableProps) {
  const { marks } = rest
  return (
    <table className={`${styles.table} ${styles.events}`} aria-label={table}>
      <thead>
        <tr>
          {Object.entries(columns).map(([name, text]) => (
            <th key={name} scope="col">
              {text}
            </th>
          ))}
          {marks !== undefined && <th scope="col">{strings.audit.marks.column}</th>}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <AuditRow key={`${row.writer}/${row.seq}`} row={row} {...rest} />
        ))}
      </tbody>
    </table>
  )
})

/** Enough of an id to tell two apart; the whole of it on the point and to the clipboard. */
function ShortId({ id }: { readonly id: string }) {
  return (
    <code title={id} className={styles.id}>
      {id.length > 12 ? `${id.slice(0, 8)}…` : id}
    </code>
  )
}

/** Several refusals in one event, rows of a list: how many. */
const counted = new Intl.NumberFormat()

/** What it was about: the most specific first, then all else that the log has of it. */
function Things({ row, onFollow }: Pick<AuditRowProps, 'row' | 'onFollow'>) {
  const { resource, also, patient, count, sequence, until } = row
  const all = [...(resource === null ? [] : [resource]), ...also]
  if (all.length === 0 && patient === null && count === null && sequence === null && until === null) {
    return <span className={styles.none}>{none}</span>
  }
  return (
    <>
      {all.map(({ kind, id, name }) => (
        <span key={kind} className={styles.thing}>
          {kind} {name ?? (kind === 'role' ? id : <ShortId id={id} />)}
        </span>
      ))}
      {patient !== null && (
        <button type="button" className={styles.thing} title={only.patient} onClick={() => onFollow({ patient })}>
          {things.patient} <ShortId id={patient} />
        </button>
      )}
      {sequence !== null && <span className={styles.thing}>{things.sequence(counted.format(sequence))}</span>}
      {until !== null && (
        <span className={styles.thing}>{things.until(`${shortDate(until)} ${clockSeconds(until)}`)}</span>
      )}
      {count !== null && row.outcome === 'allowed' && (
        <span className={styles.thing}>{things.count(counted.format(count))}</span>
      )}
    </>
  )
}

type AuditRowProps = { readonly row: AuditEventView } & Omit<AuditTableProps, 'rows'>

function AuditRow({ row, signed, marks, onMark, onFilter, onFollow }: AuditRowProps) {
  const { actor, connection } = row
  const Icon = OUTCOME_ICONS[row.outcome]
  return (
    <tr data-outcome={row.outcome}>
      <td className={styles.time}>
        <time dateTime={row.at}>
          {shortDate(row.at)} <strong>{clockSeconds(row.at)}</strong>
        </time>
      </td>
      <td className={styles.person}>
        {actor === null ? (
          // Whoever comes from an address is not the system, but somebody who has not signed in.
          <span className={styles.none}>{row.address === null ? system : nobody}</span>
        ) : (
          <button type="button" title={only.actor} onClick={() => onFilter({ actor: actor.id })}>
            {actor.displayName ?? <ShortId id={actor.id} />}
          </button>
        )}
      </td>
      <td>
        <button type="button" title={only.action} onClick={() => onFilter({ action: row.action })}>
          {row.action}
        </button>
      </td>
      <td>
        <span className={styles.outcome}>
          <Icon aria-hidden size={14} strokeWidth={2.4} />
          {outcomes[row.outcome]}
          {row.count !== null && row.outcome !== 'allowed' && ` ${things.count(counted.format(row.count))}`}
        </span>
      </td>
      <td>{row.reason ?? <span className={styles.none}>{none}</span>}</td>
      <td>
        <Things row={row} onFollow={onFollow} />
      </td>
      <td className={styles.address}>{row.address ?? <span className={styles.none}>{none}</span>}</td>
      <td>
        {connection === null ? (
          <span className={styles.none}>{none}</span>
        ) : (
          <button type="button" title={only.connection} onClick={() => onFollow({ connection })}>
            <ShortId id={connection} />
          </button>
        )}
      </td>
      <td className={styles.address}>
        <ProofCell row={row} signed={signed} />
      </td>
      {marks !== undefined && (
        <td>
          <ReviewMarks
            row={row}
            verdict={marks.get(`${row.writer}/${row.seq}`)}
            onMark={(verdict) => onMark(row, verdict)}
          />
        </td>
      )}
    </tr>
  )
}
