import { auditOutcome, uuid } from '@wardline/protocol'

/** The filters of the audit, as they stand in the address bar: ids, codes and times alone. */
export interface AuditSearch {
  readonly actor?: string
  readonly patient?: string
  readonly action?: string
  readonly outcome?: (typeof auditOutcome.options)[number]
  readonly connection?: string
  /** RFC 3339, UTC. */
  readonly from?: string
  readonly until?: string
  /** The review that one looks through for: no filter of the server's. */
  readonly review?: string
}

const ACTION = /^[a-z-]{1,40}\.[a-z-]{1,40}$/

function idOf(value: unknown): string | undefined {
  const parsed = uuid.safeParse(typeof value === 'string' ? value.trim().toLowerCase() : value)
  return parsed.success ? parsed.data : undefined
}

function timeOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined
  const time = new Date(value)
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString()
}

/** What of an address is a filter; the rest is left out, never an error: addresses are typed and shortened by people. */
export function auditSearch(raw: Record<string, unknown>): AuditSearch {
  const { actor, patient, connection, review, from, until } = {
    actor: idOf(raw['actor']),
    patient: idOf(raw['patient']),
    connection: idOf(raw['connection']),
    review: idOf(raw['review']),
    from: timeOf(raw['from']),
    until: timeOf(raw['until']),
  }
  const action = typeof raw['action'] === 'string' && ACTION.test(raw['action']) ? raw['action'] : undefined
  const outcome = auditOutcome.safeParse(raw['outcome'])
  return {
    ...(actor === undefined ? {} : { actor }),
    ...(patient === undefined ? {} : { patient }),
    ...(action === undefined ? {} : { action }),
    ...(outcome.success ? { outcome: outcome.data } : {}),
    ...(connection === undefined ? {} : { connection }),
    ...(from === undefined ? {} : { from }),
    ...(until === undefined ? {} : { until }),
    ...(review === undefined ? {} : { review }),
  }
}

/** What the server is asked for: the address without what concerns this screen alone. */
export function filterOf({ review: _, ...filter }: AuditSearch): Omit<AuditSearch, 'review'> {
  return filter
}

/** A time of the address as `<input type="datetime-local">` takes it, in the zone of this device. */
export function localInput(time: string | undefined, precision: 'minutes' | 'seconds' = 'minutes'): string {
  if (time === undefined) return ''
  const date = new Date(time)
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60_000)
  return shifted.toISOString().slice(0, precision === 'minutes' ? 16 : 19)
}
