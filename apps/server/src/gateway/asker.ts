import type { Action, ActionResources, Actor, Allowed } from '@wardline/policy'
import type { AccessSnapshot } from '../access/snapshot.ts'
import type { AuditFact } from '../audit/event.ts'
import type { Frame } from './frame.ts'
import type { Gateway } from './gateway.ts'
import type { Trail } from './peer.ts'
import type { Subscription } from './subscription.ts'

/** What a refusal repeats, or audits, of the request that it refuses. */
export interface Asked {
  readonly type: string
  readonly id?: string
  readonly channel?: string
  readonly message?: string
}

/**
 * Who asks for something over a socket, as the acts see it: the person, what they may do now, and the way to answer. A request
 * that bears an `id` ends in exactly one of: `answered`, `refused`, or an error thrown by its act.
 */
export interface Asker {
  readonly gateway: Gateway
  readonly tenant: string
  readonly user: string
  /** As of now: another object after every change. */
  readonly actor: Actor
  readonly snapshot: AccessSnapshot
  /** What every audit event of this socket begins with. */
  readonly trail: Trail

  /** Asks policy. @throws Refusal with the code that the asker may know and the reason that the audit is told. */
  decide<A extends Action>(action: A, resource: ActionResources[A]): Allowed

  audit(fact: Omit<AuditFact, keyof Trail>): void
  send(frame: Frame): void
  answered(frame: Frame): void
  refused(request: Asked, error: unknown): void

  subscription(channel: string): Subscription | undefined
  /** Opens a subscription, in place of the one there may be. @throws Refusal when there are too many. */
  subscribe(channel: ActionResources['channel.read']): Subscription
}
