import { SUBPROTOCOL } from '@wardline/protocol'
import { Refusal } from '../errors.ts'
import type { Site } from '../http/site.ts'

/** What the request for a socket says of itself. */
export interface UpgradeRequest {
  /** Path and query. */
  readonly url: string
  readonly isUpgrade: boolean
  readonly origin: string | undefined
  /** `Sec-WebSocket-Key`. */
  readonly key: string | undefined
  /** `Sec-WebSocket-Protocol`. */
  readonly subprotocols: string | undefined
}

/** 16 bytes in base64 (RFC 6455 §4.1). */
const KEY = /^[A-Za-z0-9+/]{22}==$/
/** RFC 9110 §5.6.2: what `ws` takes for one. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/**
 * Why the socket is refused before it is one; null where it is not. A token has no place in a URL, which logs, proxies
 * and histories keep, so no query is taken at all.
 */
export function refusalOfUpgrade(request: UpgradeRequest, site: Pick<Site, 'isAllowedOrigin'>): Refusal | null {
  if (request.url.includes('?')) return new Refusal('invalid', 'token-in-url')
  if (!request.isUpgrade || !KEY.test(request.key ?? '')) return new Refusal('invalid', 'malformed')
  if (!site.isAllowedOrigin(request.origin)) return new Refusal('forbidden', 'origin')
  const offered = request.subprotocols?.split(',').map((each) => each.trim()) ?? []
  const isList = offered.every((each) => TOKEN.test(each)) && new Set(offered).size === offered.length
  return isList && offered.includes(SUBPROTOCOL) ? null : new Refusal('invalid', 'subprotocol')
}
