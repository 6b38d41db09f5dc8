import { CSRF_HEADER, REFRESH_COOKIE } from '@wardline/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { actorOf } from '../access/snapshot.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import { CallsInFlight } from '../limits/calls-in-flight.ts'
import type { Authenticated } from '../sessions/authenticate.ts'
import type { App } from './app-type.ts'
import { callerOf } from './caller.ts'
import { KeyedRate } from './keyed-rate.ts'
import { isUnsafe } from './problems.ts'
import { isKnown } from './stranger-limits.ts'
import { pathOf, usedFromOf, whereOf } from './where.ts'

const SCHEME = /^DPoP ([A-Za-z0-9._-]+)$/i

/**
 * Finds out who makes a call: token and proof by the same function as the socket's, then what the caller may do now. Nothing
 * of the body is read before.
 * @throws Refusal
 */
export async function authenticateCall(ctx: Context, request: FastifyRequest): Promise<void> {
  const token = SCHEME.exec(request.headers.authorization ?? '')?.[1]
  const proof = headerOf(request, 'dpop')
  if (token === undefined || proof === undefined) throw new Refusal('unauthenticated', 'no-credentials')
  const authenticated = await ctx.sessions.authenticate({
    token,
    proof,
    method: request.method,
    path: pathOf(request),
    from: usedFromOf(request),
    certificate: request.arrival.certificate,
    whileLocked: request.routeOptions.config.whileLocked === true,
  })
  const { tenant, user, actor, session, device } = authenticated
  const snapshot = await ctx.access.load(tenant, user)
  if (snapshot === null) throw new Refusal('unauthenticated', 'unknown-user')
  const trail = { ...whereOf(request), actor, session, device }
  request.caller = { authenticated, snapshot, actor: actorOf(snapshot, authenticated), trail }
  isKnown(request, ctx, authenticated)
  checkCsrf(ctx, request, authenticated)
}

/** When a call may be tried again that there was no place for: how soon there is one nobody knows. */
const PLACE_MS = 1_000

/** The hooks before every call of the authenticated scope: who it is, and whether they ask faster, or for more at once, than may be. */
export function requireAuthentication(api: App, ctx: Context): void {
  const { requestsPerSecond: perSecond, requestBurst: burst, callsInFlight } = ctx.config.limits
  const rate = new KeyedRate({ perSecond, burst }, ctx.clock)
  const inFlight = countInFlight(api, callsInFlight)
  api.addHook('onClose', () => rate.close())
  api.addHook('onRequest', async (request, reply) => {
    await authenticateCall(ctx, request)
    const { tenant, user, session } = callerOf(request).authenticated
    const heldMs = ctx.gateway.userRates.heldFor(tenant, user)
    if (heldMs > 0) throw new Refusal('rate-limited', 'held-off', { retryAfterMs: heldMs })
    const retryAfterMs = rate.take(session) || ctx.gateway.userRates.take(tenant, user)
    if (retryAfterMs > 0) throw new Refusal('rate-limited', 'rate', { retryAfterMs })
    if (!inFlight(request, reply, `${tenant}/${user}`)) {
      throw new Refusal('rate-limited', 'in-flight', { retryAfterMs: PLACE_MS })
    }
    if (showsSomebody(request)) ctx.sessions.noteActivity(callerOf(request).snapshot, session)
    if (callerOf(request).snapshot.mustEnrol && request.routeOptions.config.whileEnrolling !== true) {
      throw new Refusal('second-factor-required', 'no-second-factor')
    }
  })
}

/**
 * Counts calls from here to their end: until they are answered and the answer is away, both. Whoever hangs up has not ended what the call
 * has begun.
 */
function countInFlight(
  api: App,
  most: number,
): (request: FastifyRequest, reply: FastifyReply, user: string) => boolean {
  const calls = new CallsInFlight(most)
  const unanswered = new WeakMap<FastifyRequest, () => void>()
  api.addHook('onSend', async (request) => {
    unanswered.get(request)?.()
    unanswered.delete(request)
  })
  return (request, reply, user) => {
    const end = calls.begin(user)
    if (end === null) return false
    let left = 2
    const over = () => {
      left -= 1
      if (left === 0) end()
    }
    unanswered.set(request, over)
    // They may have hung up already, while it was found out who they are.
    if (reply.raw.closed) over()
    else reply.raw.once('close', over)
    return true
  }
}

/** Whether a person made it: screens read by themselves, whenever something has changed, and nobody needs to be there. */
function showsSomebody(request: FastifyRequest): boolean {
  const { isActivity = isUnsafe(request), whileLocked } = request.routeOptions.config
  return isActivity && whileLocked !== true
}

/** A call that bears the cookie and may change something bears its CSRF token as well, whatever else it shows. */
function checkCsrf(ctx: Context, request: FastifyRequest, { tenant, claims }: Authenticated): void {
  if (!isUnsafe(request) || request.cookies[REFRESH_COOKIE] === undefined) return
  if (!ctx.csrf.matches(headerOf(request, CSRF_HEADER), tenant, claims.sid)) throw new Refusal('forbidden', 'csrf')
}

/** A header that came once. Twice, Node joins the two with a comma, and that is no proof and no token. */
export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}
