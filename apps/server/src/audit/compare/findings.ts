import type { PendingRow } from '../../storage/sequencer-rows.ts'

export type DatabaseTable =
  | 'audit_outbox'
  | 'audit_log.runs'
  | 'audit_log.head'
  | 'audit_log.events'
  | 'audit_log.hours'
  | 'audit_log.days'
  | 'audit_log.indexed'

/** Something in the database that is not as the log has it. `place`: the entry of the log that shows it. */
export type DatabaseFinding = {
  readonly kind: 'changed' | 'missing' | 'reordered' | 'truncated' | 'forked' | 'writer-gap'
  readonly where: DatabaseTable
  readonly place?: number
  /** What is wrong, for people; ids and numbers alone. */
  readonly sentence: string
}

/** Findings that are kept; more are counted. */
const MAX_FINDINGS = 1_000

type Altered = { readonly place: number; readonly row: PendingRow; readonly logged: string }

/** Gathers findings. Rows that hold each other's content have changed places, which is only known at the end. */
export class DatabaseFindings {
  readonly #found: DatabaseFinding[] = []
  readonly #altered: Altered[] = []
  #dropped = 0

  add(kind: DatabaseFinding['kind'], where: DatabaseTable, sentence: string, place?: number): void {
    if (this.#found.length >= MAX_FINDINGS) this.#dropped += 1
    else this.#found.push({ kind, where, sentence, ...(place === undefined ? {} : { place }) })
  }

  /** The row is not what the log has: `logged` are the event's bytes there. */
  altered(place: number, row: PendingRow, logged: Uint8Array): void {
    if (this.#altered.length >= MAX_FINDINGS) this.#dropped += 1
    else this.#altered.push({ place, row, logged: Buffer.from(logged).toString('latin1') })
  }

  get dropped(): number {
    return this.#dropped
  }

  all(): DatabaseFinding[] {
    const placeOf = new Map(this.#altered.map(({ logged, place }) => [logged, place]))
    const rows = this.#altered.map(({ place, row }): DatabaseFinding => {
      const from = placeOf.get(row.event.toString('latin1'))
      const what = `number ${row.seq} of writer ${row.writerId}`
      return from === undefined
        ? {
            kind: 'changed',
            where: 'audit_outbox',
            place,
            sentence: `${what} is not what entry ${place} of the log is`,
          }
        : {
            kind: 'reordered',
            where: 'audit_outbox',
            place,
            sentence: `${what} holds what is entry ${from} of the log`,
          }
    })
    return [...rows, ...this.#found]
  }
}
