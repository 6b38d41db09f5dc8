import { page, signingKey } from '@wardline/protocol'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { App } from '../http/app-type.ts'
import { type Caller, callerOf } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import { noQuery } from '../http/no-query.ts'
import { auditKeyId } from './key-schedule.ts'
import { JWKS_SECONDS, type SigningKeyState } from './signing-keys.ts'

/** The public keys of access tokens (RFC 7517), for whoever verifies them offline. */
export function registerKeyRoutes(app: App, ctx: Context): void {
  app.get('/.well-known/jwks.json', async (_request, reply) =>
    reply
      .header('cache-control', `public, max-age=${JWKS_SECONDS}, must-revalidate`)
      .type('application/jwk-set+json')
      .serializer(JSON.stringify)
      .send(await ctx.signingKeys.jwks()),
  )
}

/** Which keys are in use, and another one; for the authenticated scope. */
export function registerKeyAdminRoutes(api: App, ctx: Context): void {
  api.get(
    '/admin/keys',
    { config: { action: 'key.read' }, schema: { querystring: noQuery, response: { 200: page(signingKey) } } },
    async (request) => {
      const caller = callerOf(request)
      const { tenant } = caller.actor
      const { reason } = await decideFor(ctx, caller, 'key.read', { kind: 'tenant', tenant })
      const keys = await ctx.signingKeys.list()
      const count = keys.length
      await ctx.database.auditOnly(tenant, { ...caller.trail, action: 'key.read', outcome: 'allowed', reason, count })
      return { items: keys.map(shown), next: null }
    },
  )
  api.post(
    '/admin/keys/rotate',
    { config: { action: 'key.rotate' }, schema: { querystring: noQuery, response: { 201: signingKey } } },
    async (request, reply) => reply.code(201).send(await rotate(ctx, callerOf(request))),
  )
}

/**
 * Adds a key, which signs once it has been published long enough. The keys are the installation's, so one that waits already
 * is enough for all its tenants. @throws Refusal `conflict` where one waits
 */
async function rotate(ctx: Context, caller: Caller): Promise<ReturnType<typeof shown>> {
  const { tenant } = caller.actor
  const action = 'key.rotate'
  const { reason } = await decideFor(ctx, caller, action, { kind: 'tenant', tenant })
  const kid = await ctx.signingKeys.rotate()
  const added = kid === null ? undefined : (await ctx.signingKeys.list()).find((key) => key.kid === kid)
  if (added === undefined) return refuse(ctx, caller, new Refusal('conflict', 'conflict'), action)
  const key = auditKeyId(added.kid)
  await ctx.database.auditOnly(tenant, { ...caller.trail, action, outcome: 'allowed', reason, key })
  return shown(added)
}

function shown({ kid, activeFrom, state }: SigningKeyState) {
  return { kid, activeFrom: new Date(activeFrom).toISOString(), state }
}
