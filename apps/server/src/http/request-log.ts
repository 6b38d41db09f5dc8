import { ERRORS } from '@wardline/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from '../log.ts'
import { addressOf } from './where.ts'

/**
 * One line for each answer: by the route's pattern, for a path may hold an id and a query anything. None for a stranger who asks too
 * fast: the audit has their number, and a line for each would be as fast as they are.
 */
export function logAnswers(log: Logger): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  return (request, reply) => {
    const { caller } = request
    if (caller === null && reply.statusCode === ERRORS['rate-limited'].status) return Promise.resolve()
    log.info('request.answered', {
      requestId: request.id,
      method: request.method,
      route: request.routeOptions.url ?? 'none',
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      address: addressOf(request),
      ...(caller === null ? {} : { tenant: caller.actor.tenant, user: caller.actor.user }),
    })
    return Promise.resolve()
  }
}
