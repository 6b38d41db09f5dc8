import type { JsonWebKey } from 'node:crypto'
import { type ServiceToken, tenantSlug } from '@wardline/protocol'
import { type AuditFact, auditId, auditSecretId } from '../audit/event.ts'
import { registerDevice } from '../devices/register.ts'
import { Refusal, toRefusal } from '../errors.ts'
import { checkAssertion, claimedClient } from '../services/client-assertion.ts'
import { narrowed } from '../services/scope.ts'
import { NIL_UUID } from '../storage/errors.ts'
import type { Change } from '../storage/transaction.ts'
import { randomSecretId } from './access-token.ts'
import { announceChange } from './end.ts'
import {
  activeSnapshot,
  type GrantedSession,
  grantAccess,
  type SessionDeps,
  useBareProof,
  type Where,
} from './grant.ts'

export type ServiceTokenRequest = {
  /** A JWT by which the program says who it is (RFC 7523). */
  readonly assertion: string
  /** Less than it may have; undefined: all of that. */
  readonly scope: string | undefined
  readonly proof: string | undefined
  readonly path: string
  readonly where: Where
  /** Thumbprint of the program's certificate; null where none was shown. */
  readonly certificate: string | null
}

/** One key, held in software (RFC 8176): one factor. */
const ASSURANCE = { acr: 'aal1', amr: ['swk'] } as const

/**
 * An access token for a program: OAuth client credentials by a signed assertion, bound to the key of the proof. The program has
 * one session for each such key, which every assertion prolongs, so that an open socket is renewed by the next token; there is
 * no refresh token.
 * @throws Refusal `unauthenticated`, the same for every fault; `invalid` for a scope that it may not have
 */
export async function grantToService(deps: SessionDeps, request: ServiceTokenRequest): Promise<ServiceToken> {
  const seen: { tenant: string | null; trail: Partial<AuditFact> } = { tenant: null, trail: request.where }
  try {
    const { jkt } = await useBareProof(deps, request.proof, request.path)
    seen.trail = { ...seen.trail, device: auditSecretId(jkt) }
    const client = claimedClient(request.assertion)
    const isSlug = tenantSlug.safeParse(client.tenant).success
    const tenant = isSlug ? await deps.database.findTenant(client.tenant) : null
    const account = await findService(deps, tenant?.id ?? NIL_UUID, client.username)
    if (tenant === null || tenant.disabledAt !== null || account === null) {
      throw new Refusal('unauthenticated', 'unknown-user')
    }
    seen.tenant = tenant.id
    seen.trail = { ...seen.trail, actor: auditId(account.id) }
    const keys = new Map(account.keys.map(({ kid, jwk }) => [kid, jwk as JsonWebKey]))
    const isAudience = (audience: string) => deps.site.matchesTarget(audience, request.path)
    const target = { client, keys, isAudience, now: deps.clock.now() }
    const { kid, ...used } = await checkAssertion(request.assertion, target)
    if (!(await deps.usedProofs.use(used))) throw new Refusal('unauthenticated', 'proof-replay')
    const scope = narrowed(account.scope, request.scope)
    if (scope === null) throw new Refusal('invalid', 'scope', { fields: ['/scope'] })
    const snapshot = await activeSnapshot(deps, tenant.id, account.id)
    const { id } = account
    const { certificate } = request
    const { session, version } = await deps.database.withTenant(tenant.id, (tx) =>
      beginOrProlong(tx, { id, kid, scope: account.scope, jkt, certificate }, deps.config.sessionMs, seen.trail),
    )
    announceChange(deps, tenant.id, account.id, version)
    const { accessToken, expiresIn, user } = await grantAccess(deps, session, snapshot, scope)
    return { access_token: accessToken, token_type: 'DPoP', expires_in: expiresIn, scope, user }
  } catch (error) {
    const refusal = toRefusal(error)
    const outcome = refusal.code === 'internal' || refusal.code === 'unavailable' ? 'failed' : 'refused'
    await deps.database.auditOnly(seen.tenant, {
      ...seen.trail,
      action: 'auth.service',
      outcome,
      reason: refusal.reason,
    })
    refusal.audited = true
    throw refusal
  }
}

async function findService(deps: SessionDeps, tenantId: string, username: string) {
  const row = await deps.database.readTenant(tenantId, (db) =>
    db.user.findUnique({
      where: { tenantId_username: { tenantId, username } },
      select: {
        id: true,
        service: { select: { scope: true, keys: { where: { removedAt: null }, select: { kid: true, jwk: true } } } },
      },
    }),
  )
  return row === null || row.service === null ? null : { id: row.id, ...row.service }
}

/** The account as its assertion was judged by: the key that signed it, and the scope out of which it was granted. */
type Judged = {
  readonly id: string
  readonly kid: string
  readonly scope: string
  readonly jkt: string
  readonly certificate: string | null
}

/**
 * The account's row first, as everywhere: whoever disables it, takes the key away or narrows the scope comes wholly before this, and
 * then nothing begins, or wholly after, and ends it.
 */
async function beginOrProlong(
  tx: Change,
  { id: userId, kid, scope, jkt, certificate }: Judged,
  sessionMs: number,
  trail: Partial<AuditFact>,
): Promise<{ session: GrantedSession; version: number }> {
  const { db, tenantId } = tx
  const [taken] = await db.user.updateManyAndReturn({
    where: { tenantId, id: userId, kind: 'service', disabledAt: null },
    data: { version: { increment: 1 } },
    select: { version: true },
  })
  if (taken === undefined) throw new Refusal('unauthenticated', 'user-disabled')
  const still = { tenantId, userId, scope, keys: { some: { kid, removedAt: null } } }
  if ((await db.serviceAccount.count({ where: still })) === 0) throw new Refusal('unauthenticated', 'token')
  const deviceId = await registerDevice(tx, userId, jkt, trail)
  const at = new Date(tx.at)
  const living = await db.session.findFirst({
    // Nobody is there to unlock a locked one: the program asserts itself anew, and gets another.
    where: { tenantId, deviceId, certificate, endedAt: null, lockedAt: null, expiresAt: { gt: at } },
    select: { id: true },
  })
  const id = living?.id ?? randomSecretId()
  const amr = [...ASSURANCE.amr]
  const expiresAt = new Date(tx.at + sessionMs)
  const now = { authTime: at, lastSeenAt: at, expiresAt }
  if (living === null) {
    const { acr } = ASSURANCE
    await db.session.create({ data: { tenantId, id, userId, deviceId, acr, amr, certificate, createdAt: at, ...now } })
  } else await db.session.update({ where: { tenantId_id: { tenantId, id } }, data: now })
  tx.audit({ ...trail, action: 'auth.service', outcome: 'allowed', session: auditSecretId(id) })
  return {
    session: { id, jkt, authTime: tx.at, acr: ASSURANCE.acr, amr, expiresAt: expiresAt.getTime(), certificate },
    version: taken.version,
  }
}
