import type { FastifyRequest } from 'fastify'
import { auditAddress } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Authenticated } from '../sessions/authenticate.ts'
import type { App } from './app-type.ts'
import { addressOf } from './where.ts'

/** Refusals that are nobody's fault but ours. */
const OURS = new Set(['internal', 'unavailable'])

/**
 * What strangers may take of HTTP: connections, before TLS has read a byte of them, and calls by address. Is called
 * before anything else is registered, for it comes before everything else.
 */
export function limitStrangers(app: App, { gateway }: Pick<Context, 'gateway'>): void {
  gateway.door.guard(app.server)
  app.addHook('onRequest', (request, reply, next) => {
    const { addresses, door } = gateway
    const retryAfterMs = addresses.call(addressOf(request), door.isKnown(request.raw.socket))
    if (retryAfterMs === 0) return next()
    // Whoever is not listened to does not keep a connection either.
    reply.header('connection', 'close')
    next(new Refusal('rate-limited', 'rate', { retryAfterMs }))
  })
}

/**
 * Why what has come no further than HTTP itself is refused: no hook has seen it, so it is counted here as the call and the fault
 * that it is, and written down. `address`: the client's.
 */
export function refusalOfUnrouted(address: string, { gateway }: Pick<Context, 'gateway'>): Refusal {
  const { addresses, strangers } = gateway
  const from = auditAddress(address)
  const retryAfterMs = addresses.call(address)
  if (retryAfterMs > 0) {
    strangers.limited(from, 'rate')
    return new Refusal('rate-limited', 'rate', { retryAfterMs })
  }
  addresses.fault(address)
  strangers.unreadable(from, 'malformed')
  return new Refusal('invalid', 'malformed')
}

/** Somebody who is signed in makes this call: neither it nor its connection is a stranger's. */
export function isKnown(
  request: FastifyRequest,
  { gateway }: Pick<Context, 'gateway'>,
  { tenant, user }: Pick<Authenticated, 'tenant' | 'user'>,
): void {
  gateway.door.known(request.raw.socket, `${tenant}/${user}`)
  gateway.addresses.knownCaller(addressOf(request))
}

/** A call was refused: patience is lost with its user, or with its address where nobody knows who it was. */
export function losePatience(request: FastifyRequest, { code }: Refusal, { gateway }: Pick<Context, 'gateway'>): void {
  if (OURS.has(code)) return
  const { caller } = request
  if (caller === null) gateway.addresses.fault(addressOf(request))
  else gateway.userRates.losePatience(caller.actor.tenant, caller.actor.user)
}
