import { type PolicySettings, parseScopes, personScopes } from '@wardline/policy'
import type { SignedInUser } from '@wardline/protocol'
import type { Access } from '../access/access.ts'
import { type AccessSnapshot, actorOf } from '../access/snapshot.ts'
import type { AuditFact } from '../audit/event.ts'
import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import { Refusal } from '../errors.ts'
import type { PasskeyChallenges } from '../factors/passkey-challenges.ts'
import type { Site } from '../http/site.ts'
import type { Keyring } from '../keys/keyring.ts'
import type { Database } from '../storage/open.ts'
import { inForce } from '../tenants/settings.ts'
import type { Passwords } from '../users/password.ts'
import type { AccessTokens } from './access-token.ts'
import type { Activity } from './activity.ts'
import type { CsrfTokens } from './csrf.ts'
import { type CheckedProof, checkProof } from './proof.ts'
import { signedInUser } from './signed-in-user.ts'
import type { SlowDown } from './slow-down.ts'
import type { UsedProofs } from './used-proofs.ts'

/** What signing in, refreshing and signing out are made of. */
export type SessionDeps = {
  readonly config: Pick<Config, 'accessTokenSeconds' | 'sessionMs' | 'stepUpMs'>
  readonly clock: Clock
  readonly site: Site
  readonly policy: PolicySettings
  readonly database: Database
  readonly keyring: Pick<Keyring, 'open'>
  readonly access: Access
  readonly bus: Bus
  readonly accessTokens: AccessTokens
  readonly csrf: CsrfTokens
  readonly passkeys: PasskeyChallenges
  readonly passwords: Passwords
  readonly usedProofs: UsedProofs
  readonly activity: Activity
  readonly slowDown: SlowDown
}

/** Where a call comes from, as the audit has it. */
export type Where = Pick<AuditFact, 'address' | 'origin'>

/** What a client gets at sign-in and at each refresh. */
export type Grant = {
  readonly accessToken: string
  /** Seconds. */
  readonly expiresIn: number
  readonly csrfToken: string
  readonly user: SignedInUser
  /** For the cookie, and how long that is good for, in ms. */
  readonly refreshToken: string
  readonly refreshForMs: number
  /** The token opens nothing but the way to unlock the session, and the way out. */
  readonly locked?: true
}

export type AccessGrant = Omit<Grant, 'refreshToken' | 'refreshForMs'>

/** A living session, as far as its tokens depend on it. Times in ms of the epoch. */
export type GrantedSession = {
  readonly id: string
  readonly jkt: string
  readonly authTime: number
  readonly acr: string
  readonly amr: readonly string[]
  readonly expiresAt: number
  /** Thumbprint of the client's certificate that it is bound to, where it is. */
  readonly certificate: string | null
}

/** How long a sign-in of this user's tenant lasts, in ms. */
export function sessionMsOf({ config }: SessionDeps, { settings }: AccessSnapshot): number {
  return inForce(settings, config).sessionSeconds * 1000
}

/** Tokens for a session. The scopes are those of the roles held now; the token lives no longer than its session. */
export async function grant(
  deps: SessionDeps,
  session: GrantedSession,
  snapshot: AccessSnapshot,
  refreshToken: string,
): Promise<Grant> {
  const access = await grantAccess(deps, session, snapshot)
  return { ...access, refreshToken, refreshForMs: session.expiresAt - deps.clock.now() }
}

/** The same without another refresh token. `scope`: a program's; a person's is that of their roles. */
export async function grantAccess(
  deps: SessionDeps,
  session: GrantedSession,
  snapshot: AccessSnapshot,
  scope = personScopes(snapshot.access.permissions),
): Promise<AccessGrant> {
  const now = deps.clock.now()
  const { access, profile } = snapshot
  const { accessTokenSeconds } = inForce(snapshot.settings, deps.config)
  const expiresIn = Math.min(accessTokenSeconds, Math.floor((session.expiresAt - now) / 1000))
  if (expiresIn < 1) throw new Refusal('unauthenticated', 'session-expired')
  const { token } = await deps.accessTokens.issue(
    {
      sub: access.user,
      client_id: access.kind === 'service' ? `${profile.tenant.slug}/${profile.username}` : 'wardline',
      tenant: access.tenant,
      sid: session.id,
      roles: [...access.roles].sort(),
      scope,
      cnf: session.certificate === null ? { jkt: session.jkt } : { jkt: session.jkt, 'x5t#S256': session.certificate },
      auth_time: Math.floor(session.authTime / 1000),
      acr: session.acr,
      amr: [...session.amr],
    },
    expiresIn,
  )
  const mtls = session.certificate !== null
  const credentials = { scopes: parseScopes(scope), authTime: session.authTime, acr: session.acr, mtls }
  return {
    accessToken: token,
    expiresIn,
    csrfToken: deps.csrf.tokenFor(access.tenant, session.id),
    user: signedInUser(snapshot, actorOf(snapshot, { credentials }), { now, policy: deps.policy }),
  }
}

/** The proof of a call that has no access token yet. @throws Refusal `unauthenticated` */
export async function useBareProof(deps: SessionDeps, proof: string | undefined, path: string): Promise<CheckedProof> {
  if (proof === undefined) throw new Refusal('unauthenticated', 'proof')
  const isTarget = (htu: string) => deps.site.matchesTarget(htu, path)
  const checked = await checkProof(
    proof,
    { htm: 'POST', isTarget, token: undefined, nonce: undefined },
    deps.clock.now(),
  )
  if (!(await deps.usedProofs.use(checked))) throw new Refusal('unauthenticated', 'proof-replay')
  return checked
}

/** What the store says of a user right now. @throws Refusal when they may not sign in (any more) */
export async function activeSnapshot(deps: SessionDeps, tenant: string, user: string): Promise<AccessSnapshot> {
  const snapshot = await deps.access.load(tenant, user, { fresh: true })
  if (snapshot === null) throw new Refusal('unauthenticated', 'unknown-user')
  if (snapshot.access.status !== 'active') throw new Refusal('unauthenticated', 'user-disabled')
  return snapshot
}
