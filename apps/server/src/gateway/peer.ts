import type { AuditAddress, AuditFact, AuditId, AuditOrigin, AuditSecretId } from '../audit/event.ts'
import type { UsedFrom } from '../sessions/used-from.ts'

/** Who is at the other end, before anybody has signed in: what the upgrade told. */
export interface Peer {
  readonly connection: AuditId
  readonly address: AuditAddress
  readonly origin: AuditOrigin | undefined
  readonly from: UsedFrom
  /** Thumbprint of the client's certificate; null where none was shown. */
  readonly certificate: string | null
}

/** What every audit event of a signed-in socket begins with: an operation can be followed from handshake to close. */
export type Trail = Pick<AuditFact, 'actor' | 'session' | 'device' | 'connection' | 'address' | 'origin'>

export function trailOf(peer: Peer): Trail {
  const trail: Trail = { connection: peer.connection, address: peer.address }
  return peer.origin === undefined ? trail : { ...trail, origin: peer.origin }
}

export function signedTrail(
  peer: Peer,
  { actor, session, device }: { actor: AuditId; session: AuditSecretId; device: AuditSecretId },
): Trail {
  return { ...trailOf(peer), actor, session, device }
}
