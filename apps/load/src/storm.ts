import { performance } from 'node:perf_hooks'
import { DEFAULT_LIMITS, DEFAULT_PRE_AUTH } from '@wardline/protocol'
import { inParallel } from './in-parallel.ts'
import { postTo } from './posting.ts'
import { quantile } from './statistics.ts'
import { WardlineServer } from './wardline-server.ts'
import { type Connected, connect, type Person, signIn } from './wardline-target.ts'

const CHANNELS = 100
const PER_CHANNEL = 20
const PEOPLE = 200
const POSTS_PER_SECOND = 100
const SIGN_IN_EVERY_MS = 500
const BODY = 'x'.repeat(300)
/** All of them are live again after this. */
const PROMISE_MS = 5_000
/** Who is not live again after this was starved. */
const GIVE_UP_MS = 120_000
/** As PROTOCOL.md has clients come back: a pause of anything up to this, doubled each time. */
const FIRST_PAUSE_MS = 1_000
const LAST_PAUSE_MS = 30_000

export type Storm = {
  /** From the node's end until each socket was live again with all that it had missed, in ms. */
  readonly back: readonly number[]
  /** How often somebody was put off, and tried again. */
  readonly putOff: number
  /** How long sign-ins took meanwhile, in ms, and those that were refused. */
  readonly signIns: readonly number[]
  readonly signInsRefused: number
  /** How long the other node's posts waited to be accepted meanwhile, in ms. */
  readonly accepts: readonly number[]
  /** Sockets that do not have all of their channel in the end: none. */
  readonly incomplete: number
  /** Share of one core that all these clients used; near 1 it is they who were slow. */
  readonly generatorLoad: number
}

/**
 * A node is killed with 2,000 sockets on it, and they come back to the other one, from one address and with the limits that the product
 * comes with, as a hospital's whole staff does. Meanwhile others post into all of the channels, and people sign in.
 */
export async function runStorm(rounds: number, progress: (text: string) => void): Promise<readonly Storm[]> {
  const limits: Record<string, string> = {}
  for (const [name, value] of Object.entries({ ...DEFAULT_LIMITS, ...DEFAULT_PRE_AUTH })) {
    const key = name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
    limits[`WARDLINE_LIMITS_${key}`] = String(value)
  }
  const storms: Storm[] = []
  for (let round = 1; round <= rounds; round += 1) storms.push(await storm(limits, say))
  return storms

  function say(text: string): void {
    progress(`${storms.length + 1}/${rounds} ${text}`)
  }
}

type Client = { readonly person: Person; readonly channelId: string; readonly channel: number; line: Connected }

async function storm(limits: Record<string, string>, progress: (text: string) => void): Promise<Storm> {
  const server = new WardlineServer(limits)
  const endings: (() => void)[] = []
  try {
    progress(`two nodes are started, ${PEOPLE} people sign in`)
    await server.start()
    const { names, byMrn } = await server.populate(PEOPLE, CHANNELS, PER_CHANNEL)
    const other = await server.startBeside()
    const people = new Map<string, Person>()
    await inParallel(names, async (name) => people.set(name, await patiently(() => signIn(server, name))))
    endings.push(() => [...people.values()].map(({ sdk }) => sdk.close()))
    const places = [...byMrn].flatMap(([mrn, { team, channel }]) =>
      team.map((name) => {
        const person = people.get(name) as Person
        return { person, channelId: person.channels.get(mrn) ?? '', channel }
      }),
    )
    progress(`${places.length} sockets are opened on the one`)
    const opening = performance.now()
    const clients = await inParallel(places, async ({ person, channelId, channel }): Promise<Client> => {
      return { person, channelId, channel, line: await patiently(() => connect(other, person, channelId, channel)) }
    })
    endings.push(() => clients.map(({ line }) => line.socket.terminate()))
    const writers = await inParallel(
      // Somebody else in each: nobody may have many sockets more.
      places.filter((_, place) => place % PER_CHANNEL === 2 * Math.floor(place / PEOPLE)),
      (place) => patiently(() => connect(server, place.person, place.channelId, place.channel)),
    )
    endings.push(() => writers.map(({ socket }) => socket.terminate()))
    const posting = postTo(
      writers.map(({ peer }) => peer),
      POSTS_PER_SECOND,
      BODY,
    )
    const signing = signInsTo(server, names)
    await pause(SIGN_IN_EVERY_MS * 4)
    progress(`opened, eight at once, in ${((performance.now() - opening) / 1_000).toFixed(1)} s; now the one is killed`)
    const own = process.cpuUsage()
    const began = performance.now()
    other.kill()
    let putOff = 0
    const back = await Promise.all(
      clients.map(async (client) => {
        await closed(client.line)
        const { person, channelId, channel } = client
        for (let attempt = 0; ; attempt += 1) {
          await pause(Math.random() * Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt))
          const after = client.line.seq()
          const line = await connect(server, person, channelId, channel, after).catch(() => null)
          if (line !== null) {
            client.line = line
            return performance.now() - began
          }
          putOff += 1
          if (performance.now() - began > GIVE_UP_MS) return Number.POSITIVE_INFINITY
        }
      }),
    )
    const { user, system } = process.cpuUsage(own)
    const generatorLoad = (user + system) / 1000 / (performance.now() - began)
    const { signIns, refused } = await signing.stop()
    const { accepts } = posting.stop()
    await pause(2_000)
    if (writers.some(({ socket }) => socket.readyState !== socket.OPEN)) throw new Error('a writer lost its socket')
    const heads = new Map(writers.map((line) => [line.peer.channel, line.seq()]))
    const incomplete = clients.filter(({ channel, line }) => line.seq() < (heads.get(channel) ?? 0)).length
    return { back, putOff, signIns, signInsRefused: refused, accepts, incomplete, generatorLoad }
  } finally {
    for (const end of endings) end()
    await server.stop()
  }
}

/** What the limits put off is tried again: before the storm nothing is measured. */
async function patiently<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await run()
    } catch (error) {
      if (attempt === 60) throw error
      await pause(1_000)
    }
  }
}

/** Signs somebody in, again and again, until it is stopped. */
function signInsTo(
  server: WardlineServer,
  names: readonly string[],
): { stop(): Promise<{ signIns: number[]; refused: number }> } {
  const signIns: number[] = []
  let refused = 0
  let going = true
  const run = async () => {
    for (let turn = 0; going; turn += 1) {
      const began = performance.now()
      const person = await signIn(server, names[turn % names.length] ?? '').catch(() => null)
      if (person === null) refused += 1
      else signIns.push(performance.now() - began)
      person?.sdk.close()
      await pause(SIGN_IN_EVERY_MS)
    }
  }
  const running = run()
  return {
    async stop() {
      going = false
      await running
      return { signIns, refused }
    },
  }
}

function closed({ socket }: Connected): Promise<void> {
  if (socket.readyState === socket.CLOSED) return Promise.resolve()
  return new Promise((resolve) => socket.once('close', () => resolve()))
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Whether all were live again in time in the middle round, and nothing was missing in any. */
export function keptStormPromise(storms: readonly Storm[]): boolean {
  const worst = quantile(
    storms.map(({ back }) => Math.max(...back)),
    0.5,
  )
  return worst <= PROMISE_MS && storms.every(({ incomplete }) => incomplete === 0)
}

export function renderStorm(storms: readonly Storm[]): string {
  const cells = (values: readonly number[]) =>
    [0.5, 0.95, 1].map((share) => quantile(values, share).toFixed(0)).join('/')
  const rows = storms.map(
    ({ back, putOff, signIns, signInsRefused, accepts, incomplete, generatorLoad }) =>
      `| ${cells(back)} | ${putOff} | ${cells(signIns)} (${signIns.length}, refused ${signInsRefused}) | ${cells(accepts)} (${accepts.length}) | ${incomplete} | ${(generatorLoad * 100).toFixed(0)} % |`,
  )
  return [
    `# Storm: ${CHANNELS * PER_CHANNEL} sockets lose their node, ${POSTS_PER_SECOND} posts/s`,
    '',
    'Live again, with all that was missed, after p50/p95/worst in ms; sign-ins and posts meanwhile likewise.',
    '',
    '| live again | put off | sign-ins | posts accepted after | sockets that miss something | clients’ share of a core |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
    `All live again within ${PROMISE_MS} ms, nothing missing: ${keptStormPromise(storms) ? 'held' : 'did not hold'}.`,
    '',
  ].join('\n')
}
