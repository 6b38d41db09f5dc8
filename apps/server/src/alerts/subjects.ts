import type { AuditAction, AuditReason } from '../audit/vocabulary.ts'
import { networkOf } from '../gateway/admission.ts'
import { NIL_UUID } from '../storage/errors.ts'
import type { Seen, Subject } from './rule.ts'

/** The person who did it; null where nobody is known, and for the system itself. */
export function ofActor({ event: { actor, address } }: Seen): Subject | null {
  if (actor === undefined || actor === NIL_UUID) return null
  return { key: actor, user: actor, address: addressOf(address) }
}

/** Where it came from: an IPv6 address counts as its /64. */
export function ofAddress({ event: { address } }: Seen): Subject | null {
  const network = addressOf(address)
  return network === undefined ? null : { key: network, address: network }
}

/** The person, or where nobody is known, the address. */
export function ofActorOrAddress(seen: Seen): Subject | null {
  return ofActor(seen) ?? ofAddress(seen)
}

function addressOf(address: string | undefined): string | undefined {
  return address === undefined ? undefined : networkOf(address)
}

const PATIENT_ACCESS: ReadonlySet<AuditAction> = new Set<AuditAction>([
  'patient.read',
  'patient.view',
  'channel.read',
  'channel.subscribe',
  'attachment.read',
])

/** Somebody has looked at a patient. */
export function ofPatientAccess(seen: Seen): Subject | null {
  const { action, outcome, patient } = seen.event
  return outcome === 'allowed' && patient !== undefined && PATIENT_ACCESS.has(action) ? ofActor(seen) : null
}

/**
 * Somebody made the link by which another's password is set, of an account that has been signed in to: whoever opens it stands in for them.
 * For a newcomer it is how they begin. What was made at the machine, with no person known, counts for the operator.
 * @param whose `privileged`: of people who oversee or administer
 */
export function ofSetUpLink(whose: 'ordinary' | 'privileged'): (seen: Seen) => Subject | null {
  return (seen) => {
    // Without a count: written before there was one.
    const { action, outcome, role, count = 1 } = seen.event
    if (action !== 'password.reset' || outcome !== 'allowed' || count === 0) return null
    return (role !== undefined) === (whose === 'privileged') ? (ofActor(seen) ?? { key: 'operator' }) : null
  }
}

/**
 * Somebody took another's second factors away, at a screen or at the machine: from then on the password alone opens the account. Of each
 * person it is a subject of its own. Those that go with a set-up link are not: its alarm has rung when it was made (reason `administrator`).
 */
export function ofFactorReset(seen: Seen): Subject | null {
  const { action, outcome, reason, user } = seen.event
  if (action !== 'factor.reset' || outcome !== 'allowed' || reason !== 'role') return null
  const who = ofActor(seen) ?? { key: 'operator' }
  return { ...who, key: `${who.key}/${user ?? ''}` }
}

/** Events that were refused for one of these reasons, in one of these actions where that matters. */
export function refusedFor(reasons: readonly AuditReason[], actions?: readonly AuditAction[]): (seen: Seen) => boolean {
  const because: ReadonlySet<AuditReason | undefined> = new Set(reasons)
  const doing: ReadonlySet<AuditAction> | undefined = actions && new Set(actions)
  return ({ event: { action, outcome, reason } }) =>
    outcome !== 'allowed' && because.has(reason) && (doing === undefined || doing.has(action))
}
