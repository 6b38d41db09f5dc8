import { performance } from 'node:perf_hooks'
import type WebSocket from 'ws'
import { quantile } from './statistics.ts'
import type { Peer } from './target.ts'
import { WardlineServer } from './wardline-server.ts'
import { connect, signIn } from './wardline-target.ts'

const CHANNELS = 40
const PER_CHANNEL = 5
const PEOPLE = CHANNELS * PER_CHANNEL
const POSTS_PER_SECOND = 200
/** So many people are signed out, one after the other, at this pace. */
const VICTIMS = 60
const PACE_MS = 100
/** A socket that is open after this was not revoked at all. */
const GIVE_UP_MS = 10_000
const BODY = 'x'.repeat(300)

export type Revocation = {
  readonly bus: 'postgres' | 'off'
  /** From the administrator's request to the last byte that reached a socket of theirs, in ms, on the node that was asked and the other. */
  readonly sameNode: readonly number[]
  readonly otherNode: readonly number[]
  readonly posts: number
  /** Messages of a channel that came to a revoked socket after its close: none. */
  readonly late: number
}

/**
 * The drill of R-19: 200 sockets on two nodes, 200 posts a second, and an administrator who ends the sign-ins of one person after the
 * other. Once with the bus, once without, where each node finds out by its poll.
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
  late: number
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
    for (const [index, name] of names.entries()) {
      const person = await signIn(server, name)
      const mrn = channelOf.get(name) ?? ''
      const { socket, peer } = await connect(nodes[index % 2 === 0 ? 0 : 1], person, person.channels.get(mrn) ?? '', 0)
      endings.push(
        () => person.sdk.close(),
        () => socket.terminate(),
      )
      lines.push(watched({ name, here: index % 2 === 0, socket, peer, last: 0, late: 0 }))
    }
    // One of each channel goes, or two: the others write to it, so that there is something to be heard.
    const victims = lines.filter((_, index) => index % PER_CHANNEL < 2).slice(0, VICTIMS)
    const writers = lines.filter((line) => !victims.includes(line))
    progress(`${POSTS_PER_SECOND} posts/s, ${victims.length} people are signed out one by one`)
    const posting = postTo(writers)
    const asked = new Map<Line, number>()
    for (const victim of victims) {
      await pause(PACE_MS)
      asked.set(victim, performance.now())
      await server.administrator?.api.admin.endSessionsOf(ids.get(victim.name) ?? '')
    }
    await closed(victims)
    await pause(1_000)
    const posts = posting.stop()
    const latency = (line: Line) => line.last - (asked.get(line) ?? 0)
    return {
      bus,
      sameNode: victims.filter(({ here }) => here).map(latency),
      otherNode: victims.filter(({ here }) => !here).map(latency),
      posts,
      late: victims.reduce((sum, { late }) => sum + late, 0),
    }
  } finally {
    for (const end of endings) end()
    await server.stop()
  }
}

/** Notes when each byte came, the close included. */
function watched(line: Line): Line {
  let isClosed = false
  line.socket.on('message', () => {
    line.last = performance.now()
    if (isClosed) line.late += 1
  })
  line.socket.on('close', () => {
    isClosed = true
    line.last = performance.now()
  })
  return line
}

function postTo(writers: readonly Line[]): { stop(): number } {
  const began = performance.now()
  let sent = 0
  const timer = setInterval(() => {
    const due = ((performance.now() - began) / 1000) * POSTS_PER_SECOND
    for (; sent < due; sent += 1) writers[sent % writers.length]?.peer.post(sent, BODY)
  }, 5)
  return {
    stop() {
      clearInterval(timer)
      return sent
    },
  }
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

export function renderRevocation(results: readonly Revocation[]): string {
  const cells = (values: readonly number[]) =>
    [0.5, 0.95, 0.99].map((share) => quantile(values, share).toFixed(0)).join('/')
  const rows = results.map(
    ({ bus, sameNode, otherNode, posts, late }) =>
      `| ${bus === 'off' ? 'none: each node polls' : 'Postgres'} | ${cells(sameNode)} | ${cells(otherNode)} | ${Math.max(...sameNode, ...otherNode).toFixed(0)} | ${posts} | ${late} |`,
  )
  return [
    `# Revocation: ${PEOPLE} sockets on two nodes, ${POSTS_PER_SECOND} posts/s, ${VICTIMS} people signed out`,
    '',
    'From the request to the last byte on a socket of theirs, p50/p95/p99 in ms.',
    '',
    '| Bus | on the node asked | on the other | worst | posts meanwhile | bytes after the close |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}
