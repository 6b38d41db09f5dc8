/**
 * Runs the examples of deploy/ as they are, with two nodes behind them, and tries what they promise: `node tests/proxies/try.ts
 * nginx caddy`. By hand, for it needs both from Debian (`apt-get install nginx caddy`). Prints a line for each check; exits with
 * 1 at the first that fails.
 */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { Agent, get as secureGet } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createWardline, nodeTransport } from '@wardline/client/node'
import { auditEventView, page } from '@wardline/protocol'
import { WebSocket } from 'ws'
import { systemClock } from '../../apps/server/src/clock.ts'
import { startEmbeddedPostgres } from '../../apps/server/src/storage/embedded-postgres.ts'
import { createAuthority, issueCertificate } from '../../apps/server/src/tls/local-authority.ts'
import { freePort, lastingPort } from '../_util/free-port.ts'
import { call } from '../_util/https.ts'
import { LineWatch } from '../_util/line-watch.ts'
import { Person } from '../_util/person.ts'
import type { Reachable } from '../_util/server.ts'
import { type Account, demoAccount, type ServerProcess, spawnServer } from '../_util/server-process.ts'
import { openSocket } from '../_util/socket.ts'
import { until } from '../_util/until.ts'
import { type Proxy, startProxy } from './start-proxy.ts'

const POSTS = 60
/** Not the proxy's own address, which is 127.0.0.1: this is the one that has to be found in the audit. */
const CLIENT = '127.0.0.2'
const SPOOFED = '198.51.100.1'

type Site = { readonly proxy: Proxy; readonly nodes: ServerProcess[]; readonly dataDir: string; readonly at: Reachable }

const checks: Readonly<Record<string, (site: Site) => Promise<void>>> = {
  'R-01 plain HTTP gets the way to https and nothing else': async ({ proxy }) => {
    const request = get(`http://127.0.0.1:${proxy.plainPort}/c/1`, { headers: { host: 'localhost' } })
    const [answer] = (await once(request, 'response')) as [{ statusCode: number; headers: Record<string, string> }]
    request.destroy()
    assert.equal(answer.statusCode, 308)
    assert.match(answer.headers['location'] ?? '', /^https:\/\/localhost/)
  },

  'R-08 the audit has the client’s address over HTTP and socket, whatever the client says it is': async (site) => {
    const lies = { 'x-forwarded-for': SPOOFED, forwarded: `for=${SPOOFED};proto=http`, 'x-real-ip': SPOOFED }
    const nurse = await signedIn(site, 'riverside/nurse.lind', { ...lies, 'client-cert': ':AAAA:' })
    const socket = await openSocket(nurse)
    const { connectionId } = await socket.frame('session.challenge')
    socket.cut()
    const auditor = await signedIn(site, 'riverside/auditor.chen')
    const query = new URLSearchParams({ actor: nurse.user.id, limit: '200' })
    const { items } = page(auditEventView).parse((await auditor.call('GET', `/admin/audit/events?${query}`)).body)
    const addresses = new Set(items.map(({ address }) => address))
    assert.deepEqual([...addresses], [CLIENT])
    assert.ok(items.some(({ connection }) => connection === connectionId))
  },

  'R-01 X-Forwarded-Proto of a client is not passed on': async ({ at }) => {
    const answer = await call(at, { path: '/api/v1/about', headers: { 'x-forwarded-proto': 'http' } })
    assert.equal(answer.status, 200)
  },

  'R-02 a foreign Origin and a missing subprotocol are refused through it as well': async ({ at }) => {
    const upgrade = (origin: string, protocols: string[]) =>
      new Promise<number | undefined>((resolve) => {
        const socket = new WebSocket(`${at.url.replace('https', 'wss')}/ws`, protocols, { ca: at.ca, origin })
        socket.on('error', () => undefined)
        socket.on('unexpected-response', (_request, { statusCode }) => resolve(statusCode))
        socket.on('open', () => resolve(101))
      })
    assert.equal(await upgrade('https://evil.test', ['wardline.v1']), 403)
    assert.equal(await upgrade(at.url, ['graphql-ws']), 400)
  },

  'R-53 the headers of the server arrive, once each': async ({ at }) => {
    const { headers } = await call(at, { path: '/api/v1/me' })
    assert.match(String(headers['content-security-policy']), /^default-src 'none'.*trusted-types 'none'$/)
    assert.match(String(headers['strict-transport-security']), /^max-age=\d+/)
    assert.equal(headers['cache-control'], 'no-store')
  },

  'R-08 R-42 a client whose node is stopped resumes on the other, and nothing is lost or doubled': async (site) => {
    const nurse = await client(site, 'riverside/nurse.lind')
    const physician = await client(site, 'riverside/physician.okafor')
    const { items } = await physician.wardline.api.patients()
    const channel = items[0]?.channel ?? ''
    const read: string[] = []
    const stream = physician.wardline.channel(channel)
    stream.on('event', ({ event }) => event.type === 'message.posted' && read.push(String(event.body)))
    stream.open()
    await until(stream.subscribe, () => stream.state.is === 'live')
    const post = (body: string) => nurse.wardline.outbox.accepted(nurse.wardline.post(channel, body).clientId)
    const run = `${site.proxy.name} ${Date.now()}`
    const posts = Array.from({ length: POSTS }, (_, n) => post(`${run} ${n}`))
    await posts[2]
    // One node after the other, so that whichever serves a client, that client has to move.
    for (const place of [0, 1]) {
      const { code } = (await site.nodes[place]?.end()) ?? {}
      assert.equal(code, 0)
      site.nodes[place] = node(site.dataDir, site.proxy, place)
      await site.nodes[place]?.up
      await post(`${run} after ${place}`)
    }
    await Promise.all(posts)
    const mine = () => read.filter((body) => body.startsWith(run))
    await until(
      (again) => stream.on('event', again),
      () => mine().length >= POSTS + 2,
    )
    assert.equal(new Set(mine()).size, POSTS + 2)
    assert.equal(mine().length, POSTS + 2)
    for (const { line, wardline } of [nurse, physician]) {
      assert.deepEqual(line.faults, [])
      assert.ok(line.closes.includes(1012) && line.opened >= 2)
      wardline.close()
    }
  },
}

type Placed = Pick<Proxy, 'url' | 'nodePorts'>

function node(dataDir: string, proxy: Placed, place: number, env: Record<string, string> = {}): ServerProcess {
  return spawnServer(dataDir, {
    WARDLINE_DEMO: '1',
    WARDLINE_PORT: String(proxy.nodePorts[place]),
    WARDLINE_PUBLIC_URL: proxy.url,
    WARDLINE_TRUSTED_PROXIES: '127.0.0.1',
    ...env,
  })
}

async function signedIn({ at, dataDir }: Site, who: string, headers: Record<string, string> = {}): Promise<Person> {
  const { tenant, username, password, totpSecret }: Account = demoAccount(dataDir, who)
  const person = new Person(at)
  const answer = await person.signIn(tenant, username, { password, totpSecret, headers })
  assert.equal(answer.status, 200, answer.text)
  return person
}

/** Somebody at the SDK, every line of theirs watched. */
async function client({ at, dataDir }: Site, who: string) {
  const ca = String(at.ca)
  const line = new LineWatch(nodeTransport({ ca }))
  const wardline = createWardline({ url: at.url, ca, transport: line.transport, random: () => 0.1 })
  const { tenant, username, password } = demoAccount(dataDir, who)
  await wardline.signIn({ tenant, username, password })
  return { wardline, line }
}

async function tryBehind(name: 'nginx' | 'caddy'): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), `wardline-${name}-`))
  const dataDir = join(folder, 'data')
  mkdirSync(dataDir)
  const ports = { plain: await freePort(), tls: await freePort(), nodes: [await lastingPort(), await lastingPort()] }
  const url = `https://localhost:${ports.tls}`
  const nodes = [0, 1].map((place) => node(dataDir, { url, nodePorts: ports.nodes }, place))
  let proxy: Proxy | undefined
  try {
    for (const each of nodes) await each.up
    proxy = await startProxy(name, { folder, dataDir, url, ports })
    const ca = readFileSync(join(dataDir, 'tls', 'authority.crt'))
    const site = { proxy, nodes, dataDir, at: { url, ca, clock: systemClock, from: CLIENT } }
    for (const [what, check] of Object.entries(checks)) {
      const began = performance.now()
      await check(site)
      process.stdout.write(`${proxy.version}: ${what} (${Math.round(performance.now() - began)} ms)\n`)
    }
  } finally {
    await proxy?.stop()
    await Promise.all(nodes.map((each) => each.end('SIGKILL')))
    await (await startEmbeddedPostgres({ dataDir })).stop()
    rmSync(folder, { recursive: true })
  }
}

/** The same example for managed devices alone: certificates go through it in the form of RFC 9440. */
async function tryDevices(name: 'nginx' | 'caddy'): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), `wardline-${name}-`))
  const dataDir = join(folder, 'data')
  mkdirSync(dataDir)
  const ports = { plain: await freePort(), tls: await freePort(), nodes: [await freePort(), await freePort()] }
  const url = `https://localhost:${ports.tls}`
  const authority = await createAuthority(Date.now())
  const device = await issueCertificate(authority, ['device-17'], Date.now(), 'clientAuth')
  const server = node(dataDir, { url, nodePorts: ports.nodes }, 0, { WARDLINE_CLIENT_CERTIFICATES: 'required' })
  let proxy: Proxy | undefined
  try {
    await server.up
    proxy = await startProxy(name, { folder, dataDir, url, ports, devices: authority.certificate })
    const ca = readFileSync(join(dataDir, 'tls', 'authority.crt'))
    const header = `:${new X509Certificate(device.certificate).raw.toString('base64')}:`
    const about = async (shown: object, headers: Record<string, string> = {}) => {
      const agent = new Agent({ ca, ...shown, maxCachedSessions: 0 })
      const [answer] = (await once(secureGet(`${url}/api/v1/about`, { agent, headers }), 'response')) as [
        IncomingMessage,
      ]
      answer.resume()
      return answer.statusCode
    }
    assert.equal(await about({ cert: device.certificate, key: device.key }), 200)
    assert.equal(await about({ cert: device.certificate, key: device.key }, { 'client-cert': ':AAAA:' }), 200)
    assert.equal(await about({}), 403)
    assert.equal(await about({}, { 'client-cert': header }), 403)
    process.stdout.write(
      `${proxy.version}: R-08 RFC 9440 a device’s certificate opens through it; a header that a client made up does not\n`,
    )
  } finally {
    await proxy?.stop()
    await server.end('SIGKILL')
    await (await startEmbeddedPostgres({ dataDir })).stop()
    rmSync(folder, { recursive: true })
  }
}

const names = process.argv.slice(2)
for (const name of names.length === 0 ? ['nginx', 'caddy'] : names) {
  assert.ok(name === 'nginx' || name === 'caddy', 'give nginx, caddy or both')
  await tryBehind(name)
  await tryDevices(name)
}
