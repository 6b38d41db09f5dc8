import type { PasskeyRequest, ServiceToken } from '@wardline/protocol'
import type { AccessSnapshot } from '../access/snapshot.ts'
import { auditId, auditSecretId } from '../audit/event.ts'
import { Refusal } from '../errors.ts'
import { type Authenticate, createAuthenticate } from './authenticate.ts'
import type { SecondFactorAsked } from './challenge.ts'
import { sessionOfCookie } from './cookie-session.ts'
import { announceChange, type EndRequest, endSession } from './end.ts'
import {
  type AccessGrant,
  type Grant,
  type GrantedSession,
  grantAccess,
  type SessionDeps,
  useBareProof,
} from './grant.ts'
import { lockIfIdle, lockSession, noteActivity, type Whose } from './lock.ts'
import { askForPasskey, type PasskeySignInRequest, signInWithPasskey } from './passkey-sign-in.ts'
import { type RefreshRequest, refresh } from './refresh.ts'
import { type RevocationRequest, revokeByToken } from './revoke-by-token.ts'
import { type SecondFactorRequest, signInWithSecondFactor } from './second-factor.ts'
import { grantToService, type ServiceTokenRequest } from './service-token.ts'
import { type SignInRequest, signIn } from './sign-in.ts'

/** Everything about sign-ins, for HTTP and socket alike. */
export type Sessions = {
  readonly authenticate: Authenticate
  signIn(request: SignInRequest): Promise<Grant | SecondFactorAsked>
  signInWithSecondFactor(request: SecondFactorRequest): Promise<Grant>
  /** What to ask an authenticator for before anybody has said who they are. */
  askForPasskey(request: { readonly proof: string | undefined; readonly path: string }): Promise<PasskeyRequest>
  signInWithPasskey(request: PasskeySignInRequest): Promise<Grant>
  refresh(request: RefreshRequest): Promise<Grant>
  /** A new access token of a session that has just been shown to be its user's. */
  renewed(session: GrantedSession, snapshot: AccessSnapshot): Promise<AccessGrant>
  /** Its person does something: it is not locked for a while. */
  noteActivity(snapshot: AccessSnapshot, session: string): void
  /** Locks it if nobody has been there for too long; gives what is known of the user then. @throws StorageUnavailable */
  lockIfIdle(whose: Whose, trail: Parameters<typeof lockIfIdle>[2]): Promise<AccessSnapshot | null>
  /** Locks it because its person goes away. */
  lock(whose: Whose, trail: Parameters<typeof lockIfIdle>[2]): Promise<void>
  /** Ends one session, with its tokens and its sockets on every node. */
  end(request: EndRequest): Promise<void>
  /** Ends the session of a refresh cookie: the way out for who has no living access token any more. */
  signOutByCookie(request: RefreshRequest): Promise<void>
  /** A program's access token. */
  grantToService(request: ServiceTokenRequest): Promise<ServiceToken>
  /** RFC 7009. */
  revokeByToken(request: RevocationRequest): Promise<void>
  /** Tells every node that a user's rights or sign-ins have changed: after the transaction that made it `version`. */
  changed(tenant: string, user: string, version: number): void
}

export function createSessions(deps: SessionDeps): Sessions {
  return {
    authenticate: createAuthenticate(deps),
    signIn: (request) => signIn(deps, request),
    signInWithSecondFactor: (request) => signInWithSecondFactor(deps, request),
    askForPasskey: (request) => askForPasskey(deps, request),
    signInWithPasskey: (request) => signInWithPasskey(deps, request),
    refresh: (request) => refresh(deps, request),
    renewed: (session, snapshot) => grantAccess(deps, session, snapshot),
    noteActivity: (snapshot, session) => noteActivity(deps, snapshot, session),
    lockIfIdle: (whose, trail) => lockIfIdle(deps, whose, trail),
    lock: (whose, trail) => lockSession(deps, whose, 'own', { trail }),
    end: (request) => endSession(deps, request),
    signOutByCookie: (request) => signOutByCookie(deps, request),
    grantToService: (request) => grantToService(deps, request),
    revokeByToken: (request) => revokeByToken(deps, request),
    changed: (tenant, user, version) => announceChange(deps, tenant, user, version),
  }
}

async function signOutByCookie(deps: SessionDeps, { cookie, csrf, proof, path, where }: RefreshRequest): Promise<void> {
  const { jkt } = await useBareProof(deps, proof, path)
  const session = await sessionOfCookie(deps.database, cookie)
  if (session === null) throw new Refusal('unauthenticated', 'no-credentials')
  const { tenant, id, user } = session
  if (!deps.csrf.matches(csrf, tenant, id)) throw new Refusal('forbidden', 'csrf')
  if (session.jkt !== jkt) throw new Refusal('unauthenticated', 'device-mismatch')
  const trail = { ...where, actor: auditId(user), session: auditSecretId(id), device: auditSecretId(jkt) }
  await endSession(deps, { tenant, user, session: id, reason: 'logout', fact: { ...trail, action: 'auth.logout' } })
}
