import {
  confirmTotp as codes,
  factors,
  passkeyCreation,
  confirmPasskey as passkeys,
  recoveryCodes,
  totpEnrolment,
  uuid,
} from '@wardline/protocol'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { App } from '../http/app-type.ts'
import { callerOf } from '../http/caller.ts'
import { KeyedRate, perMinute } from '../http/keyed-rate.ts'
import { noQuery } from '../http/no-query.ts'
import { confirmPasskey, enrolPasskey } from './enrol-passkey.ts'
import { confirmTotp, enrolTotp } from './enrol-totp.ts'
import { listFactors } from './list.ts'
import { removeFactor, renewRecoveryCodes } from './remove.ts'
import { resetFactors } from './reset.ts'

/** What somebody may do who has to enrol first. */
const enrolling = { action: 'factor.enrol', whileEnrolling: true } as const
/** Codes that an account may try to confirm an app by. */
const CONFIRMATIONS_PER_MINUTE = 10

/** Second factors: one's own, and those of others taken away; for the authenticated scope. */
export function registerFactorRoutes(api: App, ctx: Context): void {
  const confirmations = new KeyedRate(perMinute(CONFIRMATIONS_PER_MINUTE), ctx.clock)
  api.addHook('onClose', () => confirmations.close())

  api.get(
    '/me/factors',
    { config: { whileEnrolling: true }, schema: { querystring: noQuery, response: { 200: factors } } },
    (request) => listFactors(ctx, callerOf(request)),
  )
  api.post(
    '/me/factors/totp',
    { config: enrolling, schema: { querystring: noQuery, response: { 200: totpEnrolment } } },
    (request) => enrolTotp(ctx, callerOf(request)),
  )
  api.post(
    '/me/factors/totp/confirm',
    {
      config: enrolling,
      schema: { querystring: noQuery, body: codes, response: { 200: recoveryCodes } },
    },
    async (request) => {
      const caller = callerOf(request)
      const retryAfterMs = confirmations.take(caller.actor.user)
      if (retryAfterMs > 0) throw new Refusal('rate-limited', 'attempts', { retryAfterMs })
      return { recoveryCodes: await confirmTotp(ctx, caller, request.body.code) }
    },
  )
  api.post(
    '/me/factors/passkeys',
    { config: enrolling, schema: { querystring: noQuery, response: { 200: passkeyCreation } } },
    (request) => enrolPasskey(ctx, callerOf(request)),
  )
  api.post(
    '/me/factors/passkeys/confirm',
    { config: enrolling, schema: { querystring: noQuery, body: passkeys, response: { 200: recoveryCodes } } },
    async (request) => ({ recoveryCodes: await confirmPasskey(ctx, callerOf(request), request.body.passkey) }),
  )
  api.post(
    '/me/factors/recovery-codes',
    {
      config: { action: 'factor.recovery-codes' },
      schema: { querystring: noQuery, response: { 200: recoveryCodes } },
    },
    async (request) => ({ recoveryCodes: await renewRecoveryCodes(ctx, callerOf(request)) }),
  )
  api.delete(
    '/admin/users/:id/factors',
    { config: { action: 'factor.reset' }, schema: { querystring: noQuery, params: z.strictObject({ id: uuid }) } },
    async (request, reply) => {
      await resetFactors(ctx, callerOf(request), request.params.id)
      return reply.code(204).send()
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
