import { setUpAnswer, setUpRequest } from '@wardline/protocol'
import type { Context } from '../context.ts'
import type { App } from '../http/app-type.ts'
import { atRate } from '../http/at-rate.ts'
import { KeyedRate, perMinute } from '../http/keyed-rate.ts'
import { noQuery } from '../http/no-query.ts'
import { whereOf } from '../http/where.ts'
import { setUp } from './set-up.ts'

/** A code, and a password of 1,024 characters, each escaped. */
const BODY_BYTES = 16 * 1024

/** For anybody: setting the password of one's account by a code. Each try costs a hash, as a sign-in does. */
export function registerSetUpRoutes(app: App, ctx: Context): void {
  const tries = new KeyedRate(perMinute(ctx.config.preAuth.signInsPerMinute), ctx.clock)
  app.addHook('onClose', () => tries.close())
  app.post(
    '/auth/set-up',
    {
      bodyLimit: BODY_BYTES,
      config: { action: 'password.set-up' },
      schema: { querystring: noQuery, body: setUpRequest, response: { 200: setUpAnswer } },
      onRequest: atRate(tries),
    },
    (request) => setUp(ctx, request.body, whereOf(request)),
  )
}
