import { type Actor, abilities, type PolicyContext } from '@wardline/policy'
import type { SignedInUser } from '@wardline/protocol'
import type { AccessSnapshot } from '../access/snapshot.ts'

/** Who is signed in, as sign-in, refresh, `GET /me` and `session.authenticated` say it. */
export function signedInUser(
  { profile, access, mustEnrol }: AccessSnapshot,
  actor: Actor,
  context: PolicyContext,
): SignedInUser {
  const user = { id: access.user, ...profile, roles: [...access.roles].sort() }
  return mustEnrol ? { ...user, abilities: [], mustEnrol } : { ...user, abilities: abilities(actor, context) }
}
