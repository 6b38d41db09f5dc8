import { type Actor, abilities, type PolicyContext } from '@wardline/policy'
import type { SignedInUser } from '@wardline/protocol'
import type { AccessSnapshot } from '../access/snapshot.ts'

/** Who is signed in, as sign-in, refresh, `GET /me` and `session.authenticated` say it. */
export function signedInUser({ profile, access }: AccessSnapshot, actor: Actor, context: PolicyContext): SignedInUser {
  return { id: access.user, ...profile, roles: [...access.roles].sort(), abilities: abilities(actor, context) }
}
