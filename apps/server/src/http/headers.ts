import type { Site } from './site.ts'

const HSTS_SECONDS = 63_072_000
/** A demonstration is called `localhost`, and so is everything else that its developer runs there without TLS. */
const DEMO_HSTS_SECONDS = 300

/** CSP3 §2.3.1 has no form for an IPv6 address: on one, `'self'` must do. */
const isSourceExpression = (origin: string) => !origin.includes('[')

/**
 * Headers of every answer, errors included (ASVS 3.4). The policy lets the page load its own files, talk to its own server,
 * and nothing else; text from outside cannot become markup or script. `wss:` is named because not every browser counts
 * it as 'self'.
 */
export function securityHeaders(site: Site, demo: boolean): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "script-src-attr 'none'",
    "style-src 'self'",
    "style-src-attr 'none'",
    "font-src 'self'",
    "img-src 'self' blob:",
    `connect-src 'self' ${site.socketOrigins.filter(isSourceExpression).join(' ')}`,
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ]
  return {
    'content-security-policy': policy.join('; '),
    'strict-transport-security': demo ? `max-age=${DEMO_HSTS_SECONDS}` : `max-age=${HSTS_SECONDS}; includeSubDomains`,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()',
    'x-dns-prefetch-control': 'off',
    'cache-control': 'no-store',
  }
}
