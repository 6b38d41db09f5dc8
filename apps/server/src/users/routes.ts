import { adminUser, changeUser as changes, createUser as newUser, page, pageQuery, uuid } from '@wardline/protocol'
import { z } from 'zod'
import type { Context } from '../context.ts'
import type { App } from '../http/app-type.ts'
import { callerOf } from '../http/caller.ts'
import { noQuery } from '../http/no-query.ts'
import { addUser, changeUser } from './change.ts'
import { listUsers } from './list.ts'

/** The accounts of the tenant; for the authenticated scope. */
export function registerUserRoutes(api: App, ctx: Context): void {
  api.get(
    '/admin/users',
    { config: { action: 'user.read' }, schema: { querystring: pageQuery, response: { 200: page(adminUser) } } },
    (request) => listUsers(ctx, callerOf(request), request.query),
  )
  api.post(
    '/admin/users',
    {
      config: { action: 'user.create' },
      schema: { querystring: noQuery, body: newUser, response: { 201: adminUser } },
    },
    async (request, reply) => reply.code(201).send(await addUser(ctx, callerOf(request), request.body)),
  )
  api.patch(
    '/admin/users/:id',
    {
      config: { action: 'user.update' },
      schema: {
        querystring: noQuery,
        params: z.strictObject({ id: uuid }),
        body: changes,
        response: { 200: adminUser },
      },
    },
    (request) => changeUser(ctx, callerOf(request), request.params.id, request.body),
  )
}
