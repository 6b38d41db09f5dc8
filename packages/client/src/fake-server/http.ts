import {
  API_BASE,
  type ChannelSummary,
  CSRF_HEADER,
  createChannel,
  ERRORS,
  type ErrorCode,
  historyQuery,
  loginRequest,
  type Problem,
  type RefusalWhy,
  type SignedInUser,
  stepUpRequest,
} from '@wardline/protocol'
import type { FetchAnswer, FetchInit } from '../environment.ts'
import type { FakeChannel } from './channels.ts'
import type { SignIns } from './sign-ins.ts'

export type FakeRequest = {
  readonly method: string
  /** Below `/api/v1`. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
  /** Whether the browser sent its cookie along. */
  readonly cookie: boolean
}
export type FakeAnswer = { status: number; body?: unknown; headers?: Record<string, string> }

/** Answers a call in the server's stead; undefined leaves it to the server. */
export type FakeHandler = (request: FakeRequest) => FakeAnswer | undefined

/** One browser: the refresh cookie that it holds, if any. */
export type CookieJar = { refresh: string | null }

export type HttpWorld = {
  users: readonly SignedInUser[]
  channels: ReadonlyMap<string, FakeChannel>
  signIns: SignIns
  closeSocketsOf(user: SignedInUser): void
  /** Why every session is locked, or null. */
  locked(): RefusalWhy | null
  lock(why: RefusalWhy | null): void
  addChannel(options: { kind: 'direct' | 'group'; title: string | null; members: string[] }): FakeChannel
}

/** A refusal as the server would send it, for a handler that answers in its stead. */
export function problemOf(code: ErrorCode, why?: RefusalWhy): FakeAnswer {
  const { status, retry, message } = ERRORS[code]
  const said = why === undefined ? {} : { why }
  const body: Problem = { type: `urn:wardline:error:${code}`, title: message, status, code, retry, ...said }
  return { status, body, headers: { 'content-type': 'application/problem+json' } }
}

export function requestOf(url: string, init: FetchInit, jar: CookieJar): FakeRequest {
  const { pathname, searchParams } = new URL(url)
  return {
    method: init.method,
    path: pathname.slice(API_BASE.length),
    query: searchParams,
    headers: init.headers,
    body: init.body === undefined ? undefined : JSON.parse(init.body),
    cookie: init.credentials !== 'omit' && jar.refresh !== null,
  }
}

export function answerOf({ status, body, headers = {} }: FakeAnswer): FetchAnswer {
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  return {
    status,
    headers: { get: (name) => lower.get(name.toLowerCase()) ?? null },
    text: async () => (body === undefined ? '' : JSON.stringify(body)),
  }
}

/** What a server answers: sign-in, and what the conversation of signed-in people needs. All else is not found. */
export function answerCall(world: HttpWorld, request: FakeRequest, jar: CookieJar): FakeAnswer {
  if (request.path === '/about') return { status: 200, body: { demo: true } }
  if (request.headers['dpop'] === undefined) return problemOf('unauthenticated')
  if (request.path.startsWith('/auth/')) return auth(world, request, jar)
  const token = request.headers['authorization']?.replace(/^DPoP /, '')
  const holder = token === undefined ? undefined : world.signIns.holderOf(token)
  if (holder === undefined) return problemOf('unauthenticated')
  const why = world.locked()
  return why === null ? resource(world, request, holder.user) : problemOf('locked', why)
}

function auth(world: HttpWorld, request: FakeRequest, jar: CookieJar): FakeAnswer {
  const csrfToken = request.headers[CSRF_HEADER]
  if (request.path === '/auth/login') {
    const login = loginRequest.safeParse(request.body)
    if (!login.success) return problemOf('invalid')
    const user = world.users.find(({ username }) => username === login.data.username)
    if (user === undefined || login.data.password === 'wrong') return problemOf('unauthenticated')
    const { refresh, ...granted } = world.signIns.grant(user)
    jar.refresh = refresh
    return { status: 200, body: { status: 'authenticated', ...granted, user } }
  }
  if (request.path === '/auth/passkey') {
    const [user] = world.users
    if (user === undefined) return problemOf('unauthenticated')
    const { refresh, ...granted } = world.signIns.grant(user)
    jar.refresh = refresh
    return { status: 200, body: { status: 'authenticated', ...granted, user } }
  }
  if (request.path === '/auth/refresh') {
    const spent = world.signIns.spend(request.cookie ? jar.refresh : null, csrfToken)
    if (spent === undefined) return problemOf('unauthenticated')
    const { refresh, ...granted } = world.signIns.grant(spent.user, spent.family)
    jar.refresh = refresh
    const locked = world.locked() === null ? {} : { locked: true }
    return { status: 200, body: { ...granted, user: spent.user, ...locked } }
  }
  if (request.path === '/auth/lock' || request.path === '/auth/unlock') return lockOrUnlock(world, request)
  if (request.path === '/auth/logout') {
    const user = world.signIns.end(request.headers['authorization']?.replace(/^DPoP /, ''), jar.refresh)
    if (user !== undefined) world.closeSocketsOf(user)
    jar.refresh = null
    return { status: 204 }
  }
  return problemOf('not-found')
}

function lockOrUnlock(world: HttpWorld, { path, headers, body }: FakeRequest): FakeAnswer {
  const holder = world.signIns.holderOf(headers['authorization']?.replace(/^DPoP /, '') ?? '')
  if (holder === undefined) return problemOf('unauthenticated')
  if (path === '/auth/lock') {
    world.lock('locked-own')
    return { status: 204 }
  }
  const given = stepUpRequest.safeParse(body).data
  if (given === undefined || !('password' in given) || given.password === 'wrong') {
    return problemOf('invalid', 'password-wrong')
  }
  world.lock(null)
  const { refresh: _, ...granted } = world.signIns.grant(holder.user, holder.family)
  return { status: 200, body: { ...granted, user: holder.user } }
}

function resource(world: HttpWorld, { method, path, query, body }: FakeRequest, user: SignedInUser): FakeAnswer {
  const [noun = '', id, part] = path.slice(1).split('/')
  if (noun === 'me' && id === undefined) return { status: 200, body: user }
  if (noun === 'directory') {
    const items = world.users.map(({ id: userId, displayName, title, roles }) => ({
      id: userId,
      displayName,
      title,
      roles,
    }))
    return { status: 200, body: { items, next: null } }
  }
  if (noun !== 'channels') return problemOf('not-found')
  if (id === undefined) return method === 'POST' ? newChannel(world, body, user) : listChannels(world, user)
  const channel = world.channels.get(id)
  if (channel === undefined || !channel.members.has(user.id)) return problemOf('not-found')
  return part === 'messages' ? history(channel, query) : { status: 200, body: channel.summaryFor(user.id) }
}

function listChannels(world: HttpWorld, user: SignedInUser): FakeAnswer {
  const items: ChannelSummary[] = []
  for (const channel of world.channels.values()) {
    if (channel.members.has(user.id)) items.push(channel.summaryFor(user.id))
  }
  return { status: 200, body: { items, next: null } }
}

function newChannel(world: HttpWorld, body: unknown, user: SignedInUser): FakeAnswer {
  const parsed = createChannel.safeParse(body)
  if (!parsed.success) return problemOf('invalid')
  const { data } = parsed
  const channel = world.addChannel({
    kind: data.kind,
    title: data.kind === 'group' ? data.title : null,
    members: [user.id, ...(data.kind === 'group' ? data.members : [data.member])],
  })
  return { status: 201, body: channel.summaryFor(user.id) }
}

function history(channel: FakeChannel, query: URLSearchParams): FakeAnswer {
  const parsed = historyQuery.safeParse(Object.fromEntries(query))
  if (!parsed.success) return problemOf('invalid')
  const { before = channel.head + 1, limit } = parsed.data
  const first = Math.max(1, before - limit)
  const items = channel.events.filter(({ seq }) => seq >= first && seq < before)
  return { status: 200, body: { items, next: first > 1 ? String(first) : null } }
}
