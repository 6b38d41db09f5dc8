import type { FastifyRequest } from 'fastify'
import type { AuditAction, AuditReason } from '../audit/vocabulary.ts'
import type { Clock } from '../clock.ts'
import type { Refusal } from '../errors.ts'
import { networkOf } from '../gateway/admission.ts'
import { Refusals } from '../gateway/refusals.ts'
import type { Logger } from '../log.ts'
import type { Database } from '../storage/open.ts'
import { addressOf, whereOf } from './where.ts'

const FLUSH_MS = 60_000
/** Addresses whose refusals are counted each by itself in a period; those beyond it together: many addresses do not fill the log either. */
const MAX_COUNTED = 200
const OTHERS = 'others'

const SITE_REASONS: ReadonlySet<AuditReason> = new Set<AuditReason>(['origin', 'cleartext', 'certificate', 'csrf'])
const MALFORMED: ReadonlySet<AuditReason> = new Set<AuditReason>(['schema', 'not-json', 'oversize', 'encoding'])

/**
 * Writes down refused calls that nobody has written down yet: what is malformed, comes from nowhere we know, too often,
 * or with credentials that are none. The first few of a kind from an address one by one, the rest as a number, so that who is
 * refused cannot fill the log.
 */
export class RefusalAudit {
  readonly #database: Pick<Database, 'auditOnly'>
  readonly #clock: Clock
  readonly #log: Logger
  readonly #byAddress = new Map<string, Refusals>()
  readonly #stop: () => void

  constructor(parts: { database: Pick<Database, 'auditOnly'>; clock: Clock; log: Logger }) {
    this.#database = parts.database
    this.#clock = parts.clock
    this.#log = parts.log
    this.#stop = parts.clock.every(FLUSH_MS, () => this.#flush())
  }

  note(request: FastifyRequest, refusal: Refusal): void {
    if (refusal.audited) return
    const tenant = request.caller?.authenticated.tenant ?? refusal.claimed?.tenant ?? null
    this.#refusalsOf(tenant, addressOf(request)).note({
      ...whereOf(request),
      ...refusal.claimed?.trail,
      ...request.caller?.trail,
      action: actionOf(request, refusal),
      outcome: refusal.code === 'internal' || refusal.code === 'unavailable' ? 'failed' : 'refused',
      reason: refusal.reason,
    })
  }

  close(): void {
    this.#stop()
    this.#flush()
  }

  #refusalsOf(tenant: string | null, address: string): Refusals {
    const network = this.#byAddress.size < MAX_COUNTED ? networkOf(address) : OTHERS
    const key = `${tenant ?? ''} ${network}`
    const known = this.#byAddress.get(key)
    if (known !== undefined) return known
    const refusals = new Refusals(this.#clock, (fact) => {
      this.#database.auditOnly(tenant, fact).catch((error: unknown) => this.#log.error('audit.failed', { error }))
    })
    this.#byAddress.set(key, refusals)
    return refusals
  }

  #flush(): void {
    for (const refusals of this.#byAddress.values()) refusals.flush(true)
    this.#byAddress.clear()
  }
}

function actionOf(request: FastifyRequest, { code, reason }: Refusal): AuditAction {
  if (code === 'rate-limited') return 'limit.hit'
  if (MALFORMED.has(reason)) return 'request.invalid'
  if (code === 'unauthenticated' || code === 'locked' || SITE_REASONS.has(reason)) return 'auth.request'
  return request.routeOptions.config.action ?? 'request.invalid'
}
