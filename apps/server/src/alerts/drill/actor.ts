import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { Agent, request } from 'node:https'
import { API_BASE, CSRF_HEADER, REFRESH_COOKIE, SOCKET_PATH, SUBPROTOCOL } from '@wardline/protocol'
import { WebSocket } from 'ws'

/** The server that is drilled: where it is, and whom to trust. */
export type Target = { readonly url: string; readonly ca: string | undefined }

export type Answer = { readonly status: number; readonly body: unknown; readonly cookie: string | null }

type CallParts = {
  readonly body?: unknown
  /** In place of a fresh proof: one that was shown before, or another's. */
  readonly proof?: string
  readonly cookie?: string
}

/** Somebody at a browser, as far as a drill needs it: unlike the SDK it can be made to do what no honest client does. */
export class Actor {
  readonly #target: Target
  readonly #agent: Agent
  readonly #key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  token = ''
  csrf = ''
  cookie = ''

  constructor(target: Target) {
    this.#target = target
    this.#agent = new Agent({ keepAlive: true, ca: target.ca })
  }

  close(): void {
    this.#agent.destroy()
  }

  /** @returns the answer's status: 200 where it went well */
  async signIn(tenant: string, username: string, password: string): Promise<number> {
    const answer = await this.call('POST', '/auth/login', { body: { tenant, username, password } })
    this.#keep(answer)
    return answer.status
  }

  /** Trades a cookie for a new one. */
  async refresh(cookie = this.cookie): Promise<number> {
    const answer = await this.call('POST', '/auth/refresh', { cookie })
    this.#keep(answer)
    return answer.status
  }

  /** A proof for a call, to be shown more than once or with another's token. */
  proofFor(method: string, path: string): string {
    return this.#proof(method, `${this.#target.url}${API_BASE}${path}`, { token: this.token })
  }

  async call(method: string, path: string, { body, proof, cookie }: CallParts = {}): Promise<Answer> {
    const isBare = path.startsWith('/auth/login') || path.startsWith('/auth/refresh')
    const url = `${this.#target.url}${API_BASE}${path}`
    const text = body === undefined ? undefined : JSON.stringify(body)
    const headers = {
      origin: this.#target.url,
      dpop: proof ?? this.#proof(method, url, isBare ? {} : { token: this.token }),
      ...(isBare ? {} : { authorization: `DPoP ${this.token}` }),
      ...(cookie === undefined ? {} : { cookie: `${REFRESH_COOKIE}=${cookie}`, [CSRF_HEADER]: this.csrf }),
      ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    }
    return new Promise((resolve, reject) => {
      const outgoing = request(url, { method, headers, agent: this.#agent }, (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          const set = incoming.headers['set-cookie']?.find((each) => each.startsWith(`${REFRESH_COOKIE}=`))
          resolve({
            status: incoming.statusCode ?? 0,
            body: jsonOf(Buffer.concat(chunks).toString()),
            cookie: set?.slice(REFRESH_COOKIE.length + 1).split(';')[0] ?? null,
          })
        })
      })
      outgoing.on('error', reject)
      outgoing.end(text)
    })
  }

  /** Opens a socket, sends so many pings at once, and closes it when all are answered. */
  async flood(pings: number): Promise<void> {
    const { url, ca } = this.#target
    const socket = new WebSocket(`${url.replace(/^https/, 'wss')}${SOCKET_PATH}`, [SUBPROTOCOL], { ca, origin: url })
    const { token } = this
    let answers = 0
    await new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        const frame = Object(jsonOf(data.toString())) as { type?: string; nonce?: string }
        if (frame.type === 'session.challenge') {
          const proof = this.#proof('GET', `${url}${SOCKET_PATH}`, { token, nonce: frame.nonce })
          socket.send(JSON.stringify({ type: 'session.authenticate', id: 'a', token, proof }))
        } else if (frame.type === 'session.authenticated') {
          for (let n = 0; n < pings; n += 1) socket.send(JSON.stringify({ type: 'session.ping', id: `p${n}` }))
        } else if (frame.type === 'done' || frame.type === 'error') {
          answers += 1
          if (answers === pings) socket.close(1000)
        }
      })
      socket.on('close', () => resolve())
      // What failed is told by the alarm that does not ring; `close` follows.
      socket.on('error', () => undefined)
    })
  }

  /** RFC 9449 §4.2. */
  #proof(htm: string, htu: string, about: { token?: string; nonce?: string | undefined }): string {
    const { kty, crv, x, y } = this.#key.publicKey.export({ format: 'jwk' })
    const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } }
    const claims = {
      htm,
      htu,
      iat: Math.floor(Date.now() / 1000),
      jti: randomBytes(24).toString('base64url'),
      ...(about.token === undefined ? {} : { ath: createHash('sha256').update(about.token).digest('base64url') }),
      ...(about.nonce === undefined ? {} : { nonce: about.nonce }),
    }
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const input = `${part(header)}.${part(claims)}`
    const key = { key: this.#key.privateKey, dsaEncoding: 'ieee-p1363' } as const
    return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
  }

  #keep({ status, body, cookie }: Answer): void {
    if (status !== 200) return
    const { accessToken, csrfToken } = Object(body) as { accessToken?: string; csrfToken?: string }
    this.token = accessToken ?? this.token
    this.csrf = csrfToken ?? this.csrf
    this.cookie = cookie ?? this.cookie
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
