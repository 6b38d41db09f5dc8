import dns from 'node:dns'
import { Socket } from 'node:net'

const HERE = new Set(['localhost', '127.0.0.1', '::1', ''])

/** Watches every name that this process, server and all, looks up or connects to. Answers those that are elsewhere, and lets go. */
export function watchOutbound(): () => string[] {
  const seen: string[] = []
  const note = (host: unknown) => {
    if (typeof host === 'string' && !HERE.has(host)) seen.push(host)
  }
  const { connect } = Socket.prototype
  const { lookup } = dns
  const promised = dns.promises.lookup
  Socket.prototype.connect = function watched(this: Socket, ...args: unknown[]) {
    const [first] = args.flat() as [unknown]
    note(typeof first === 'object' && first !== null && 'host' in first ? first.host : undefined)
    return Reflect.apply(connect, this, args) as Socket
  }
  dns.lookup = ((host: string, ...rest: unknown[]) => {
    note(host)
    return Reflect.apply(lookup, dns, [host, ...rest]) as void
  }) as typeof lookup
  dns.promises.lookup = ((host: string, ...rest: unknown[]) => {
    note(host)
    return Reflect.apply(promised, dns.promises, [host, ...rest]) as unknown
  }) as typeof promised
  return () => {
    Socket.prototype.connect = connect
    dns.lookup = lookup
    dns.promises.lookup = promised
    return seen
  }
}
