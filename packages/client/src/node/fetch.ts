import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { REFRESH_COOKIE } from '@wardline/protocol'
import type { Fetch, FetchAnswer } from '../environment.ts'
import type { NodeTls } from './tls.ts'

/** An answer longer than this is not ours. Bytes. */
const MAX_ANSWER = 32 * 1024 * 1024

/**
 * `fetch` over node:https with a certificate authority and an Origin of its own, and with the one cookie that matters: the
 * refresh cookie, kept in memory and, as its `__Host-` name asks, sent to the host that set it alone.
 */
export function nodeFetch({ ca, origin, certificate }: NodeTls): Fetch {
  const agent = new Agent({ keepAlive: true, ca, ...certificate })
  const cookies = new Map<string, string>()

  return (target, init) => {
    const url = new URL(target)
    const headers: Record<string, string> = { ...init.headers, origin: origin ?? url.origin }
    const cookie = cookies.get(url.host)
    if (init.credentials !== 'omit' && cookie !== undefined) headers['cookie'] = `${REFRESH_COOKIE}=${cookie}`
    if (init.body !== undefined) headers['content-length'] = String(Buffer.byteLength(init.body))
    return new Promise((resolve, reject) => {
      const outgoing = request(url, { method: init.method, headers, agent, signal: init.signal }, (incoming) => {
        if (init.credentials !== 'omit') keepCookie(cookies, url.host, incoming)
        read(incoming).then(resolve, reject)
      })
      outgoing.on('error', reject)
      outgoing.end(init.body)
    })
  }
}

async function read(incoming: IncomingMessage): Promise<FetchAnswer> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of incoming as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > MAX_ANSWER) throw new Error('the answer is too long')
    parts.push(part)
  }
  const text = Buffer.concat(parts).toString('utf8')
  const { headers } = incoming
  return {
    status: incoming.statusCode ?? 0,
    headers: {
      get: (name) => {
        const value = headers[name.toLowerCase()]
        return typeof value === 'string' ? value : null
      },
    },
    text: async () => text,
  }
}

function keepCookie(cookies: Map<string, string>, host: string, { headers }: IncomingMessage): void {
  for (const line of headers['set-cookie'] ?? []) {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
    if (!pair.startsWith(`${REFRESH_COOKIE}=`)) continue
    const value = pair.slice(REFRESH_COOKIE.length + 1)
    const ended = value === '' || attributes.some((attribute) => /^max-age=0$/i.test(attribute))
    if (ended) cookies.delete(host)
    else cookies.set(host, value)
  }
}
