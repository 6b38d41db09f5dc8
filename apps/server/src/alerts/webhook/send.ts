import { request } from 'node:https'
import { guardedLookup, isAllowedHost, NotAllowed, type Targets } from './target.ts'

/** From the name's lookup to the last byte of the answer's head. */
const TIMEOUT_MS = 10_000

/** What became of a message. `fault`: why there was no answer. */
export type Sent =
  | { readonly status: number }
  | { readonly fault: 'not-allowed' | 'name' | 'tls' | 'refused' | 'timeout' | 'network' }

export type Sender = (url: string, headers: Readonly<Record<string, string>>, payload: string) => Promise<Sent>

/**
 * Posts over https to where it may be posted: no redirect is followed, nothing of the answer but its status is read, no connection
 * is kept. @param ca authorities besides Node's own, PEM
 */
export function createSender(targets: Targets, ca: readonly string[] | undefined): Sender {
  return (url, headers, payload) => {
    const target = new URL(url)
    if (target.protocol !== 'https:' || !isAllowedHost(targets, target.hostname)) {
      return Promise.resolve({ fault: 'not-allowed' })
    }
    return new Promise((resolve) => {
      const signal = AbortSignal.timeout(TIMEOUT_MS)
      const outgoing = request(
        target,
        {
          method: 'POST',
          agent: false,
          lookup: guardedLookup(targets),
          ...(ca === undefined ? {} : { ca: [...ca] }),
          minVersion: 'TLSv1.2',
          signal,
          headers: {
            ...headers,
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(payload),
            'user-agent': 'wardline',
          },
        },
        (answer) => {
          const { statusCode: status = 0 } = answer
          answer.destroy()
          resolve({ status })
        },
      )
      outgoing.on('error', (error) => resolve({ fault: signal.aborted ? 'timeout' : faultOf(error) }))
      outgoing.end(payload)
    })
  }
}

function faultOf(error: Error): Extract<Sent, { fault: string }>['fault'] {
  if (error instanceof NotAllowed) return 'not-allowed'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (code === 'ECONNREFUSED') return 'refused'
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) return 'name'
  if (code === 'ETIMEDOUT') return 'timeout'
  return /CERT|TLS|SSL|SIGNATURE|ISSUER|EPROTO/.test(code) ? 'tls' : 'network'
}
