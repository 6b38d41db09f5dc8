import type { Actor } from '@wardline/policy'
import {
  type AuthenticatedAnswer,
  about,
  authenticatedAnswer,
  CSRF_HEADER,
  loginAnswer,
  loginRequest,
  page,
  passkeyLogin,
  passkeyRequest,
  REFRESH_COOKIE,
  type RefreshAnswer,
  refreshAnswer,
  secondFactorRequest,
  secretId,
  sessionSummary,
  signedInUser as signedInUserSchema,
  stepUpRequest,
} from '@wardline/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { auditSecretId } from '../audit/event.ts'
import type { AuditReason } from '../audit/vocabulary.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { App } from '../http/app-type.ts'
import { atRate } from '../http/at-rate.ts'
import { authenticateCall, headerOf } from '../http/authenticated.ts'
import { type Caller, callerOf } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import { KeyedRate, perMinute } from '../http/keyed-rate.ts'
import { pathOf, usedFromOf, whereOf } from '../http/where.ts'
import type { AccessGrant, Grant } from './grant.ts'
import { listSessions } from './list.ts'
import { signedInUser } from './signed-in-user.ts'
import { askToStepUp, stepUp } from './step-up.ts'

/** A password of 1,024 characters, each escaped, and room for the rest. */
const LOGIN_BODY_BYTES = 16 * 1024
/** `__Host-` wants Secure, the root path and no domain (RFC 6265bis §4.1.3.2); no script reads it, no other site sends it. */
const COOKIE = { path: '/', secure: true, httpOnly: true, sameSite: 'strict' } as const

/** Signing in, staying in, signing out: calls that have no access token yet, or none any more. */
export function registerSignInRoutes(app: App, ctx: Context): void {
  const signIns = new KeyedRate(perMinute(ctx.config.preAuth.signInsPerMinute), ctx.clock)
  const refreshes = new KeyedRate(perMinute(ctx.config.preAuth.refreshesPerMinute), ctx.clock)
  app.addHook('onClose', () => {
    signIns.close()
    refreshes.close()
  })

  app.get('/about', { schema: { response: { 200: about } } }, () => ({ demo: ctx.config.demo }))

  app.post(
    '/auth/login',
    {
      bodyLimit: LOGIN_BODY_BYTES,
      schema: { body: loginRequest, response: { 200: loginAnswer } },
      config: { action: 'auth.login' },
      onRequest: atRate(signIns),
    },
    async (request, reply) => {
      const granted = await ctx.sessions.signIn({
        ...request.body,
        cookie: request.cookies[REFRESH_COOKIE],
        proof: headerOf(request, 'dpop'),
        path: pathOf(request),
        where: whereOf(request),
        from: usedFromOf(request),
        certificate: request.arrival.certificate,
      })
      if ('status' in granted) return granted
      setCookie(reply, granted)
      return { status: 'authenticated' as const, ...answerOf(granted) }
    },
  )

  app.post(
    '/auth/second-factor',
    {
      bodyLimit: LOGIN_BODY_BYTES,
      schema: { body: secondFactorRequest, response: { 200: authenticatedAnswer } },
      config: { action: 'auth.second-factor' },
      onRequest: atRate(signIns),
    },
    async (request, reply) => {
      const { challenge, ...given } = request.body
      const granted = await ctx.sessions.signInWithSecondFactor({
        challenge,
        given,
        cookie: request.cookies[REFRESH_COOKIE],
        proof: headerOf(request, 'dpop'),
        path: pathOf(request),
        where: whereOf(request),
        from: usedFromOf(request),
        certificate: request.arrival.certificate,
      })
      setCookie(reply, granted)
      return { status: 'authenticated' as const, ...answerOf(granted) }
    },
  )

  app.post(
    '/auth/passkey/options',
    // No hash is made for it, and every sign-in page that is opened asks.
    { schema: { response: { 200: passkeyRequest } }, config: { action: 'auth.passkey' }, onRequest: atRate(refreshes) },
    (request) => ctx.sessions.askForPasskey({ proof: headerOf(request, 'dpop'), path: pathOf(request) }),
  )

  app.post(
    '/auth/passkey',
    {
      bodyLimit: LOGIN_BODY_BYTES,
      schema: { body: passkeyLogin, response: { 200: authenticatedAnswer } },
      config: { action: 'auth.passkey' },
      onRequest: atRate(signIns),
    },
    async (request, reply) => {
      const granted = await ctx.sessions.signInWithPasskey({
        ...request.body,
        cookie: request.cookies[REFRESH_COOKIE],
        proof: headerOf(request, 'dpop'),
        path: pathOf(request),
        where: whereOf(request),
        from: usedFromOf(request),
        certificate: request.arrival.certificate,
      })
      setCookie(reply, granted)
      return { status: 'authenticated' as const, ...answerOf(granted) }
    },
  )

  app.post(
    '/auth/refresh',
    { schema: { response: { 200: refreshAnswer } }, onRequest: atRate(refreshes) },
    async (request, reply) => {
      try {
        const granted = await ctx.sessions.refresh(cookieRequest(request))
        setCookie(reply, granted)
        return refreshAnswerOf(granted)
      } catch (error) {
        if (isOver(error)) reply.clearCookie(REFRESH_COOKIE, COOKIE)
        throw error
      }
    },
  )

  app.post('/auth/logout', { onRequest: atRate(refreshes), config: { whileLocked: true } }, async (request, reply) => {
    if (request.headers.authorization === undefined) await ctx.sessions.signOutByCookie(cookieRequest(request))
    else {
      await authenticateCall(ctx, request)
      await signOut(ctx, callerOf(request))
    }
    return reply.clearCookie(REFRESH_COOKIE, COOKIE).code(204).send()
  })
}

/** Tries a minute by which the holder of a session may guess what it takes to step up. */
const STEP_UPS_PER_MINUTE = 10

/** Who I am, where I am signed in; for the authenticated scope. */
export function registerSessionRoutes(api: App, ctx: Context): void {
  const stepUps = new KeyedRate(perMinute(STEP_UPS_PER_MINUTE), ctx.clock)
  api.addHook('onClose', () => stepUps.close())
  api.post(
    '/auth/step-up',
    {
      config: { action: 'auth.step-up', whileEnrolling: true },
      schema: { body: stepUpRequest, response: { 200: refreshAnswer } },
    },
    async (request) => {
      const caller = callerOf(request)
      const retryAfterMs = stepUps.take(caller.actor.user)
      if (retryAfterMs > 0) throw new Refusal('rate-limited', 'attempts', { retryAfterMs })
      return answerOf(await ctx.sessions.renewed(await stepUp(ctx, caller, request.body), caller.snapshot))
    },
  )

  api.post(
    '/auth/step-up/options',
    { config: { action: 'auth.step-up', whileLocked: true }, schema: { response: { 200: passkeyRequest } } },
    (request) => askToStepUp(ctx, callerOf(request)),
  )

  api.get(
    '/me',
    { config: { whileEnrolling: true }, schema: { response: { 200: signedInUserSchema } } },
    async (request) => {
      const caller = callerOf(request)
      const { snapshot, actor, trail } = caller
      await decideFor(ctx, caller, 'account.read', self(actor))
      await ctx.database.auditOnly(actor.tenant, { ...trail, action: 'account.read', outcome: 'allowed' })
      return signedInUser(snapshot, actor, { now: ctx.clock.now(), policy: ctx.policy })
    },
  )

  api.get('/me/sessions', { schema: { response: { 200: page(sessionSummary) } } }, async (request) => {
    const caller = callerOf(request)
    const { actor, trail, authenticated } = caller
    await decideFor(ctx, caller, 'account.read', self(actor))
    const items = await listSessions(ctx, actor.tenant, actor.user, authenticated.claims.sid)
    const count = items.length
    await ctx.database.auditOnly(actor.tenant, { ...trail, action: 'account.read', outcome: 'allowed', count })
    return { items, next: null }
  })

  api.delete('/me/sessions/:id', { schema: { params: z.strictObject({ id: secretId }) } }, async (request, reply) => {
    const caller = callerOf(request)
    const { tenant } = caller.actor
    const session = request.params.id
    const about = { subject: auditSecretId(session) }
    const action = 'account.end-session'
    const owner = await sessionOwner(ctx, tenant, session)
    if (owner === null) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action, about)
    await decideFor(ctx, caller, action, { kind: 'session', tenant, owner }, about)
    const fact = { ...caller.trail, action, ...about } as const
    await ctx.sessions.end({ tenant, user: owner, session, reason: 'revoked', fact })
    await ctx.access.settled(tenant, owner)
    return reply.code(204).send()
  })
}

function self({ tenant, user }: Actor) {
  return { kind: 'user', tenant, id: user } as const
}

async function sessionOwner(ctx: Context, tenantId: string, id: string): Promise<string | null> {
  const where = { tenantId_id: { tenantId, id } }
  const row = await ctx.database.readTenant(tenantId, (db) =>
    db.session.findUnique({ where, select: { userId: true } }),
  )
  return row?.userId ?? null
}

async function signOut(ctx: Context, { actor, trail, authenticated }: Caller): Promise<void> {
  await ctx.sessions.end({
    tenant: actor.tenant,
    user: actor.user,
    session: authenticated.claims.sid,
    reason: 'logout',
    fact: { ...trail, action: 'auth.logout' },
  })
  await ctx.access.settled(actor.tenant, actor.user)
}

function cookieRequest(request: FastifyRequest) {
  return {
    cookie: request.cookies[REFRESH_COOKIE],
    csrf: headerOf(request, CSRF_HEADER),
    proof: headerOf(request, 'dpop'),
    path: pathOf(request),
    where: whereOf(request),
    from: usedFromOf(request),
    certificate: request.arrival.certificate,
  }
}

/** What says nothing about the cookie: a proof that is wrong, of a clock that is wrong perhaps, may be right the next time. */
const ABOUT_THE_PROOF: ReadonlySet<AuditReason> = new Set<AuditReason>(['proof', 'proof-replay', 'device-mismatch'])

/** Whether the cookie is good for nothing any more. */
function isOver(error: unknown): boolean {
  return error instanceof Refusal && error.code === 'unauthenticated' && !ABOUT_THE_PROOF.has(error.reason)
}

function setCookie(reply: FastifyReply, { refreshToken, refreshForMs }: Grant): void {
  reply.setCookie(REFRESH_COOKIE, refreshToken, { ...COOKIE, maxAge: Math.floor(refreshForMs / 1000) })
}

function answerOf({ accessToken, expiresIn, csrfToken, user }: AccessGrant): Omit<AuthenticatedAnswer, 'status'> {
  return { accessToken, expiresIn, csrfToken, user }
}

/** As `answerOf`, of a session that may be locked. */
function refreshAnswerOf(granted: AccessGrant): RefreshAnswer {
  return granted.locked === true ? { ...answerOf(granted), locked: true } : answerOf(granted)
}
