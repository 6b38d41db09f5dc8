import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { auditAddress, auditOrigin } from '../audit/event.ts'
import type { Where } from '../sessions/grant.ts'

/**
 * The client's address: the peer's, or what a trusted proxy says. An IPv4 address written as IPv6 is the IPv4 address;
 * what is no address, for a proxy may pass on anything, is the peer's.
 */
export function addressOf(request: FastifyRequest): string {
  const plain = (address: string) => address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
  const stated = plain(request.ip)
  return isIP(stated) === 0 ? plain(request.socket.remoteAddress ?? '::') : stated
}

/** From where a call comes, as the audit has it. */
export function whereOf(request: FastifyRequest): Where {
  const origin = auditOrigin(request.headers.origin)
  return { address: auditAddress(addressOf(request)), ...(origin === undefined ? {} : { origin }) }
}

/** The path as proofs and routes name it: without a query, its dots resolved. */
export function pathOf(request: FastifyRequest): string {
  const [path = '/'] = request.url.split('?', 1)
  return URL.canParse(path, 'https://localhost') ? new URL(path, 'https://localhost').pathname : path
}
