import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createWardline, nodeTransport } from '@wardline/client/node'
import { afterAll, describe, expect, test } from 'vitest'
import { startEmbeddedPostgres } from '../apps/server/src/storage/embedded-postgres.ts'
import { findPostmaster } from '../apps/server/src/storage/postgres-process.ts'
import { readState } from '../apps/server/src/storage/postgres-state.ts'
import { call } from './_util/https.ts'
import { LineWatch } from './_util/line-watch.ts'
import { type Address, demoAccount, type ServerProcess, spawnServer } from './_util/server-process.ts'
import { until } from './_util/until.ts'

const POSTS = 60

const dataDir = mkdtempSync(join(tmpdir(), 'wardline-two-processes-'))
const running: ServerProcess[] = []

afterAll(async () => {
  await Promise.all(running.map((each) => each.end('SIGKILL')))
  await (await startEmbeddedPostgres({ dataDir })).stop()
  rmSync(dataDir, { recursive: true })
})

function start(): ServerProcess {
  const server = spawnServer(dataDir, { WARDLINE_DEMO: '1' })
  running.push(server)
  return server
}

/** The process that serves the database, where one does. */
const postmaster = () => findPostmaster(readState(dataDir)?.clusterDir ?? '')

/** Somebody's client, at the server that `at` names when it is asked. */
async function signedIn(who: string, at: () => Address) {
  const ca = String(at().ca)
  const line = new LineWatch(nodeTransport({ ca }))
  const wardline = createWardline({ url: () => at().url, ca, transport: line.transport, random: () => 0.1 })
  const { tenant, username, password } = demoAccount(dataDir, who)
  await wardline.signIn({ tenant, username, password })
  return { wardline, line }
}

describe('R-42 R-82 two servers on one data folder', () => {
  test('that begin together on a fresh folder serve each other, and the one that stops loses nothing', async () => {
    const [first, second] = [start(), start()]
    const [there, other] = await Promise.all([first.up, second.up])
    let at = there
    const nurse = await signedIn('riverside/nurse.lind', () => at)
    const physician = await signedIn('riverside/physician.okafor', () => other)
    const { items } = await physician.wardline.api.patients()
    const channel = items[0]?.channel ?? ''
    const read: string[] = []
    const stream = physician.wardline.channel(channel)
    stream.on('event', ({ event }) => event.type === 'message.posted' && read.push(String(event.body)))
    stream.open()
    await until(stream.subscribe, () => stream.state.is === 'live')
    const post = (body: string) => nurse.wardline.outbox.accepted(nurse.wardline.post(channel, body).clientId)
    const readBy = (count: number) =>
      until(
        (run) => stream.on('event', run),
        () => read.length >= count,
      )

    await post('from the one to the other')
    await readBy(1)

    // In the middle of this the first is told to stop.
    const posts = Array.from({ length: POSTS }, (_, n) => post(`message ${n}`))
    await posts[2]
    at = other
    const stopped = await first.end()
    expect(stopped).toMatchObject({ code: 0, err: '' })
    const accepted = await Promise.all(posts)
    await readBy(POSTS + 1)
    expect(read.slice(1)).toEqual(Array.from({ length: POSTS }, (_, n) => `message ${n}`))
    expect(new Set(accepted.map(({ seq }) => seq)).size).toBe(POSTS)
    expect(nurse.line.closes[0]).toBe(1012)
    for (const { line } of [nurse, physician]) expect(line.faults).toEqual([])
    expect(physician.line.opened).toBe(1)

    // The other has the database, and whoever stops last stops it.
    expect(postmaster()).toBeDefined()
    expect((await call(other, { path: '/readyz' })).status).toBe(200)
    for (const { wardline } of [nurse, physician]) wardline.close()
    expect(await second.end()).toMatchObject({ code: 0, err: '' })
    expect(postmaster()).toBeUndefined()
    expect(readState(dataDir)?.holders).toEqual([])
  }, 300_000)

  test('R-80 a second start is quick, and the sign-ins are the same', async () => {
    const before = readFileSync(join(dataDir, 'demo-accounts.json'), 'utf8')
    const server = start()
    const address = await server.up
    // Of the processor, because that is the same on a busy machine: in hundredths of a second.
    const stat = process.platform === 'linux' ? readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(' ') : []
    expect(Number(stat[13] ?? 0) + Number(stat[14] ?? 0)).toBeLessThan(500)
    expect(readFileSync(join(dataDir, 'demo-accounts.json'), 'utf8')).toBe(before)
    const nurse = await signedIn('riverside/nurse.lind', () => address)
    expect((await nurse.wardline.api.patients()).items).not.toHaveLength(0)
    nurse.wardline.close()
    expect((await server.end()).code).toBe(0)
  })
})
