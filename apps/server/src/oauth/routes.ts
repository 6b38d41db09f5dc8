import { JWT_BEARER, problem, serviceToken } from '@wardline/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import { networkOf } from '../gateway/admission.ts'
import type { App } from '../http/app-type.ts'
import { headerOf } from '../http/authenticated.ts'
import { KeyedRate, perMinute } from '../http/keyed-rate.ts'
import { addressOf, pathOf, whereOf } from '../http/where.ts'
import { acceptForms } from './form.ts'

const revocation = z.object({ token: z.string().min(1).max(4_096), token_type_hint: z.string().optional() })

const clientCredentials = z.object({
  grant_type: z.literal('client_credentials'),
  client_assertion_type: z.literal(JWT_BEARER),
  client_assertion: z.string().min(1).max(4_096),
  scope: z.string().min(1).max(3_000).optional(),
})

/** OAuth's own endpoints, which take forms; in a scope of their own. */
export function registerOAuthRoutes(scope: App, ctx: Context): void {
  const { signInsPerMinute, refreshesPerMinute } = ctx.config.preAuth
  const rate = new KeyedRate(perMinute(refreshesPerMinute), ctx.clock)
  const signIns = new KeyedRate(perMinute(signInsPerMinute), ctx.clock)
  scope.addHook('onClose', () => {
    rate.close()
    signIns.close()
  })
  acceptForms(scope)
  sayErrorsAsOAuth(scope)

  scope.post(
    '/oauth/token',
    {
      config: { action: 'auth.service' },
      schema: { body: clientCredentials, response: { 200: serviceToken } },
      onRequest: atRate(signIns),
    },
    (request) => {
      const { client_assertion: assertion, scope: asked } = request.body
      const [proof, path, where] = [headerOf(request, 'dpop'), pathOf(request), whereOf(request)]
      const { certificate } = request.arrival
      return ctx.sessions.grantToService({ assertion, scope: asked, proof, path, where, certificate })
    },
  )

  scope.post(
    '/oauth/revoke',
    { config: { action: 'token.revoke' }, schema: { body: revocation }, onRequest: atRate(rate) },
    async (request, reply) => {
      const { token } = request.body
      const [proof, path, where] = [headerOf(request, 'dpop'), pathOf(request), whereOf(request)]
      await ctx.sessions.revokeByToken({ token, proof, path, where })
      return reply.code(200).send()
    },
  )
}

/** An IPv6 address counts as its /64. */
function atRate(rate: KeyedRate) {
  return (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void) => {
    const retryAfterMs = rate.take(networkOf(addressOf(request)))
    done(retryAfterMs === 0 ? undefined : new Refusal('rate-limited', 'rate', { retryAfterMs }))
  }
}

/** RFC 6749 §5.2, by our own code: a library that speaks OAuth reads `error`, and finds the rest beside it. */
const OAUTH_ERRORS: Readonly<Record<string, string>> = {
  invalid: 'invalid_request',
  unauthenticated: 'invalid_client',
  'rate-limited': 'temporarily_unavailable',
  unavailable: 'temporarily_unavailable',
}

function sayErrorsAsOAuth(scope: App): void {
  scope.addHook('preSerialization', (_request, reply, payload, done) => {
    const error = reply.statusCode >= 400 ? errorOf(payload) : undefined
    done(null, error === undefined ? payload : { ...(payload as object), error })
  })
}

function errorOf(payload: unknown): string | undefined {
  const { success, data } = problem.safeParse(payload)
  if (!success) return undefined
  return data.fields?.includes('/scope') === true ? 'invalid_scope' : (OAUTH_ERRORS[data.code] ?? 'server_error')
}
