import type { FastifyRequest } from 'fastify'
import { auditAddress, auditOrigin } from '../audit/event.ts'
import type { Where } from '../sessions/grant.ts'
import { type UsedFrom, usedFrom } from '../sessions/used-from.ts'
import type { Arrival } from './forwarded.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** How it has come to us (forwarded.ts). */
    readonly arrival: Arrival
  }
}

/** The client's address: the peer's, or what a trusted proxy says. */
export function addressOf(request: FastifyRequest): string {
  return request.arrival.address
}

/** From where a call comes, as the audit has it. */
export function whereOf(request: FastifyRequest): Where {
  const origin = auditOrigin(request.headers.origin)
  return { address: auditAddress(addressOf(request)), ...(origin === undefined ? {} : { origin }) }
}

/** From where a session is used, as coarse as it is kept. */
export function usedFromOf(request: FastifyRequest): UsedFrom {
  return usedFrom(addressOf(request), request.headers['user-agent'])
}

/** The path as proofs and routes name it: without a query, its dots resolved. */
export function pathOf(request: FastifyRequest): string {
  const [path = '/'] = request.url.split('?', 1)
  return URL.canParse(path, 'https://localhost') ? new URL(path, 'https://localhost').pathname : path
}
