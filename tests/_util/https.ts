import { Agent, type RequestOptions, request } from 'node:https'

export type HttpAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** The body as JSON, or undefined where it is none. */
  readonly body: unknown
}

export type HttpCall = {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>
  /** Anything but a string is sent as JSON. */
  readonly body?: unknown
}

type Called = { readonly url: string; readonly ca: string | Buffer; readonly from?: string }

/** One call on a connection of its own. `to`: where, and whom to trust. Rejects only where there is no answer at all. */
export function call(to: Called, what: HttpCall): Promise<HttpAnswer> {
  const { method = 'GET', path, body } = what
  const isText = typeof body === 'string'
  const headers = Object.fromEntries(Object.entries(what.headers ?? {}).filter(([, value]) => value !== undefined))
  if (body !== undefined && !isText && headers['content-type'] === undefined)
    headers['content-type'] = 'application/json'
  const payload = body === undefined ? undefined : isText ? body : JSON.stringify(body)
  const agent = new Agent({ ca: to.ca, maxCachedSessions: 0 })
  return new Promise((resolve, reject) => {
    const options: RequestOptions = {
      method,
      agent,
      headers,
      setHost: true,
      ...(to.from === undefined ? {} : { localAddress: to.from }),
    }
    const outgoing = request(new URL(to.url), { ...options, path }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        agent.destroy()
        const text = Buffer.concat(chunks).toString()
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, body: jsonOf(text) })
      })
    })
    outgoing.on('error', (error) => {
      agent.destroy()
      reject(error)
    })
    outgoing.end(payload)
  })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
