import { channelSummary, createChannel, page, pageQuery, uuid } from '@wardline/protocol'
import { z } from 'zod'
import { actorOf } from '../access/snapshot.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { App } from '../http/app-type.ts'
import { type Caller, callerOf } from '../http/caller.ts'
import { noQuery } from '../http/no-query.ts'
import { openDirect, openGroup } from './create.ts'
import { listChannels, showChannel } from './list.ts'

/** The caller's conversations; for the authenticated scope. */
export function registerChannelRoutes(api: App, ctx: Context): void {
  const config = { action: 'channel.read' } as const

  api.get(
    '/channels',
    { config, schema: { querystring: pageQuery, response: { 200: page(channelSummary) } } },
    (request) => listChannels(ctx, callerOf(request), request.query),
  )
  api.get(
    '/channels/:id',
    {
      config,
      schema: { querystring: noQuery, params: z.strictObject({ id: uuid }), response: { 200: channelSummary } },
    },
    (request) => showChannel(ctx, callerOf(request), request.params.id),
  )
  api.post(
    '/channels',
    {
      config: { action: 'channel.create-group' },
      schema: { querystring: noQuery, body: createChannel, response: { 200: channelSummary, 201: channelSummary } },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { body } = request
      const opened =
        body.kind === 'direct' ? await openDirect(ctx, caller, body.member) : await openGroup(ctx, caller, body)
      const summary = await showChannel(ctx, await asOfNow(ctx, caller), opened.id)
      return reply.code(opened.created ? 201 : 200).send(summary)
    },
  )
}

/** The caller with what has just become theirs. */
async function asOfNow(ctx: Context, caller: Caller): Promise<Caller> {
  const { tenant, user } = caller.actor
  const snapshot = await ctx.access.load(tenant, user, { fresh: true })
  if (snapshot === null) throw new Refusal('unauthenticated', 'unknown-user')
  return { ...caller, snapshot, actor: actorOf(snapshot, caller.authenticated) }
}
