import type { FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../errors.ts'
import { networkOf } from '../gateway/admission.ts'
import type { KeyedRate } from './keyed-rate.ts'
import { addressOf } from './where.ts'

/** A hook that counts a stranger's call by its address, before anything of it is read. An IPv6 address counts as its /64. */
export function atRate(rate: KeyedRate) {
  return (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void) => {
    const retryAfterMs = rate.take(networkOf(addressOf(request)))
    done(retryAfterMs === 0 ? undefined : new Refusal('rate-limited', 'sign-ins', { retryAfterMs }))
  }
}
