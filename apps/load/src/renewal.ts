import { createWardline, type Wardline, WardlineError } from '@wardline/client/node'
import { PASSWORD, TENANT, WardlineServer } from './wardline-server.ts'

const TOKEN_SECONDS = 20
const POSTS_PER_SECOND = 50
/** After the last post, what is on its way has this long to come. */
const DRAIN_MS = 15_000
/** Who reads does something now and then, as at a screen: else the session is locked after ten minutes, and shows nothing. */
const ACTIVE_MS = 30_000

export type RenewalRun = {
  readonly seconds: number
  readonly posts: number
  readonly accepted: number
  /** Of the one who reads: messages that came, and those that came out of order, twice or not at all. */
  readonly received: number
  readonly wrong: number
  /** New tokens of both, and lines that were lost meanwhile: none. */
  readonly renewals: number
  readonly dropped: number
}

/**
 * Two people on one socket each for so many seconds, with tokens of twenty seconds: one writes fifty messages a second, the other
 * reads them. Everything is the SDK's own doing, renewals included.
 */
export async function runRenewal(seconds: number, progress: (text: string) => void): Promise<RenewalRun> {
  const server = new WardlineServer({ WARDLINE_ACCESS_TOKEN_SECONDS: String(TOKEN_SECONDS) })
  const endings: (() => void)[] = []
  try {
    progress(`starting, with tokens of ${TOKEN_SECONDS} s`)
    await server.start()
    const { names } = await server.populate(2, 1, 2)
    const people = await Promise.all(names.map((name) => signedIn(server, name)))
    endings.push(...people.map((sdk) => () => sdk.close()))
    const [writer, reader] = people
    if (writer === undefined || reader === undefined) throw new Error('nobody to talk to')
    const [channelId = ''] = (await reader.channels()).items.map(({ id }) => id)
    let renewals = 0
    let dropped = 0
    for (const sdk of people) {
      sdk.session.on('refreshed', () => {
        renewals += 1
      })
      await live(sdk)
      sdk.connection.on('down', () => {
        dropped += 1
      })
    }
    const channel = reader.channel(channelId)
    const seqs: number[] = []
    channel.on('event', ({ seq, event }) => {
      if (event.type === 'message.posted') seqs.push(seq)
    })
    channel.open({ after: 0 })
    const moving = setInterval(() => reader.active(), ACTIVE_MS)
    endings.push(() => clearInterval(moving))
    progress(`${POSTS_PER_SECOND} posts/s for ${seconds} s`)
    let accepted = 0
    writer.on('outbox', ({ state }) => {
      if (state.is === 'accepted') accepted += 1
    })
    const posts = await postFor(seconds, () => wasTaken(() => writer.post(channelId, 'Lactate 2.8')))
    await until(() => seqs.length >= posts, DRAIN_MS)
    const wrong = seqs.filter((seq, place) => place > 0 && seq !== (seqs[place - 1] ?? 0) + 1).length
    return {
      seconds,
      posts,
      accepted,
      received: seqs.length,
      wrong: wrong + Math.max(0, posts - seqs.length),
      renewals,
      dropped,
    }
  } finally {
    for (const end of endings) end()
    await server.stop()
  }
}

async function signedIn(server: WardlineServer, username: string): Promise<Wardline> {
  const sdk = createWardline({ url: server.url, ca: server.ca })
  await sdk.signIn({ tenant: TENANT, username, password: PASSWORD })
  return sdk
}

function live({ connection }: Wardline): Promise<void> {
  return new Promise((resolve) => {
    if (connection.state.is === 'live') resolve()
    else connection.on('live', () => resolve())
  })
}

/** False: so much waits to be sent that the SDK takes no more for now, as on a machine that does something else. */
function wasTaken(post: () => void): boolean {
  try {
    post()
    return true
  } catch (error) {
    if (error instanceof WardlineError && error.code === 'rate-limited') return false
    throw error
  }
}

function postFor(seconds: number, post: () => boolean): Promise<number> {
  const began = performance.now()
  let sent = 0
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const passedS = Math.min(seconds, (performance.now() - began) / 1000)
      while (sent < passedS * POSTS_PER_SECOND && post()) sent += 1
      if (passedS < seconds || sent < seconds * POSTS_PER_SECOND) return
      clearInterval(timer)
      resolve(sent)
    }, 20)
  })
}

async function until(holds: () => boolean, ms: number): Promise<void> {
  const deadline = performance.now() + ms
  while (!holds() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
}

export function renderRenewal({ seconds, posts, accepted, received, wrong, renewals, dropped }: RenewalRun): string {
  return [
    `# Renewal: ${seconds} s with tokens of ${TOKEN_SECONDS} s, ${POSTS_PER_SECOND} posts/s`,
    '',
    '| posted | accepted | received | lost, twice or out of order | new tokens | lines lost |',
    '|---|---|---|---|---|---|',
    `| ${posts} | ${accepted} | ${received} | ${wrong} | ${renewals} | ${dropped} |`,
    '',
  ].join('\n')
}
