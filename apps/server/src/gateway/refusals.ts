import { type AuditFact, auditId } from '../audit/event.ts'
import { type AuditAction, type AuditReason, auditActions } from '../audit/vocabulary.ts'
import { type Clock, isDue } from '../clock.ts'
import type { Refusal } from '../errors.ts'
import type { Asked } from './asker.ts'

/** Refusals of one kind that are written one by one, in each period. */
const WRITTEN_ONE_BY_ONE = 5
const PERIOD_MS = 60_000
/** Kinds of refusals that are counted each for its patient, in each period; those beyond it whoever they are about. */
const MAX_KINDS_BY_PATIENT = 100

const knownActions: ReadonlySet<string> = new Set(auditActions)
const limitReasons: ReadonlySet<AuditReason> = new Set<AuditReason>(['rate', 'in-flight', 'subscriptions', 'held-off'])

/** Writes an audit event, sooner or later. Must not throw. */
export type WriteFact = (fact: AuditFact) => void

/** `common`: what all that were counted have in common. */
type Kind = { common: AuditFact; since: number; count: number }

/**
 * Writes down what was refused without letting who is refused fill the log: the first few of a kind one by one, then how many
 * more there were (R-70: every denial and limit is audited, and the audit is not flooded).
 */
export class Refusals {
  readonly #clock: Clock
  readonly #write: WriteFact
  readonly #kinds = new Map<string, Kind>()

  constructor(clock: Clock, write: WriteFact) {
    this.#clock = clock
    this.#write = write
  }

  note(fact: AuditFact): void {
    const now = this.#clock.now()
    const key = this.#keyOf(fact)
    const kind = this.#kinds.get(key)
    if (kind === undefined || isDue(kind.since, PERIOD_MS, now)) {
      if (kind !== undefined) this.#sumUp(kind)
      this.#kinds.set(key, { common: fact, since: now, count: 1 })
      this.#write(fact)
      return
    }
    kind.count += 1
    kind.common = inCommon(kind.common, fact)
    if (kind.count <= WRITTEN_ONE_BY_ONE) this.#write(fact)
  }

  /** Sums up what is over, or all of it when the socket closes. */
  flush(all: boolean): void {
    const now = this.#clock.now()
    for (const [key, kind] of this.#kinds) {
      if (!all && !isDue(kind.since, PERIOD_MS, now)) continue
      this.#sumUp(kind)
      this.#kinds.delete(key)
    }
  }

  /** By patient, too: of many whom somebody tried to see none is lost in a number that names nobody. */
  #keyOf({ action, reason, patient }: AuditFact): string {
    const key = `${action} ${reason ?? ''}`
    const byPatient = `${key} ${patient ?? ''}`
    return patient === undefined || (this.#kinds.size >= MAX_KINDS_BY_PATIENT && !this.#kinds.has(byPatient))
      ? key
      : byPatient
  }

  #sumUp(kind: Kind): void {
    const unwritten = kind.count - WRITTEN_ONE_BY_ONE
    if (unwritten > 0) this.#write({ ...kind.common, count: unwritten })
  }
}

/** A number of refusals is said of those to whom all of them belong: not of one address, connection or channel among many. */
function inCommon(common: AuditFact, fact: AuditFact): AuditFact {
  const differs = (name: string) => common[name as keyof AuditFact] !== fact[name as keyof AuditFact]
  const different = Object.keys(common).filter(differs)
  if (different.length === 0) return common
  const same = Object.entries(common).filter(([name]) => !different.includes(name))
  // The action is part of the kind, and an outcome follows from the reason.
  return { ...Object.fromEntries(same), action: common.action, outcome: common.outcome }
}

/**
 * What the audit is told of a refused request: its verb and the things it named, never what else was in it.
 * @param patient of the channel that it named, where the server knows: who tried to see a patient is asked by the patient
 */
export function refusalFact(request: Asked, refusal: Refusal, patient: string | null): AuditFact {
  const action = actionOf(request.type, refusal.reason)
  const isAboutIt = patient !== null && action !== 'limit.hit' && action !== 'request.invalid'
  return {
    action,
    outcome: refusal.code === 'internal' || refusal.code === 'unavailable' ? 'failed' : 'refused',
    reason: refusal.reason,
    ...(request.channel === undefined ? {} : { channel: auditId(request.channel) }),
    ...(isAboutIt ? { patient: auditId(patient) } : {}),
    ...(request.message === undefined ? {} : { message: auditId(request.message) }),
  }
}

function actionOf(type: string, reason: AuditReason): AuditAction {
  if (limitReasons.has(reason)) return 'limit.hit'
  return reason !== 'schema' && knownActions.has(type) ? (type as AuditAction) : 'request.invalid'
}
