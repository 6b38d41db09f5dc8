import { isIP } from 'node:net'
import type { Config } from '../config.ts'

/** By which addresses this server is called, and from which pages. */
export type Site = {
  /** The public URL's origin, `https://host[:port]`. */
  readonly origin: string
  /** `wss://` forms of every origin it answers to: what a page may connect to. */
  readonly socketOrigins: readonly string[]
  /**
   * Whether a call with this `Origin` header may change anything or open a socket: exactly one of the list. None at
   * all is a client that is no browser, and only where the operator allows those.
   */
  isAllowedOrigin(origin: string | undefined): boolean
  /** Whether a proof's `htu` means `path` of this server (RFC 9449 §4.3, normalised as RFC 3986 §6.2 has it). */
  matchesTarget(htu: string, path: string): boolean
  /** What passkeys are bound to (WebAuthn §5.4.2): the public URL's host; null where that is an address, which takes none. */
  readonly rpId: string | null
  /** The pages that may use them. */
  readonly passkeyOrigins: readonly string[]
  /** The URL of `path`, as proofs name it. */
  url(path: string): string
  /** With port 0 in the configuration, the port is known only now. */
  listeningOn(port: number): void
}

const MAX_URL_LENGTH = 2_048

/** Without a public URL, or in a demonstration, this machine is called by its name and by its addresses. */
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

export function createSite(
  config: Pick<Config, 'publicUrl' | 'port' | 'demo' | 'allowedOrigins' | 'allowNoOrigin'>,
): Site {
  let own = ownOrigins(config, config.port)
  return {
    get origin() {
      return own[0] ?? ''
    },
    get socketOrigins() {
      return own.map((origin) => origin.replace(/^https/, 'wss'))
    },
    get rpId() {
      return rpIdOf(own)
    },
    get passkeyOrigins() {
      const rpId = rpIdOf(own)
      return [...own, ...config.allowedOrigins].filter((origin) => new URL(origin).hostname === rpId)
    },
    isAllowedOrigin(origin) {
      if (origin === undefined) return config.allowNoOrigin
      return own.includes(origin) || config.allowedOrigins.includes(origin)
    },
    matchesTarget(htu, path) {
      if (htu.length > MAX_URL_LENGTH || !URL.canParse(htu)) return false
      const url = new URL(htu)
      const bare = url.search === '' && url.hash === '' && url.username === '' && url.password === ''
      return bare && own.includes(url.origin) && url.pathname === path
    },
    url: (path) => `${own[0]}${path}`,
    listeningOn(port) {
      own = ownOrigins(config, port)
    },
  }
}

function ownOrigins(config: Pick<Config, 'publicUrl' | 'demo'>, port: number): readonly string[] {
  const local = LOOPBACK.map((host) => new URL(`https://${host}:${port}`).origin)
  if (config.publicUrl === null) return local
  return [...new Set([config.publicUrl, ...(config.demo ? local : [])])]
}

function rpIdOf([first = '']: readonly string[]): string | null {
  const { hostname } = new URL(first)
  return hostname.startsWith('[') || isIP(hostname) !== 0 ? null : hostname
}
