import { createHash, X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { TLSSocket } from 'node:tls'

/** How a request has come to us, once it is settled who may say so. */
export type Arrival = {
  /** The client's address: an IPv4 address written as IPv6 is the IPv4 address, and there is no zone. */
  readonly address: string
  /** False where a trusted proxy says that the client spoke to it without TLS. */
  readonly secure: boolean
  /** SHA-256 of the client's certificate in base64url (RFC 8705 §3.1), where one was shown and verified; else null. */
  readonly certificate: string | null
}

/** The reverse proxies in front of us, by address, and what is believed of them. */
export type Proxies = {
  /** Whether the peer of a TCP connection is one of them: it speaks for many, and what it says of them is believed. */
  isTrusted(address: string): boolean
  /**
   * Reads what a proxy says; what anybody else says of this kind is not looked at. Either way it is taken off the request, so
   * that nothing behind this can read it. Asked twice about a request it says the same.
   */
  arrivalOf(request: IncomingMessage): Arrival
}

/** Nobody is asked for a certificate of theirs, or nobody is let in without one. */
export type ClientCertificates = 'off' | 'required'

/**
 * What proxies say of a client, and what clients say to look like one. The first three are read. RFC 7239's `Forwarded` is not:
 * a proxy that writes `X-Forwarded-For`, which all do, hands a client's own `Forwarded` on as it came, and so a client could
 * choose its address. Nor is the name that the client called: our names are configured (site.ts).
 */
const SAID_BY_PROXIES = [
  'x-forwarded-for',
  'x-forwarded-proto',
  'client-cert',
  'client-cert-chain',
  'forwarded',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-server',
  'x-forwarded-client-cert',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
]
/** A certificate in base64, as a byte sequence of structured fields (RFC 9440 §2.1, RFC 8941 §3.3.5). */
const BYTE_SEQUENCE = /^:([A-Za-z0-9+/]{1,10000}={0,2}):$/

/**
 * @param trusted addresses and CIDRs
 * @param certificates with `off`, neither TLS nor a proxy is asked for one
 * @param now ms of the epoch, for the validity of a certificate that a proxy hands on
 */
export function createProxies(
  trusted: readonly string[],
  certificates: ClientCertificates,
  now: () => number,
): Proxies {
  const list = new BlockList()
  for (const each of trusted) {
    const [address = '', bits] = each.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  const isTrusted = (address: string) => {
    const family = isIP(address)
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4')
  }
  const known = new WeakMap<IncomingMessage, Arrival>()

  function read(request: IncomingMessage): Arrival {
    const { headers, socket } = request
    const peer = plainAddress(socket.remoteAddress) ?? '::'
    const asked = certificates !== 'off'
    if (!isTrusted(peer)) return { address: peer, secure: true, certificate: asked ? shownByTls(socket) : null }
    return {
      address: clientAddress(peer, headers['x-forwarded-for'], isTrusted),
      secure: isSecure(headers['x-forwarded-proto']),
      certificate: asked ? handedOn(headers['client-cert'], now()) : null,
    }
  }

  return {
    isTrusted,
    arrivalOf(request) {
      const before = known.get(request)
      if (before !== undefined) return before
      const arrival = read(request)
      for (const name of SAID_BY_PROXIES) delete request.headers[name]
      known.set(request, arrival)
      return arrival
    },
  }
}

/**
 * The rightmost address that is no proxy of ours: each proxy appends whom it has heard from, so what stands further left is
 * whatever the client likes. Where an entry is no address, whoever wrote it is the last that we know.
 */
function clientAddress(
  peer: string,
  header: string | string[] | undefined,
  isTrusted: (address: string) => boolean,
): string {
  const hops = header === undefined ? [] : [header].flat().join(',').split(',')
  let client = peer
  while (isTrusted(client) && hops.length > 0) {
    const before = plainAddress(hops.pop())
    if (before === undefined) break
    client = before
  }
  return client
}

/** An address without brackets, port, zone and `::ffff:`; undefined for what is none. Some proxies append the port. */
export function plainAddress(text: string | undefined): string | undefined {
  const bare = (text ?? '')
    .trim()
    .replace(/^\[([^\]]*)\](:\d{1,5})?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/, '$1')
    .replace(/%.*$/, '')
    .replace(/^::ffff:(?=\d+\.)/i, '')
  return isIP(bare) === 0 ? undefined : bare
}

/** Of several proxies each may have said how it was spoken to: one that was not by TLS is one too many. */
function isSecure(header: string | string[] | undefined): boolean {
  if (header === undefined) return true
  return [header]
    .flat()
    .join(',')
    .split(',')
    .every((each) => ['https', 'wss'].includes(each.trim().toLowerCase()))
}

/** The proxy has verified it against its own authorities (RFC 9440 §2.4); here it is read, and whether it is valid today. */
function handedOn(header: string | string[] | undefined, now: number): string | null {
  const der = typeof header === 'string' ? BYTE_SEQUENCE.exec(header.trim())?.[1] : undefined
  if (der === undefined) return null
  try {
    const certificate = new X509Certificate(Buffer.from(der, 'base64'))
    const isValid = certificate.validFromDate.getTime() <= now && now <= certificate.validToDate.getTime()
    return isValid ? thumbprint(certificate.raw) : null
  } catch {
    return null
  }
}

/** `authorized`: Node tells of a certificate also where its chain leads nowhere. */
function shownByTls(socket: IncomingMessage['socket']): string | null {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return null
  const certificate = socket.getPeerX509Certificate()
  return certificate === undefined ? null : thumbprint(certificate.raw)
}

function thumbprint(der: Buffer): string {
  return createHash('sha256').update(der).digest('base64url')
}
