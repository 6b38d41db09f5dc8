import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeAuditEvent } from '../../apps/server/src/audit/event.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../apps/server/src/storage/embedded-postgres.ts'
import { findPostmaster } from '../../apps/server/src/storage/postgres-process.ts'
import { readState } from '../../apps/server/src/storage/postgres-state.ts'
import { brokenChannels, brokenWriters } from '../_util/channel-items.ts'
import { asOwner } from '../_util/database.ts'
import { lastingPort } from '../_util/free-port.ts'
import { seeded } from '../_util/seeded.ts'
import { type ServerProcess, spawnServer } from '../_util/server-process.ts'
import { Crowd, liveIn, signedIn } from './crowd.ts'

const CLIENTS = 20
/** 2,000 messages in all. */
const MESSAGES_EACH = 100
/** Between question and answer, just after an answer, and while clients are coming back. */
const KILLS = ['sent', 'accepted', 'live', 'sent'] as const
/** The moments of the kills follow from it: a run that failed says which it was. */
const SEED = randomInt(2 ** 31)

/** Each start of a server is seconds of work on a busy machine, and there are four of them in a row. */
const TIMEOUT_MS = 180_000

const random = seeded(SEED)
// By its name, the next run of the tests clears it away when this one is killed itself.
const dataDir = mkdtempSync(join(tmpdir(), 'wardline-test-kill-'))
let postgres: EmbeddedPostgres
let port: number
let server: ServerProcess
let crowd: Crowd

beforeAll(async () => {
  // Held by this process, so that it outlives every server; on disk as in production.
  postgres = await startEmbeddedPostgres({ dataDir })
  port = await lastingPort()
  server = start()
  crowd = await Crowd.gather(await server.up, dataDir, CLIENTS / 2, random)
})
afterAll(async () => {
  crowd?.close()
  await server?.end('SIGKILL')
  await postgres?.stop()
  rmSync(dataDir, { recursive: true })
})

function start(): ServerProcess {
  return spawnServer(dataDir, { WARDLINE_DEMO: '1', WARDLINE_PORT: String(port) })
}

const query = <R extends object>(text: string): Promise<R[]> =>
  asOwner(postgres.url, async (client) => (await client.query(text)).rows as R[])

async function heads(): Promise<Map<string, number>> {
  const rows = await query<{ id: string; head: string }>('SELECT id, head FROM channels')
  return new Map(rows.map(({ id, head }) => [id, Number(head)]))
}

/** Everything that may be said of what clients, subscribers and database hold, once all has come to rest. */
async function expectNothingLost(): Promise<void> {
  const seed = `seed ${SEED}`
  await Promise.all(crowd.written.map(({ accepted }) => accepted))
  const posted = await query<{ id: string; channel_id: string; seq: string; client_id: string }>(
    `SELECT id, channel_id, seq, client_id FROM channel_events WHERE type = 'message.posted'`,
  )
  const bySeq = new Map(posted.map((row) => [`${row.channel_id} ${row.seq}`, row]))

  // What was acknowledged is there, under the number it was told to have.
  for (const { line, name } of crowd.writers) {
    expect(line.faults, `${seed}: ${name}`).toEqual([])
    for (const { message, channel, seq, clientId } of line.acknowledged) {
      expect(bySeq.get(`${channel} ${seq}`), seed).toMatchObject({ id: message, client_id: clientId })
    }
  }
  const due = await heads()
  await crowd.readUpTo(due)
  // Everybody in a channel has the same stream: gapless, from the first to the head, each message once, in its writer's order.
  for (const channel of crowd.channels) {
    const all = crowd.writers.flatMap(({ streams }) => [streams.get(channel) ?? []]).filter(({ length }) => length > 0)
    expect(all.length).toBeGreaterThan(1)
    const places = Array.from({ length: due.get(channel) ?? 0 }, (_, n) => n + 1)
    for (const stream of all) {
      const seqs = stream.map(({ seq }) => seq)
      expect(seqs, seed).toEqual(places)
      expect(JSON.stringify(stream) === JSON.stringify(all[0]), `${seed}: all read the same`).toBe(true)
    }
    const bodies = (all[0] ?? []).flatMap(({ event }) => (event.type === 'message.posted' ? [String(event.body)] : []))
    for (const writer of crowd.writers) {
      const wrote = crowd.written.filter((each) => each.by === writer && each.channel === channel)
      const read = bodies.filter((body) => body.startsWith(`${writer.name} `))
      expect(read, seed).toEqual(wrote.map(({ body }) => body))
    }
  }
  // No message without its event, no event without its message; each writer and each channel counts 1, 2, 3, …
  const rows = await query<{ event: Buffer }>('SELECT event FROM audit_outbox')
  const allowed = rows
    .map(({ event }) => decodeAuditEvent(event))
    .filter(({ action, outcome }) => action === 'message.post' && outcome === 'allowed')
    .map(({ message, channel }) => `${channel} ${message}`)
  expect(allowed.sort(), seed).toEqual(posted.map((row) => `${row.channel_id} ${row.id}`).sort())
  expect(posted.length).toBeGreaterThanOrEqual(crowd.written.length)
  expect(await brokenChannels({ query })).toEqual([])
  expect(await brokenWriters({ query })).toEqual([])
}

describe('kill -9 in the middle of 2,000 posts from 20 clients', () => {
  test(
    'R-41 R-71 [P2] [P3] [P4] of the server: what was acknowledged is there, once, in order, with its event',
    async () => {
      crowd.write(MESSAGES_EACH)
      for (const [kill, what] of KILLS.entries()) {
        const left = crowd.written.length - crowd.count.accepted
        expect(left, 'in the middle').toBeGreaterThan(CLIENTS)
        const ahead = what === 'live' ? CLIENTS / 4 : left / (KILLS.length - kill + 1)
        await crowd.reached(what, crowd.count[what] + 1 + Math.floor(random() * ahead))
        expect((await server.end('SIGKILL')).signal).toBe('SIGKILL')
        server = start()
      }
      await server.up
      await expectNothingLost()
    },
    TIMEOUT_MS,
  )

  test('R-42 somebody who comes later reads the same', async () => {
    const { account, channels, streams } = crowd.writers[0] ?? expect.fail()
    const [channel = ''] = channels
    const again = await signedIn(await server.up, account)
    const events: unknown[] = []
    again.channel(channel).on('event', (event) => events.push(event))
    again.channel(channel).open({ after: 0 })
    await liveIn(again, channel)
    again.close()
    expect(events).toEqual(streams.get(channel))
  })

  test(
    'R-41 of the database: posts wait for it, and none is lost or doubled',
    async () => {
      const lines = crowd.writers.map(({ line }) => line.opened)
      const { count } = crowd
      crowd.write(MESSAGES_EACH / 4)
      // One of its processes: it ends the others and recovers by itself.
      await crowd.reached('accepted', count.accepted + 50)
      kill9(await committing())
      // The whole of it: the server starts it again.
      await crowd.reached('accepted', count.accepted + 50)
      kill9(findPostmaster(readState(dataDir)?.clusterDir ?? ''))
      await expectNothingLost()
      const after = crowd.writers.map(({ line }) => line.opened)
      expect(after, 'sockets stay').toEqual(lines)
    },
    TIMEOUT_MS,
  )
})

/** The process of PostgreSQL that commits posts. */
async function committing(): Promise<number | undefined> {
  const rows = await query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE query LIKE '%wardline_commit%' AND pid <> pg_backend_pid()`,
  )
  return rows[0]?.pid
}

function kill9(pid: number | undefined): void {
  if (pid === undefined) throw new Error('there is no such process')
  process.kill(pid, 'SIGKILL')
}
