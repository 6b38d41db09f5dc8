import { performance } from 'node:perf_hooks'
import type WebSocket from 'ws'
import { inParallel } from './in-parallel.ts'
import { postTo } from './posting.ts'
import { quantile } from './statistics.ts'
import type { Peer } from './target.ts'
import { WardlineServer } from './wardline-server.ts'
import { connect, type Person, signIn } from './wardline-target.ts'

const CHANNELS = 67
const PER_CHANNEL = 5
const PEOPLE = CHANNELS * PER_CHANNEL
const POSTS_PER_SECOND = 200
/** Posts go on for so long before the first is signed out: a server that has just started is slow at everything. */
const WARM_UP_MS = 5_000
/** Of each channel so many are signed out, one person after the other at this pace; 200 sockets stay to the end. */
const OUT_OF_EACH = 2
const PACE_MS = 100
/** on every node, with the bus and without, 99 of 100 sockets have got their last byte after this. */
const PROMISE_MS = 1_000
/** A socket that is open after this was not revoked at all. */
const GIVE_UP_MS = 10_000
const BODY = 'x'.repeat(300)

export type Revocation = {
  readonly bus: 'postgres' | 'off'
  /** From the administrator's request to the last byte that reached a socket of theirs, in ms, on the node that was asked and the other. */
  readonly sameNode: readonly number[]
  readonly otherNode: readonly number[]
  readonly posts: number
}

/**
 * The drill of R-19: 335 sockets on two nodes, 200 posts a second, and an administrator who ends the sign-ins of 134 people, one after
 * the other. Once with the bus, once without, where each node finds out by its poll.
 */
export async function runRevocation(progress: (text: string) => void): Promise<readonly Revocation[]> {
  const results: Revocation[] = []
  for (const bus of ['postgres', 'off'] as const) results.push(await drill(bus, progress))
  return results
}

type Line = {
  readonly name: string
  readonly here: boolean
  readonly socket: WebSocket
  readonly peer: Peer
  last: number
}

async function drill(bus: Revocation['bus'], progress: (text: string) => void): Promise<Revocation> {
  const server = new WardlineServer({ WARDLINE_BUS: bus })
  const endings: (() => void)[] = []
  try {
    progress(`Two nodes, ${bus === 'off' ? 'no bus' : 'a bus'}: starting, ${PEOPLE} people sign in`)
    await server.start()
    const { names, ids, byMrn } = await server.populate(PEOPLE, CHANNELS, PER_CHANNEL)
    const nodes = [server, await server.startBeside()] as const
    const channelOf = new Map([...byMrn].flatMap(([mrn, { team }]) => team.map((name) => [name, mrn] as const)))
    const lines: Line[] = []
    const people = await inParallel(names, (name) => signIn(server, name))
    for (const [index, name] of names.entries()) {
      const person = people[index] as Person
      const mrn = channelOf.get(name) ?? ''
      const { socket, peer } = await connect(nodes[index % 2 === 0 ? 0 : 1], person, person.channels.get(mrn) ?? '', 0)
      endings.push(
        () => person.sdk.close(),
        () => socket.terminate(),
      )
      lines.push(watched({ name, here: index % 2 === 0, socket, peer, last: 0 }))
    }
    // Those who stay write, so that there is something to be heard. As many go on the one node as on the other.
    const victims = Array.from({ length: OUT_OF_EACH * CHANNELS }, (_, turn) => {
      const place = (turn + Math.floor(turn / CHANNELS)) % PER_CHANNEL
      return lines[(turn % CHANNELS) * PER_CHANNEL + place] as Line
    })
    const writers = lines.filter((line) => !victims.includes(line))
    progress(`${POSTS_PER_SECOND} posts/s, ${victims.length} people are signed out one by one`)
    const posting = postTo(
      writers.map(({ peer }) => peer),
      POSTS_PER_SECOND,
      BODY,
    )
    await pause(WARM_UP_MS)
    const asked = new Map<Line, number>()
    for (const victim of victims) {
      await pause(PACE_MS)
      asked.set(victim, performance.now())
      await server.administrator?.api.admin.endSessionsOf(ids.get(victim.name) ?? '')
    }
    await closed(victims)
    await pause(1_000)
    const { posts } = posting.stop()
    const latency = (line: Line) => line.last - (asked.get(line) ?? 0)
    return {
      bus,
      sameNode: victims.filter(({ here }) => here).map(latency),
      otherNode: victims.filter(({ here }) => !here).map(latency),
      posts,
    }
  } finally {
    for (const end of endings) end()
    await server.stop()
  }
}

/** Notes when the last byte came: that of the close. */
function watched(line: Line): Line {
  line.socket.on('close', () => {
    line.last = performance.now()
  })
  return line
}

async function closed(lines: readonly Line[]): Promise<void> {
  const deadline = performance.now() + GIVE_UP_MS
  for (;;) {
    const open = lines.filter(({ socket }) => socket.readyState !== socket.CLOSED)
    if (open.length === 0) return
    if (performance.now() > deadline) throw new Error(`${open.length} sockets outlived their revocation`)
    await pause(5)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Whether 99 of 100 sockets had their last byte in time, on each node, with the bus and without. */
export function keptPromise(results: readonly Revocation[]): boolean {
  return results.every(({ sameNode, otherNode }) =>
    [sameNode, otherNode].every((values) => quantile(values, 0.99) < PROMISE_MS),
  )
}

export function renderRevocation(results: readonly Revocation[]): string {
  const cells = (values: readonly number[]) =>
    [0.5, 0.95, 0.99, 1].map((share) => quantile(values, share).toFixed(0)).join('/')
  const rows = results.map(
    ({ bus, sameNode, otherNode, posts }) =>
      `| ${bus === 'off' ? 'none: each node polls' : 'Postgres'} | ${cells(sameNode)} | ${cells(otherNode)} | ${posts} |`,
  )
  return [
    `# Revocation: ${PEOPLE} sockets on two nodes, ${POSTS_PER_SECOND} posts/s, ${OUT_OF_EACH * CHANNELS} people signed out`,
    '',
    'From the request to the last byte on a socket of theirs, p50/p95/p99/worst in ms.',
    '',
    '| Bus | on the node asked | on the other | posts meanwhile |',
    '|---|---|---|---|',
    ...rows,
    '',
    `p99 below ${PROMISE_MS} ms on every node, with the bus and without: ${keptPromise(results) ? 'held' : 'did not hold'}.`,
    '',
  ].join('\n')
}
