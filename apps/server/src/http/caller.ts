import type { Actor } from '@wardline/policy'
import type { FastifyRequest } from 'fastify'
import type { AccessSnapshot } from '../access/snapshot.ts'
import type { By } from '../audit/by.ts'
import type { AuditFact } from '../audit/event.ts'
import type { Authenticated } from '../sessions/authenticate.ts'

/** Who makes an authenticated call. */
export type Caller = {
  readonly authenticated: Authenticated
  readonly snapshot: AccessSnapshot
  readonly actor: Actor
  /** Who and from where: what every audit event of this call begins with. */
  readonly trail: By
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the authenticating hook (authenticated.ts); read it by `callerOf`. */
    caller: Caller | null
  }
  interface FastifyContextConfig {
    /** What the route does, for the audit of a refusal that nobody has audited. */
    action?: AuditFact['action']
    /** Answered as well to who has to enrol a second factor before anything else. */
    whileEnrolling?: true
    /** Answered as well in a locked session: what unlocks or ends it. */
    whileLocked?: true
    /** Whether asking it shows that a person is there; by default, whatever changes something does. */
    isActivity?: boolean
  }
}

/** Who makes this call. A route outside the authenticated scope has none: asking there is a mistake in the program. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw new Error('this route is not in the authenticated scope')
  return request.caller
}
