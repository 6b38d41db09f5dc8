import { randomUUID } from 'node:crypto'
import type { AlertKind } from '@wardline/protocol'
import { bySystem } from '../audit/by.ts'
import { auditId } from '../audit/event.ts'
import { type Clock, isDue } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { AlertBatch, AlertCursor, AlertItem, AlertReader, AlertRun } from '../storage/alert-reader.ts'
import { recordAlerts } from '../storage/alert-rows.ts'
import type { Database } from '../storage/open.ts'
import { type Found, fold, touchesOf, windowKey } from './evaluate.ts'
import type { Rule, RuleSettings, Seen } from './rule.ts'
import { RULES, SEVERITIES } from './rules.ts'
import { gapsIn, LogWatch } from './watch-log.ts'

/** Between two looks at the log while all goes well. */
const LOOK_MS = 1_000
/** Until the next try where another leads, or the database is away. */
const RETRY_MS = 2_000
/** Who the tenants are is asked again after this. */
const TENANTS_MS = 5_000
const FORGET_MS = 10 * 60_000
/** Deliveries that ended are kept for so long; what became of each is in the audit for good. */
const DELIVERIES_MS = 90 * 24 * 3_600_000
/** Events read at once. */
const BATCH = 4_000
/** Events come into the log a little out of order; none comes so late. */
const LATE_MS = 2 * 24 * 3_600_000

export type EngineParts = {
  readonly clock: Clock
  readonly log: Logger
  readonly database: Pick<Database, 'alertReader' | 'listTenants' | 'withTenant'>
  /** An event that has no place in the log after so long means that the log stands still, in milliseconds. */
  readonly staleMs: number
  readonly rules?: readonly Rule[]
  /** What else is one process' to do: called in each look of the one that leads. */
  readonly onLook?: (reader: AlertReader, tenants: readonly string[]) => Promise<void>
}

/** No tenant: strangers' events, and the log's own. */
type Scope = string | null

type Lead = {
  readonly reader: AlertReader
  readonly watch: LogWatch
  readonly tenants: readonly string[]
  readonly tenantsAt: number
  readonly forgotAt: number
  /** The log's end when everything up to it had been read. */
  readonly readTo: number
}

/**
 * Reads the sequenced audit log, tenant by tenant, and raises what the rules find. One process leads. How far it has read, what
 * the rules remember and what they found are one transaction: a crash between any two steps loses no alert and raises none twice.
 */
export class AlertEngine {
  readonly #parts: EngineParts
  readonly #rules: readonly Rule[]
  #lead: Lead | undefined

  constructor(parts: EngineParts) {
    this.#parts = parts
    this.#rules = parts.rules ?? RULES
  }

  get leads(): boolean {
    return this.#lead !== undefined
  }

  /** One look, and the work that it finds. Never throws. Returns after how many milliseconds to come again. */
  async step(): Promise<number> {
    try {
      this.#lead ??= await this.#takeLead()
      return this.#lead === undefined ? RETRY_MS : await this.#look(this.#lead)
    } catch (error) {
      this.#parts.log.warn('alerts.failing', { error })
      await this.close()
      return RETRY_MS
    }
  }

  /** Lets another lead. */
  async close(): Promise<void> {
    const lead = this.#lead
    this.#lead = undefined
    await lead?.reader.close()
  }

  async #takeLead(): Promise<Lead | undefined> {
    const { clock, database, staleMs } = this.#parts
    const reader = await database.alertReader(() => void this.close())
    try {
      if (await reader.tryLead()) {
        await beginAll(reader, await tenantsOf(database))
        const now = clock.now()
        const never = Number.NEGATIVE_INFINITY
        const watch = new LogWatch(staleMs, now)
        return { reader, watch, tenants: [], tenantsAt: never, forgotAt: now, readTo: -1 }
      }
    } catch (error) {
      await reader.close()
      throw error
    }
    await reader.close()
    return undefined
  }

  async #look(lead: Lead): Promise<number> {
    const { clock, database, onLook } = this.#parts
    const now = clock.now()
    if (isDue(lead.tenantsAt, TENANTS_MS, now)) {
      const tenants = await tenantsOf(database)
      const added = tenants.filter((tenant) => !lead.tenants.includes(tenant))
      for (const tenant of added) await lead.reader.begin(tenant, 0)
      Object.assign(lead, { tenants, tenantsAt: now, ...(added.length > 0 ? { readTo: -1 } : {}) })
    }
    const { logEnd } = await lead.reader.cursor(null)
    let hasMore = false
    if (logEnd !== lead.readTo) {
      for (const scope of [null, ...lead.tenants]) hasMore = (await this.#read(lead, scope)) || hasMore
      if (!hasMore) Object.assign(lead, { readTo: logEnd })
    }
    const stalled = await lead.watch.look(lead.reader, [null, ...lead.tenants], clock.now())
    if (stalled !== null) await this.#tellAll(lead, [stalled])
    if (isDue(lead.forgotAt, FORGET_MS, now)) await this.#forget(lead, now)
    await onLook?.(lead.reader, lead.tenants)
    return hasMore ? 0 : LOOK_MS
  }

  /** Reads on in one tenant's log. True where there is more. */
  async #read({ reader, watch, tenants }: Lead, scope: Scope): Promise<boolean> {
    const cursor = await reader.cursor(scope)
    const from = cursor.nextIndex ?? 0
    const runs = await reader.runs(scope, from, BATCH)
    const last = runs.at(-1)
    if (last === undefined) return false
    if (scope === null) watch.heard(runs, this.#parts.clock.now())
    const { rows, at } = await this.#rows(reader, scope, runs, cursor)
    const seen = rows.flatMap(({ index, at, event }): Seen[] => (event === null ? [] : [{ index, at, event }]))
    const { windows, found } = await this.#evaluate(reader, scope, seen, cursor)
    const all = [...found, ...gapsIn(runs, at ?? this.#parts.clock.now())]
    if (scope === null && all.length > 0) await this.#tellAll({ reader, tenants }, all)
    const move = { from, to: last.firstIndex + last.count, at }
    await this.#record(reader, scope, this.#batch(move, windows, scope === null ? [] : all, 'tenant'))
    return runs.reduce((sum, { count }) => sum + count, 0) >= BATCH
  }

  /** The runs' events, and the time that the log has come to. */
  async #rows(reader: AlertReader, scope: Scope, runs: readonly AlertRun[], { at }: AlertCursor) {
    const events = runs.filter((run) => run.own === null)
    const rows = await reader.rows(scope, events, at === null ? 0 : at - LATE_MS)
    return { rows, at: rows.reduce<number | null>((most, row) => Math.max(most ?? 0, row.at), at) }
  }

  async #evaluate(reader: AlertReader, scope: Scope, seen: readonly Seen[], settings: RuleSettings) {
    const touches = touchesOf(this.#rules, seen, settings)
    const keys = new Map(
      touches.map(({ rule, subject }) => [
        windowKey(rule.name, subject.key),
        { rule: rule.name, subject: subject.key },
      ]),
    )
    const states = await reader.windows(scope, [...keys.values()])
    const stored = new Map([...keys.keys()].map((key, place) => [key, states[place] ?? undefined]))
    return fold(touches, stored)
  }

  #batch(
    move: AlertBatch['move'],
    windows: AlertBatch['windows'],
    found: readonly Found[],
    scope: AlertItem['scope'],
  ): AlertBatch {
    return { move, now: this.#parts.clock.now(), windows, alerts: found.map((each) => itemOf(each, scope)) }
  }

  /** What belongs to no tenant is every tenant's to know. Before the log is read on: what is told twice is told once. */
  async #tellAll({ reader, tenants }: Pick<Lead, 'reader' | 'tenants'>, found: readonly Found[]): Promise<void> {
    for (const tenant of tenants) await this.#record(reader, tenant, this.#batch(null, [], found, 'installation'))
  }

  async #record(reader: AlertReader, scope: Scope, batch: AlertBatch): Promise<void> {
    const verdict = await reader.record(scope, batch)
    if (verdict === 'lost') throw new Error('somebody else has read on')
    if (verdict === 'recorded' || scope === null) return
    const { log, database } = this.#parts
    const raised = await database.withTenant(scope, async (tx) => {
      const raised = await recordAlerts(tx, batch)
      for (const { id, kind } of raised) {
        const reason = `alert-${kind as AlertKind}` as const
        tx.audit({ ...bySystem, action: 'alert.raise', outcome: 'allowed', reason, alert: auditId(id) })
      }
      // Too many of a kind are open: these are counted with them, and nobody is called again.
      if (raised.length === 0) {
        tx.audit({ ...bySystem, action: 'alert.raise', outcome: 'repeated', count: batch.alerts.length })
      }
      return raised
    })
    for (const { kind } of raised) {
      log.warn('alert.raised', { tenant: scope, name: kind, reason: SEVERITIES[kind as AlertKind] })
    }
  }

  async #forget(lead: Lead, now: number): Promise<void> {
    const byAge = Map.groupBy(this.#rules, ({ forgetMs }) => forgetMs)
    for (const scope of [null, ...lead.tenants]) {
      for (const [forgetMs, rules] of byAge) {
        const names = rules.map(({ name }) => name)
        await lead.reader.forget(scope, names, now - forgetMs, now - DELIVERIES_MS)
      }
    }
    Object.assign(lead, { forgotAt: now })
  }
}

async function tenantsOf(database: EngineParts['database']): Promise<string[]> {
  return (await database.listTenants()).map(({ id }) => id)
}

/** What happened before anybody ever looked for alerts is history. A tenant that comes later is read from its first event on. */
async function beginAll(reader: AlertReader, tenants: readonly string[]): Promise<void> {
  const { nextIndex, logEnd } = await reader.cursor(null)
  if (nextIndex !== null) return
  for (const scope of [...tenants, null]) await reader.begin(scope, logEnd)
}

function itemOf(found: Found, scope: AlertItem['scope']): AlertItem {
  const { key, kind, subject, count, firstAt, lastAt, lastIndex, events } = found
  return {
    id: randomUUID(),
    key,
    kind,
    severity: SEVERITIES[kind],
    scope,
    user: subject.user ?? null,
    address: subject.address ?? null,
    patient: subject.patient ?? null,
    count,
    first: firstAt,
    last: lastAt,
    lastIndex,
    // Places of no tenant's events are no tenant's to open.
    events: scope === 'tenant' ? events : [],
  }
}
