import { lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/** Networks that are nobody's public address (RFC 6890 and the registries that follow it): what a server reaches and a stranger should not. */
const NOT_PUBLIC = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
]
/** Of IPv6, what is global unicast is public, but for these, which stand for IPv4 addresses or for examples. */
const GLOBAL_6 = '2000::/3'
const NOT_PUBLIC_6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

const notPublic = listOf(NOT_PUBLIC)
const global6 = listOf([GLOBAL_6])
const notPublic6 = listOf(NOT_PUBLIC_6)

/** What a webhook may be sent to: public addresses, and those networks that the operator allows besides. */
export type Targets = { allows(address: string): boolean }

/** @param networks CIDRs or addresses, as the configuration has them */
export function targetsWith(networks: readonly string[]): Targets {
  const also = listOf(networks)
  return {
    allows(address) {
      const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
      const plain = mapped ?? address
      const family = isIP(plain)
      if (family === 0) return false
      const kind = family === 4 ? 'ipv4' : 'ipv6'
      if (also.check(plain, kind)) return true
      if (kind === 'ipv4') return !notPublic.check(plain, kind)
      return global6.check(plain, kind) && !notPublic6.check(plain, kind)
    },
  }
}

/** The name has an address that nothing may be sent to. */
export class NotAllowed extends Error {
  readonly code = 'NOT_ALLOWED'
}

/**
 * Looks a name up and lets nothing through that may not be sent to: used for the connection itself, so that no second answer of the
 * name's own server can lead elsewhere than the first (DNS rebinding). One bad address spoils the name.
 */
export function guardedLookup(targets: Targets): LookupFunction {
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return done(error, '', 0)
      const [first] = addresses
      if (first === undefined || !addresses.every(({ address }) => targets.allows(address))) {
        return done(new NotAllowed(), '', 0)
      }
      if (options.all === true) done(null, addresses)
      else done(null, first.address, first.family)
    })
  }
}

/** A host that is written as an address is never looked up: it is judged here. */
export function isAllowedHost(targets: Targets, hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, '')
  return isIP(address) === 0 || targets.allows(address)
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    const kind = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, kind)
    else list.addSubnet(address, Number(bits), kind)
  }
  return list
}
