import { createWardline, nodeTransport, type Wardline } from '@wardline/client/node'
import type { ChannelEvent } from '@wardline/protocol'
import { codeAt } from '../_util/authenticator.ts'
import { LineWatch } from '../_util/line-watch.ts'
import { type Account, type Address, demoAccount } from '../_util/server-process.ts'
import { until } from '../_util/until.ts'

/** Channels that each of them writes in. */
const CHANNELS_EACH = 2
/** Of the pauses that the SDK makes before it tries again: as random as they are, shorter. */
const HASTE = 0.15

type Accepted = { readonly message: string; readonly seq: number }
export type Written = {
  readonly by: Writer
  readonly channel: string
  readonly body: string
  readonly accepted: Promise<Accepted>
}

/** One person at one client, who follows and writes in some channels. */
export type Writer = {
  /** Of the client: what it writes begins with it. */
  readonly name: string
  readonly account: Account
  readonly wardline: Wardline
  readonly line: LineWatch
  readonly channels: readonly string[]
  /** What the SDK delivered, by channel. */
  readonly streams: ReadonlyMap<string, ChannelEvent[]>
}

/** People of one tenant in patients' channels, each at a client of their own over TLS, who all write at once. */
export class Crowd {
  readonly writers: readonly Writer[]
  readonly channels: readonly string[]
  readonly written: Written[] = []
  /** How often each has happened, of all together. */
  readonly count = { sent: 0, accepted: 0, live: 0 }
  readonly #listeners = new Set<() => void>()

  private constructor(writers: readonly Writer[]) {
    this.writers = writers
    this.channels = [...new Set(writers.flatMap(({ channels }) => channels))]
    for (const { wardline } of writers) {
      wardline.on('outbox', ({ state }) => {
        if (state.is === 'sending') this.#counted('sent')
        if (state.is === 'accepted') this.#counted('accepted')
      })
      wardline.on('connection', ({ is }) => {
        if (is === 'live') this.#counted('live')
      })
    }
  }

  /** Makes `size` people through the administration, puts them on care teams, and signs each in at two clients. */
  static async gather(server: Address, dataDir: string, size: number, random: () => number): Promise<Crowd> {
    const admin = await signedIn(server, demoAccount(dataDir, 'riverside/admin.reyes'))
    const nurse = await signedIn(server, demoAccount(dataDir, 'riverside/nurse.lind'))
    const { items: patients } = await nurse.api.patients()
    nurse.close()
    const writers: Writer[] = []
    for (let n = 0; n < size; n += 1) {
      const account = { tenant: 'riverside', username: `writer.${n}`, password: `a password for writer ${n}` }
      const { username, password } = account
      const user = await admin.api.admin.createUser({ username, displayName: username, roles: ['nurse'], password })
      const channels: string[] = []
      for (let k = 0; k < CHANNELS_EACH; k += 1) {
        const patient = patients[(n + k) % patients.length]
        if (patient === undefined) throw new Error('nurse.lind sees no patient')
        await admin.api.admin.assign({ patient: patient.id, user: user.id, role: 'nurse' })
        channels.push(patient.channel)
      }
      for (const client of ['a', 'b'])
        writers.push(await sitDown(`${username}${client}`, server, account, channels, random))
    }
    admin.close()
    const crowd = new Crowd(writers)
    await Promise.all(writers.flatMap(({ wardline, channels }) => channels.map((id) => liveIn(wardline, id))))
    return crowd
  }

  /** Everybody writes `each` messages, to their channels in turn, as fast as they are taken. */
  write(each: number): void {
    for (let n = 0; n < each; n += 1) {
      for (const by of this.writers) {
        const channel = by.channels[n % by.channels.length] ?? ''
        const body = `${by.name} ${this.written.length}`
        const { clientId } = by.wardline.post(channel, body)
        this.written.push({ by, channel, body, accepted: by.wardline.outbox.accepted(clientId) })
      }
    }
  }

  /** Resolves in the very turn in which the number is reached. */
  reached(what: keyof Crowd['count'], number: number): Promise<void> {
    return until(
      (run) => {
        this.#listeners.add(run)
        return () => this.#listeners.delete(run)
      },
      () => this.count[what] >= number,
    )
  }

  /** Resolves when everybody has been given everything up to these heads of channels. */
  async readUpTo(due: ReadonlyMap<string, number>): Promise<void> {
    await Promise.all(
      this.writers.flatMap(({ wardline, channels }) =>
        channels.map((id) => {
          const channel = wardline.channel(id)
          return until(
            (run) => both(channel.on('event', run), channel.subscribe(run)),
            () => (channel.last ?? 0) >= (due.get(id) ?? Number.POSITIVE_INFINITY),
          )
        }),
      ),
    )
  }

  close(): void {
    for (const { wardline } of this.writers) wardline.close()
  }

  #counted(what: keyof Crowd['count']): void {
    this.count[what] += 1
    for (const listener of [...this.#listeners]) listener()
  }
}

/** A client of its own for somebody, with these channels open from their beginning. */
async function sitDown(
  name: string,
  server: Address,
  account: Account,
  channels: readonly string[],
  random: () => number,
): Promise<Writer> {
  const line = new LineWatch(nodeTransport({ ca: String(server.ca) }))
  const options = { transport: line.transport, random: () => random() * HASTE }
  const wardline = await signedIn(server, account, options)
  const streams = new Map(channels.map((id): [string, ChannelEvent[]] => [id, []]))
  for (const [id, events] of streams) {
    wardline.channel(id).on('event', (event) => events.push(event))
    wardline.channel(id).open({ after: 0 })
  }
  return { name, account, wardline, line, channels, streams }
}

type Options = Pick<Parameters<typeof createWardline>[0], 'transport' | 'random'>

/** Somebody at a client of their own. */
export async function signedIn(
  { url, ca }: Address,
  { totpSecret, tenant, username, password }: Account,
  options: Options = {},
): Promise<Wardline> {
  const wardline = createWardline({ url, ca: String(ca), ...options })
  const result = await wardline.signIn({ tenant, username, password })
  if (result.status === 'second-factor' && totpSecret !== undefined) {
    await wardline.secondFactor({ challenge: result.challenge, totp: codeAt(totpSecret, Date.now()) })
  }
  return wardline
}

/** Resolves when the channel has been read to its end. */
export function liveIn(wardline: Wardline, id: string): Promise<void> {
  const channel = wardline.channel(id)
  return until(channel.subscribe, () => channel.state.is === 'live')
}

function both(...stops: (() => void)[]): () => void {
  return () => {
    for (const stop of stops) stop()
  }
}
