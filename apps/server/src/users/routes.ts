import {
  adminUser,
  changeUser as changes,
  createUser as newUser,
  page,
  pageQuery,
  changePassword as passwords,
  setUpCode,
  makeSetUpCode as setUpCodes,
  uuid,
} from '@wardline/protocol'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { App } from '../http/app-type.ts'
import { callerOf } from '../http/caller.ts'
import { KeyedRate, perMinute } from '../http/keyed-rate.ts'
import { noQuery } from '../http/no-query.ts'
import { addUser, changeUser } from './change.ts'
import { changePassword } from './change-password.ts'
import { listUsers } from './list.ts'
import { makeSetUpCode } from './set-up-code.ts'

/** Who holds a session may not guess its password: so many tries a minute for each account. */
const PASSWORD_TRIES_PER_MINUTE = 10
/** A ward's new people in a row; no more, should an administrator's session be somebody else's. */
const SET_UP_CODES_PER_MINUTE = 20

/** The accounts of the tenant; for the authenticated scope. */
export function registerUserRoutes(api: App, ctx: Context): void {
  const tries = new KeyedRate(perMinute(PASSWORD_TRIES_PER_MINUTE), ctx.clock)
  const codes = new KeyedRate(perMinute(SET_UP_CODES_PER_MINUTE), ctx.clock)
  api.addHook('onClose', () => {
    tries.close()
    codes.close()
  })
  api.post(
    '/me/password',
    { config: { action: 'password.change' }, schema: { querystring: noQuery, body: passwords } },
    async (request, reply) => {
      const caller = callerOf(request)
      const retryAfterMs = tries.take(caller.actor.user)
      if (retryAfterMs > 0) throw new Refusal('rate-limited', 'sign-ins', { retryAfterMs })
      await changePassword(ctx, caller, request.body)
      return reply.code(204).send()
    },
  )
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
  api.post(
    '/admin/users/:id/set-up',
    {
      config: { action: 'password.reset' },
      schema: {
        querystring: noQuery,
        params: z.strictObject({ id: uuid }),
        body: setUpCodes,
        response: { 201: setUpCode },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const retryAfterMs = codes.take(caller.actor.user)
      if (retryAfterMs > 0) throw new Refusal('rate-limited', 'rate', { retryAfterMs })
      return reply.code(201).send(await makeSetUpCode(ctx, caller, request.params.id, request.body))
    },
  )
}
