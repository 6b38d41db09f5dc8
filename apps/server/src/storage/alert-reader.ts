import pg from 'pg'
import { type AuditEvent, decodeAuditEvent } from '../audit/event.ts'
import { NIL_UUID } from './errors.ts'

/** 'wlrt' in ASCII: of all that would read the audit log for alerts, the one that holds this lock does. */
const LEADER_LOCK = 0x776c7274

/** How far a tenant's log has been read; `nextIndex` null: never. Times in epoch milliseconds. */
export type AlertCursor = {
  readonly nextIndex: number | null
  readonly at: number | null
  /** Places given out in all. */
  readonly logEnd: number
  readonly workingHours: { readonly zone: string; readonly from: number; readonly until: number } | null
}

/** Events that follow each other in one writer's numbers and in the log. */
export type AlertRun = {
  readonly firstIndex: number
  readonly count: number
  readonly writerId: string
  readonly firstSeq: number
  /** The very leaf, where it is the log's own and no event. */
  readonly own: Buffer | null
  /** The number that `firstSeq` should be. */
  readonly due: number
}

/** `event` null: the stored bytes are no event. */
export type AlertRow = { readonly index: number; readonly at: number; readonly event: AuditEvent | null }

export type WindowRow = { readonly rule: string; readonly subject: string; readonly state: unknown }

/** An alert as it is to be. Counts and times are whole; `events`: places to add. Times in epoch milliseconds. */
export type AlertItem = {
  readonly id: string
  readonly key: string
  readonly kind: string
  readonly severity: string
  readonly scope: 'tenant' | 'installation'
  readonly user: string | null
  readonly address: string | null
  readonly patient: string | null
  readonly count: number
  readonly first: number
  readonly last: number
  readonly lastIndex: number
  readonly events: readonly number[]
}

export type AlertBatch = {
  /** The cursor's move; null: it is not this tenant's log that was read. */
  readonly move: { readonly from: number; readonly to: number; readonly at: number | null } | null
  readonly now: number
  readonly windows: readonly WindowRow[]
  readonly alerts: readonly AlertItem[]
}

/** A message to a tenant's webhook whose time has come. */
export type DueDelivery = {
  readonly id: string
  /** Null: a test. */
  readonly alertId: string | null
  readonly attempts: number
  readonly url: string
  readonly sealedSecret: Buffer
}

/** `lost`: somebody else has read on. `raises`: nothing was done, for it wants an audit event. */
export type AlertVerdict = 'recorded' | 'lost' | 'raises'

/** Alerts of one kind that may be open at once in a tenant; more are one alert more. */
const MOST_OF_A_KIND = 50

/** The parameters of wardline_alert_record. @param isAudited whether an audit event goes with it */
export function recordParameters(tenantId: string, batch: AlertBatch, isAudited: boolean): unknown[] {
  const { move, now, windows, alerts } = batch
  const time = (at: number) => new Date(at).toISOString()
  return [
    tenantId,
    move?.from ?? null,
    move?.to ?? null,
    move === null || move.at === null ? null : time(move.at),
    time(now),
    JSON.stringify(windows),
    JSON.stringify(alerts),
    MOST_OF_A_KIND,
    isAudited,
  ]
}

/**
 * What reads the log for alerts: one connection of the application's role, which also holds the lock of the leader. Whoever loses the
 * connection has lost the lead; and should two believe that they lead, the cursor lets one of them through.
 */
export class AlertReader {
  readonly #client: pg.Client

  private constructor(client: pg.Client) {
    this.#client = client
  }

  /** @param onLost told when the connection breaks */
  static async connect(config: pg.ClientConfig, onLost: () => void): Promise<AlertReader> {
    const client = new pg.Client(config)
    client.on('error', onLost)
    await client.connect()
    return new AlertReader(client)
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined)
  }

  /** True while no other leads; held until the connection ends. */
  async tryLead(): Promise<boolean> {
    const [row] = await this.#rows<[boolean]>('SELECT pg_try_advisory_lock($1)', [LEADER_LOCK])
    return row?.[0] === true
  }

  /** @param tenantId null: what belongs to no tenant; so in all that follow */
  async cursor(tenantId: string | null): Promise<AlertCursor> {
    const [row] = await this.#rows<[string | null, string | null, string, string | null, number | null, number | null]>(
      'SELECT * FROM wardline_alert_cursor($1)',
      [tenantId ?? NIL_UUID],
      'cursor',
    )
    const [next = null, at = null, end = '0', zone = null, from = null, until = null] = row ?? []
    return {
      nextIndex: next === null ? null : Number(next),
      at: at === null ? null : Number(at),
      logEnd: Number(end),
      workingHours: zone === null || from === null || until === null ? null : { zone, from, until },
    }
  }

  /** Begins to read at a place, where nobody has begun yet. */
  async begin(tenantId: string | null, index: number): Promise<void> {
    await this.#rows('SELECT wardline_alert_begin($1, $2)', [tenantId ?? NIL_UUID, index])
  }

  /** What follows a place, up to about `events` events. */
  async runs(tenantId: string | null, from: number, events: number): Promise<AlertRun[]> {
    const rows = await this.#rows<[string, number, string, string, Buffer | null, string]>(
      'SELECT * FROM wardline_alert_runs($1,$2,$3)',
      [tenantId ?? NIL_UUID, from, events],
      'runs',
    )
    return rows.map(([firstIndex, count, writerId, firstSeq, own, due]) => ({
      firstIndex: Number(firstIndex),
      count,
      writerId,
      firstSeq: Number(firstSeq),
      own,
      due: Number(due),
    }))
  }

  /** The events of these runs that a rule might ask for, in the log's order; `audit_outbox_alerting` says which those are. @param since none is older, epoch milliseconds */
  async rows(tenantId: string | null, runs: readonly AlertRun[], since: number): Promise<AlertRow[]> {
    if (runs.length === 0) return []
    const rows = await this.#rows<[number, string, string, Buffer]>(
      'SELECT * FROM wardline_alert_rows($1,$2,$3,$4,$5)',
      [
        tenantId ?? NIL_UUID,
        runs.map((run) => run.writerId),
        runs.map((run) => run.firstSeq),
        runs.map((run) => run.count),
        new Date(since).toISOString(),
      ],
      'rows',
    )
    return rows.flatMap(([ord, seq, at, event]) => {
      const run = runs[ord]
      if (run === undefined) return []
      return { index: run.firstIndex + Number(seq) - run.firstSeq, at: Number(at), event: decoded(event) }
    })
  }

  /** When the oldest of the tenant's latest events happened that has no place in the log yet; null: all have one. */
  async unplaced(tenantId: string | null): Promise<number | null> {
    const text = 'SELECT wardline_alert_unplaced($1, 200)'
    const [row] = await this.#rows<[string | null]>(text, [tenantId ?? NIL_UUID], 'unplaced')
    const at = row?.[0] ?? null
    return at === null ? null : Number(at)
  }

  /** What is remembered under these keys, in their order; null where it is nothing. */
  async windows(tenantId: string | null, keys: readonly { rule: string; subject: string }[]): Promise<unknown[]> {
    const states: unknown[] = keys.map(() => null)
    if (keys.length === 0) return states
    const rows = await this.#rows<[number, unknown]>(
      'SELECT * FROM wardline_alert_windows($1,$2,$3)',
      [tenantId ?? NIL_UUID, keys.map(({ rule }) => rule), keys.map(({ subject }) => subject)],
      'windows',
    )
    for (const [ord, state] of rows) states[ord] = state
    return states
  }

  /** Takes a batch down where it raises nothing; all or nothing. */
  async record(tenantId: string | null, batch: AlertBatch): Promise<AlertVerdict> {
    const rows = await this.#rows<[AlertVerdict]>(
      'SELECT * FROM wardline_alert_record($1,$2,$3,$4,$5,$6,$7,$8,$9)',
      recordParameters(tenantId ?? NIL_UUID, batch, false),
      'record',
    )
    return rows[0]?.[0] ?? 'recorded'
  }

  /** A tenant's messages that are due. @param now epoch milliseconds */
  async due(tenantId: string, now: number, limit: number): Promise<DueDelivery[]> {
    const rows = await this.#rows<[string, string | null, number, string, Buffer]>(
      'SELECT * FROM wardline_alert_due($1,$2,$3)',
      [tenantId, new Date(now).toISOString(), limit],
      'due',
    )
    return rows.map(([id, alertId, attempts, url, sealedSecret]) => ({ id, alertId, attempts, url, sealedSecret }))
  }

  /** Forgets what these rules remember of whom nothing was heard since; and deliveries that ended before. Epoch milliseconds. */
  async forget(tenantId: string | null, rules: readonly string[], before: number, endedBefore: number): Promise<void> {
    await this.#rows('SELECT wardline_alert_forget($1,$2,$3,$4)', [
      tenantId ?? NIL_UUID,
      new Date(before).toISOString(),
      rules,
      new Date(endedBefore).toISOString(),
    ])
  }

  async #rows<R extends unknown[]>(text: string, values: unknown[], name?: string): Promise<R[]> {
    const named = name === undefined ? {} : { name: `wardline_alert_${name}` }
    return (await this.#client.query<R>({ text, values, rowMode: 'array', ...named })).rows
  }
}

function decoded(bytes: Uint8Array): AuditEvent | null {
  try {
    return decodeAuditEvent(bytes)
  } catch {
    return null
  }
}
