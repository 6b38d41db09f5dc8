import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addGroup } from '../_util/channels.ts'
import { call } from '../_util/https.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket } from '../_util/socket.ts'

let server: TestServer
let nurse: Person

beforeAll(async () => {
  server = await startTestServer({ config: { metrics: { host: '127.0.0.1', port: 0 } } })
  nurse = await signedIn(server, 'riverside/nurse.lind')
})
afterAll(() => server.stop())

const scrape = (path = '/metrics', method = 'GET') =>
  call({ url: `https://localhost:${server.running.metricsPort}`, ca: server.ca }, { method, path })

/** The value of a series, by its whole name with labels in order; undefined where there is none. */
async function value(series: string): Promise<number | undefined> {
  const line = (await scrape()).text.split('\n').find((each) => each.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

describe('R-75 the metrics', () => {
  test('are on a port of their own, over TLS, and nothing else is there', async () => {
    const { status, headers, text } = await scrape()
    expect(status).toBe(200)
    expect(headers['content-type']).toContain('version=0.0.4')
    expect(text).toContain('process_cpu_seconds_total')
    for (const [path, method] of [
      ['/', 'GET'],
      ['/healthz', 'GET'],
      ['/metrics', 'POST'],
      ['/metrics?x', 'GET'],
    ]) {
      expect((await scrape(path, method)).status, `${method} ${path}`).toBe(404)
    }
    expect((await call(server, { path: '/metrics' })).status).toBe(404)
  })

  test('count sockets, what is asked on them, what is refused and how they close', async () => {
    const channel = await addGroup(server, 'riverside/nurse.lind')
    const socket = await openSocket(nurse)
    expect(await value('wardline_sockets{state="signed-in"}')).toBe(1)
    const post = { type: 'message.post', channel: channel.id, clientId: randomUUID(), body: 'text' } as const
    await socket.ask(post)
    await socket.ask(post)
    await socket.ask({ ...post, body: 'another text' })
    expect(await value('wardline_socket_requests_total{type="message.post"}')).toBe(3)
    expect(await value('wardline_socket_refusals_total{code="conflict"}')).toBe(1)
    expect(await value('wardline_commits_accepted_total')).toBe(1)
    expect(await value('wardline_commit_seconds_count')).toBe(3)
    socket.raw('not JSON')
    await socket.closing()
    expect(await value('wardline_socket_closes_total{code="4400"}')).toBe(1)
    expect(await value('wardline_sockets{state="signed-in"}')).toBe(0)
    expect(await value('wardline_check{check="database"}')).toBe(1)
  })

  test('name routes by their pattern: no id, no tenant, nobody and nothing that was typed is in them', async () => {
    const strange = randomUUID()
    await nurse.call('GET', `/patients/${strange}`)
    await nurse.call('GET', `/nowhere/${strange}`)
    await nurse.call('POST', '/patients/search', { body: { q: 'Quillfeather' } })
    expect(
      await value('wardline_http_request_seconds_count{method="GET",route="/api/v1/patients/:id",status="404"}'),
    ).toBe(1)
    expect(await value('wardline_http_request_seconds_count{method="GET",route="none",status="404"}')).toBeGreaterThan(
      0,
    )
    const { text } = await scrape()
    for (const canary of [strange, 'Quillfeather', nurse.user.id, 'nurse.lind', 'riverside', '127.0.0.1']) {
      expect(text, canary).not.toContain(canary)
    }
    expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/)
  })
})
