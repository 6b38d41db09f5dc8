import { confirmTotp as codes, factors, recoveryCodes, totpEnrolment, uuid } from '@wardline/protocol'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { App } from '../http/app-type.ts'
import { callerOf } from '../http/caller.ts'
import { KeyedRate, perMinute } from '../http/keyed-rate.ts'
import { noQuery } from '../http/no-query.ts'
import { confirmTotp, enrolTotp, listFactors, removeFactor } from './enrol.ts'

/** Codes that an account may try to confirm an app by. */
const CONFIRMATIONS_PER_MINUTE = 10

/** One's own second factors; for the authenticated scope. */
export function registerFactorRoutes(api: App, ctx: Context): void {
  const confirmations = new KeyedRate(perMinute(CONFIRMATIONS_PER_MINUTE), ctx.clock)
  api.addHook('onClose', () => confirmations.close())

  api.get('/me/factors', { schema: { querystring: noQuery, response: { 200: factors } } }, (request) =>
    listFactors(ctx, callerOf(request)),
  )
  api.post(
    '/me/factors/totp',
    { config: { action: 'factor.enrol' }, schema: { querystring: noQuery, response: { 200: totpEnrolment } } },
    (request) => enrolTotp(ctx, callerOf(request)),
  )
  api.post(
    '/me/factors/totp/confirm',
    {
      config: { action: 'factor.enrol' },
      schema: { querystring: noQuery, body: codes, response: { 200: recoveryCodes } },
    },
    async (request) => {
      const caller = callerOf(request)
      const retryAfterMs = confirmations.take(caller.actor.user)
      if (retryAfterMs > 0) throw new Refusal('rate-limited', 'attempts', { retryAfterMs })
      return { recoveryCodes: await confirmTotp(ctx, caller, request.body.code) }
    },
  )
  api.delete(
    '/me/factors/:id',
    { config: { action: 'factor.remove' }, schema: { querystring: noQuery, params: z.strictObject({ id: uuid }) } },
    async (request, reply) => {
      await removeFactor(ctx, callerOf(request), request.params.id)
      return reply.code(204).send()
    },
  )
}
