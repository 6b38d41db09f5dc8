import { refreshAnswer, stepUpRequest } from '@wardline/protocol'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { App } from '../http/app-type.ts'
import { callerOf } from '../http/caller.ts'
import { decideFor } from '../http/decide.ts'
import { KeyedRate, perMinute } from '../http/keyed-rate.ts'
import { unlock } from './unlock.ts'

/** Tries a minute by which whoever finds a locked screen may guess, over all of a user's sessions. */
const UNLOCKS_PER_MINUTE = 10

/** Locking one's session when one goes away, and unlocking it; for the authenticated scope. */
export function registerLockRoutes(api: App, ctx: Context): void {
  const unlocks = new KeyedRate(perMinute(UNLOCKS_PER_MINUTE), ctx.clock)
  api.addHook('onClose', () => unlocks.close())

  api.post(
    '/auth/lock',
    { config: { action: 'session.lock', whileLocked: true, whileEnrolling: true } },
    async (request, reply) => {
      const { actor, trail, authenticated } = callerOf(request)
      const { tenant, user } = actor
      await ctx.sessions.lock({ tenant, user, session: authenticated.claims.sid }, trail)
      return reply.code(204).send()
    },
  )

  api.post(
    '/auth/unlock',
    {
      config: { action: 'session.unlock', whileLocked: true, whileEnrolling: true },
      schema: { body: stepUpRequest, response: { 200: refreshAnswer } },
    },
    async (request) => {
      const caller = callerOf(request)
      const { tenant, user } = caller.actor
      await decideFor(ctx, caller, 'account.read', { kind: 'user', tenant, id: user })
      const retryAfterMs = unlocks.take(user)
      if (retryAfterMs > 0) throw new Refusal('rate-limited', 'attempts', { retryAfterMs })
      const session = await unlock(ctx, caller, request.body)
      const { accessToken, expiresIn, csrfToken, user: me } = await ctx.sessions.renewed(session, caller.snapshot)
      return { accessToken, expiresIn, csrfToken, user: me }
    },
  )
}
