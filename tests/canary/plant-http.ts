import { randomBytes, randomUUID } from 'node:crypto'
import { API_BASE, CSRF_HEADER, REFRESH_COOKIE, SOCKET_PATH } from '@wardline/protocol'
import { call, type HttpAnswer, type HttpCall } from '../_util/https.ts'
import { Person } from '../_util/person.ts'
import { rawTls } from '../_util/raw-tls.ts'
import type { Canaries } from './canaries.ts'
import type { Haystack } from './haystack.ts'

export type Cast = { readonly nurse: Person; readonly admin: Person; readonly auditor: Person }

/** What nobody but the answer's asker may read is not searched: only headers, and bodies of refusals. */
function answered(place: string, { status, headers, text }: HttpAnswer): Haystack {
  const body = status >= 200 && status < 300 ? '' : text
  return { place: `answer ${status} to ${place}`, bytes: Buffer.from(`${JSON.stringify(headers)}\n${body}`) }
}

/** Types a canary into everything that HTTP takes: where it belongs, where it does not, and where nothing belongs. */
export async function plantOverHttp({ nurse, admin, auditor }: Cast, canaries: Canaries): Promise<Haystack[]> {
  const { server } = nurse
  const found: Haystack[] = []
  const plant = async (place: string, ask: (canary: string) => Promise<HttpAnswer>) => {
    found.push(answered(place, await ask(canaries.plant(place))))
  }
  const raw = async (place: string, bytes: (canary: string) => string, servername = 'localhost') => {
    const said = await rawTls(server, bytes(canaries.plant(place)), { servername })
    found.push({ place: `answer to ${place}`, bytes: Buffer.from(said, 'latin1') })
  }
  const bare = (what: HttpCall) => call(server, { ...what, headers: { origin: server.url, ...what.headers } })
  const json = { 'content-type': 'application/json' }
  const login = (body: unknown) => new Person(server).bare('POST', '/auth/login', { body, headers: json })
  const right = { tenant: 'riverside', username: 'nurse.lind', password: 'wrong' }

  // Signing in.
  await plant('a tenant that is none', (tenant) => login({ ...right, tenant }))
  await plant('a user name that is none', (username) => login({ ...right, username }))
  await plant('a password as user name', (text) => login({ ...right, username: `Pass word ${text}!` }))
  await plant('a wrong password', (password) => login({ ...right, password }))
  await plant('a password without end', (text) => login({ ...right, password: text.repeat(60) }))
  await plant('a password of an account that is none', (password) => login({ ...right, username: 'no.one', password }))
  await plant('an unknown field', (text) => login({ ...right, [text]: 1 }))
  await plant('the value of an unknown field', (text) => login({ ...right, extra: text }))
  await plant('a value of a wrong type', (text) => login({ ...right, password: { [text]: [text] } }))
  await plant('JSON that is cut off', (text) => login(`{"tenant":"${text}`))
  await plant('JSON with a poisoned key', (text) => login(`{"__proto__":{"${text}":"${text}"}}`))
  await plant('a proof’s claims', async (text) => {
    const claims = { jti: text.padEnd(24, '0'), htu: `https://${text}.example/${text}`, [text]: text }
    return new Person(server).bare('POST', '/auth/login', { body: right, twisted: { claims } })
  })
  await plant('a proof’s header', (text) =>
    new Person(server).bare('POST', '/auth/login', { body: right, twisted: { header: { kid: text, jku: text } } }),
  )
  await plant('a good proof’s jti', (text) =>
    new Person(server).bare('POST', '/auth/login', { body: right, twisted: { claims: { jti: text.padEnd(24, '0') } } }),
  )
  await plant('a refresh cookie', (text) => new Person(server).refresh({ cookie: text }))
  await plant('a refresh cookie that looks like one', (text) =>
    new Person(server).refresh({ cookie: `${nurse.user.tenant.id}.${text.padEnd(43, '0')}` }),
  )
  await plant('a CSRF token', (text) => nurse.refresh({ headers: { [CSRF_HEADER]: text } }))

  // Headers and cookies of all kinds.
  for (const name of [
    ...['user-agent', 'referer', 'x-request-id', 'traceparent', 'x-forwarded-for', 'forwarded', 'accept'],
    ...['accept-language', 'authorization', 'dpop', 'content-type', 'if-none-match', 'x-http-method-override', 'te'],
    ...['sec-websocket-protocol', 'from', 'x-real-ip', 'baggage', 'via', 'x-correlation-id'],
  ]) {
    await plant(`the header ${name}`, (text) => bare({ path: `${API_BASE}/me`, headers: { [name]: text } }))
  }
  await plant('the header Origin, which is none', (text) =>
    bare({ path: '/', headers: { origin: `https://a.example/${text}` } }),
  )
  await plant('the name of a header', (text) => bare({ path: '/', headers: { [text]: '1' } }))
  await plant('a cookie', (text) =>
    bare({ path: '/', headers: { cookie: `${text}=${text}; ${REFRESH_COOKIE}=${text}` } }),
  )
  await plant('a token', (text) =>
    bare({
      path: `${API_BASE}/me`,
      headers: { authorization: `DPoP ${text}.${text}.${text}`, dpop: `${text}.${text}.${text}` },
    }),
  )
  await plant('a token’s claims', (text) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const token = `${part({ alg: 'ES256', typ: 'at+jwt', kid: text, jku: text })}.${part({ sub: text, iss: text })}.${text}`
    return bare({
      path: `${API_BASE}/me`,
      headers: {
        authorization: `DPoP ${token}`,
        dpop: nurse.key.proof({ method: 'GET', url: `${server.url}${API_BASE}/me`, at: Date.now(), token }),
      },
    })
  })

  // URLs.
  await plant('a path', (text) => bare({ path: `/${text}`, headers: { accept: 'text/html' } }))
  await plant('a path of the API', (text) => nurse.call('GET', `/${text}`))
  await plant('a file that is none', (text) => bare({ path: `/assets/${text}.js` }))
  await plant('a path that cannot be read', (text) => bare({ path: `/%E0%A4%${text}` }))
  await plant('a query at the door', (text) => bare({ path: `/?token=${text}` }))
  await plant('a token in the socket’s URL', (text) =>
    bare({ path: `${SOCKET_PATH}?token=${text}`, headers: upgrade() }),
  )
  await plant('a subprotocol', (text) =>
    bare({ path: SOCKET_PATH, headers: { ...upgrade(), 'sec-websocket-protocol': text } }),
  )
  for (const path of [
    '/patients',
    '/channels',
    '/me/sessions',
    '/admin/users',
    '/admin/sessions',
    '/admin/care-team',
  ]) {
    await plant(`an id: ${path}/…`, (text) => admin.call(path.startsWith('/me') ? 'DELETE' : 'GET', `${path}/${text}`))
  }
  for (const [path, name] of [
    ['/patients', 'cursor'],
    ['/patients', 'limit'],
    ['/patients', 'q'],
    ['/channels', 'cursor'],
    ['/directory', 'cursor'],
    ['/directory', 'q'],
  ] as const) {
    await plant(`?${name}= of ${path}`, (text) => nurse.call('GET', `${path}?${name}=${text}`))
  }
  for (const name of ['actor', 'patient', 'action', 'outcome', 'connection', 'from', 'until', 'cursor']) {
    await plant(`?${name}= of the audit`, (text) => auditor.call('GET', `/admin/audit/events?${name}=${text}`))
  }
  await plant('an action that there might be', () =>
    auditor.call('GET', `/admin/audit/events?action=${canaries.core}.read`),
  )
  await plant('?before= of a channel', (text) => nurse.call('GET', `/channels/${randomUUID()}/messages?before=${text}`))

  // What people type into the screens.
  await plant('a search for a patient', (q) => nurse.call('POST', '/patients/search', { body: { q } }))
  await plant('a look-up of a patient by record number', (text) =>
    admin.call('POST', '/admin/care-team/patients', { body: { mrn: text.slice(0, 64) } }),
  )
  await plant('a search for a person', (q) => nurse.call('POST', '/directory/search', { body: { q } }))
  await plant('a search that is too long', (q) => nurse.call('POST', '/patients/search', { body: { q: q.repeat(20) } }))
  await plant('a group’s title', (title) =>
    nurse.call('POST', '/channels', { body: { kind: 'group', title: `About ${title}`, members: [admin.user.id] } }),
  )
  await plant('a title with control characters', (title) =>
    nurse.call('POST', '/channels', { body: { kind: 'group', title: `\u202e${title}`, members: [admin.user.id] } }),
  )
  await plant('a title for people who are none', (title) =>
    nurse.call('POST', '/channels', { body: { kind: 'group', title, members: [randomUUID()] } }),
  )
  await plant('a kind of channel', (kind) =>
    nurse.call('POST', '/channels', { body: { kind, title: kind, members: [kind] } }),
  )
  const colleague = (body: object) =>
    admin.call('POST', '/admin/users', { body: { displayName: 'A colleague', roles: ['nurse'], ...body } })
  await plant('a new password', (text) =>
    colleague({ username: `c${randomBytes(4).toString('hex')}`, password: `my ${text}` }),
  )
  await plant('a user name with spaces', (text) => colleague({ username: `A ${text}` }))
  await plant('a role that is none', (role) => colleague({ username: 'd.e', roles: [role] }))
  await plant('a name of two lines', (text) => colleague({ username: 'f.g', displayName: `A\n${text}` }))
  await plant('a reason', (reason) =>
    nurse.call('POST', `/patients/${randomUUID()}/emergency-access`, { body: { reason } }),
  )
  await plant('a role on a team', (role) =>
    admin.call('POST', '/admin/care-team', {
      body: { patient: randomUUID(), user: nurse.user.id, role: 'nurse', [role]: role },
    }),
  )
  await plant('a time', (text) =>
    admin.call('POST', '/admin/care-team', {
      body: { patient: randomUUID(), user: nurse.user.id, role: 'nurse', startsAt: text },
    }),
  )
  await plant('a form', (text) =>
    nurse.call('POST', '/patients/search', {
      body: `q=${text}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    }),
  )
  await plant('a body of no type', (text) =>
    nurse.call('POST', '/patients/search', { body: text, headers: { 'content-type': undefined } }),
  )
  await plant('a body that is too large', (text) =>
    nurse.call('POST', '/patients/search', { body: { q: text.padEnd(100_000, 'a') } }),
  )

  // What is no HTTP.
  const host = 'Host: localhost\r\nConnection: close\r\n'
  await raw('a method', (text) => `${text.toUpperCase()} / HTTP/1.1\r\n${host}\r\n`)
  await raw('a line that is none', (text) => `${text}\r\n\r\n`)
  await raw('a version', (text) => `GET / HTTP/${text}\r\n${host}\r\n`)
  await raw('an absolute target', (text) => `GET http://${text}/${text} HTTP/1.1\r\n${host}\r\n`)
  await raw('a host', (text) => `GET /api/v1/about HTTP/1.1\r\nHost: ${text}\r\nConnection: close\r\n\r\n`)
  await raw('a header without end', (text) => `GET / HTTP/1.1\r\n${host}X: ${text.repeat(1_200)}\r\n\r\n`)
  await raw('an expectation', (text) => `GET / HTTP/1.1\r\n${host}Expect: ${text}\r\n\r\n`)
  await raw('an encoding', (text) => `POST /api/v1/auth/login HTTP/1.1\r\n${host}Transfer-Encoding: ${text}\r\n\r\n`)
  await raw(
    'an extension of a chunk',
    (text) =>
      `POST /api/v1/auth/login HTTP/1.1\r\n${host}Origin: ${server.url}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1;${text}=${text}\r\n{\r\n0\r\n${text}: 1\r\n\r\n`,
  )
  await raw(
    'a key of a socket',
    (text) =>
      `GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\nOrigin: ${server.url}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: wardline.v1\r\nSec-WebSocket-Key: ${text}\r\n\r\n`,
  )
  await raw('a name of a server', () => `GET / HTTP/1.1\r\n${host}\r\n`, `${canaries.core}.example`)
  return found
}

function upgrade(): Record<string, string> {
  return {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-protocol': 'wardline.v1',
  }
}
