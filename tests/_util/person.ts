import {
  API_BASE,
  CSRF_HEADER,
  loginAnswer,
  type PasskeyAssertion,
  REFRESH_COOKIE,
  refreshAnswer,
  type SecondFactorRequest,
  type SignedInUser,
  SOCKET_PATH,
} from '@wardline/protocol'
import { codeAt } from './authenticator.ts'
import { DeviceKey, type ProofParts } from './device-key.ts'
import { call, type HttpAnswer } from './https.ts'
import { PASSWORD, type Reachable } from './server.ts'

export type CallOptions = {
  readonly body?: unknown
  /** In place of those that would be sent; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>
  readonly twisted?: ProofParts
  /** Another node of the same installation. */
  readonly at?: Reachable
}

/** Somebody at a browser: a device key, and what signing in has given them. Sends what the SDK would, or what a test says. */
export class Person {
  readonly server: Reachable
  readonly key: DeviceKey
  token = ''
  csrf = ''
  /** The refresh cookie's value. */
  cookie = ''
  user!: SignedInUser

  constructor(server: Reachable, key = new DeviceKey()) {
    this.server = server
    this.key = key
  }

  /** Signs in and keeps what is given; the answer tells whether it went well. `totpSecret`: of who is asked for a code too. */
  async signIn(
    tenant: string,
    username: string,
    options: { password?: string; totpSecret?: string | undefined } & CallOptions = {},
  ): Promise<HttpAnswer> {
    const { password = PASSWORD, totpSecret, ...rest } = options
    const answer = this.#keep(await this.bare('POST', '/auth/login', { body: { tenant, username, password }, ...rest }))
    const said = loginAnswer.safeParse(answer.body).data
    if (said?.status !== 'second-factor' || totpSecret === undefined) return answer
    const totp = codeAt(totpSecret, this.server.clock.now())
    return this.secondFactor({ challenge: said.challenge, totp }, rest)
  }

  /** Answers the challenge that signing in was answered with. */
  async secondFactor(body: SecondFactorRequest, options: CallOptions = {}): Promise<HttpAnswer> {
    return this.#keep(await this.bare('POST', '/auth/second-factor', { body, ...options }))
  }

  /** Signs in by a passkey alone. */
  async signInByPasskey(passkey: PasskeyAssertion, options: CallOptions = {}): Promise<HttpAnswer> {
    return this.#keep(await this.bare('POST', '/auth/passkey', { body: { passkey }, ...options }))
  }

  /** Trades the cookie for a new token. `cookie`: in place of the one held. */
  async refresh(options: { cookie?: string } & CallOptions = {}): Promise<HttpAnswer> {
    const { cookie = this.cookie, ...rest } = options
    const headers = { cookie: `${REFRESH_COOKIE}=${cookie}`, [CSRF_HEADER]: this.csrf, ...rest.headers }
    return this.#keep(await this.bare('POST', '/auth/refresh', { ...rest, headers }))
  }

  /** A call of the API as this person: token and proof. `path` below `/api/v1`. */
  call(method: string, path: string, options: CallOptions = {}): Promise<HttpAnswer> {
    const token = this.token
    return this.#send(method, path, token, {
      ...options,
      headers: { authorization: `DPoP ${token}`, ...options.headers },
    })
  }

  /** A call of the API without a token, but with a proof. */
  bare(method: string, path: string, options: CallOptions = {}): Promise<HttpAnswer> {
    return this.#send(method, path, undefined, options)
  }

  /** The proof that opens a socket, over the server's nonce. */
  socketProof(nonce: string, twisted: ProofParts = {}, at: Reachable = this.server): string {
    const { url, clock } = at
    const about = { method: 'GET', url: `${url}${SOCKET_PATH}`, at: clock.now(), token: this.token, nonce }
    return this.key.proof(about, twisted)
  }

  async #send(method: string, path: string, token: string | undefined, options: CallOptions): Promise<HttpAnswer> {
    const server = options.at ?? this.server
    const [bare = ''] = path.split('?')
    const url = `${server.url}${API_BASE}${bare}`
    const dpop = this.key.proof({ method, url, at: server.clock.now(), token }, options.twisted)
    const headers = { origin: server.url, dpop, ...options.headers }
    return call(server, { method, path: `${API_BASE}${path}`, headers, body: options.body })
  }

  #keep(answer: HttpAnswer): HttpAnswer {
    if (answer.status !== 200 || !refreshAnswer.strip().safeParse(answer.body).success) return answer
    const { accessToken, csrfToken, user } = refreshAnswer.strip().parse(answer.body)
    this.token = accessToken
    this.csrf = csrfToken
    this.user = user
    this.cookie = refreshCookieOf(answer) ?? this.cookie
    return answer
  }
}

/** The refresh cookie's value in an answer, or null where it sets none. */
export function refreshCookieOf(answer: HttpAnswer): string | null {
  const set = [answer.headers['set-cookie'] ?? []].flat().find((each) => each.startsWith(`${REFRESH_COOKIE}=`))
  return set === undefined ? null : (set.slice(REFRESH_COOKIE.length + 1).split(';')[0] ?? null)
}

/** Somebody of the demonstration, signed in: `signedIn(server, 'riverside/nurse.lind')`. Fails the test where that fails. */
export async function signedIn(server: Reachable, who: string, key = new DeviceKey()): Promise<Person> {
  const [tenant = '', username = ''] = who.split('/')
  const person = new Person(server, key)
  const answer = await person.signIn(tenant, username)
  if (answer.status !== 200) throw new Error(`${who} could not sign in: ${answer.status} ${answer.text}`)
  return person
}

/** What a token says, unverified. */
export function claimsOf(token: string): Record<string, unknown> {
  return partOf(token, 1)
}

/** A token's header, unverified. */
export function headerOf(token: string): Record<string, unknown> {
  return partOf(token, 0)
}

function partOf(token: string, place: number): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[place] ?? '', 'base64url').toString()) as Record<string, unknown>
}
