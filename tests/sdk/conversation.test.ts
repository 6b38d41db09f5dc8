import { createWardline, type NodeOptions, nodeTransport, type Wardline, WardlineError } from '@wardline/client/node'
import type { ChannelEvent } from '@wardline/protocol'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { PASSWORD, startTestServer, type TestServer } from '../_util/server.ts'
import { until } from '../_util/until.ts'

let server: TestServer
const open: Wardline[] = []

beforeAll(async () => {
  server = await startTestServer({ config: { accessTokenSeconds: 300 } })
})

afterEach(() => {
  for (const wardline of open.splice(0)) wardline.close()
})

afterAll(() => server.stop())

function client(options: Partial<NodeOptions> = {}): Wardline {
  const wardline = createWardline({ url: server.url, ca: String(server.ca), ...options })
  open.push(wardline)
  return wardline
}

async function signedIn(username: string, options: Partial<NodeOptions> = {}): Promise<Wardline> {
  const wardline = client(options)
  await wardline.signIn({ tenant: 'riverside', username, password: PASSWORD })
  await live(wardline)
  return wardline
}

function live(wardline: Wardline): Promise<void> {
  return until(wardline.connection.subscribe, () => wardline.connection.state.is === 'live')
}

/** The direct conversation of nurse and physician, in order to talk in it. */
async function directChannel(wardline: Wardline, other: string): Promise<string> {
  const { id } = await wardline.api.createChannel({
    kind: 'direct',
    member: server.users.get(`riverside/${other}`) ?? '',
  })
  return id
}

/** Everything that comes in the channel, and a way to wait for a number of posts. */
function follow(wardline: Wardline, id: string, after = 0) {
  const channel = wardline.channel(id)
  const events: ChannelEvent[] = []
  channel.on('event', (event) => events.push(event))
  channel.open({ after })
  const bodies = () => events.flatMap(({ event }) => (event.type === 'message.posted' ? [String(event.body)] : []))
  const posts = (n: number) =>
    until(
      (run) => channel.on('event', run),
      () => bodies().length >= n,
    )
  return { channel, events, bodies, posts }
}

describe('[R-84] two people talk through the SDK, over TLS, on a real database', () => {
  it('what one writes the other reads, with receipts and typing', async () => {
    const nurse = await signedIn('nurse.lind')
    const physician = await signedIn('physician.okafor')
    const id = await directChannel(nurse, 'physician.okafor')
    const [hers, his] = [follow(nurse, id), follow(physician, id)]
    await until(his.channel.subscribe, () => his.channel.state.is === 'live')
    await until(hers.channel.subscribe, () => hers.channel.state.is === 'live')

    hers.channel.setTyping(true)
    await until(his.channel.subscribe, () => his.channel.typing.has(nurse.me?.id ?? ''))
    const { clientId } = nurse.post(id, { body: 'BP 92/60, coming up', priority: 'urgent' })
    const accepted = await nurse.outbox.accepted(clientId)
    await his.posts(1)
    expect(his.events.at(-1)).toMatchObject({ seq: accepted.seq, event: { clientId, priority: 'urgent' } })
    his.channel.markRead(accepted.seq)
    await until(hers.channel.subscribe, () => {
      return hers.channel.receipts.get(physician.me?.id ?? '')?.read === accepted.seq
    })
    expect(new Set(hers.channel.members.map(({ user }) => user))).toEqual(new Set([nurse.me?.id, physician.me?.id]))
  })

  it('[P3] [P4] through 20 cuts of either line, nothing is lost and nothing is doubled', async () => {
    const lines = new Set<() => void>()
    const inner = nodeTransport({ ca: String(server.ca) })
    const cuttable: NodeOptions['transport'] = (url, protocols, listener) => {
      const socket = inner(url, protocols, listener)
      lines.add(() => {
        socket.close(1000)
        listener.closed(1006)
      })
      return socket
    }
    const options = { transport: cuttable, random: () => 0.01 }
    const nurse = await signedIn('nurse.lind', options)
    const physician = await signedIn('physician.okafor', options)
    const id = await directChannel(nurse, 'physician.okafor')
    const from = (await nurse.api.channel(id)).head
    const [hers, his] = [follow(nurse, id, from), follow(physician, id, from)]
    for (let n = 0; n < 100; n += 1) {
      nurse.post(id, `nurse ${n}`)
      physician.post(id, `physician ${n}`)
      if (n % 5 === 4) {
        for (const cut of lines) cut()
        lines.clear()
        await Promise.all([live(nurse), live(physician)])
      }
    }
    await Promise.all([hers.posts(200), his.posts(200)])
    expect(hers.events).toEqual(his.events)
    expect(hers.events.map(({ seq }) => seq)).toEqual(Array.from({ length: 200 }, (_, n) => from + n + 1))
    const numbers = Array.from({ length: 100 }, (_, n) => n)
    for (const who of ['nurse', 'physician']) {
      const said = hers.bodies().filter((body) => body.startsWith(who))
      expect(said).toEqual(numbers.map((n) => `${who} ${n}`))
    }
  })

  it('history is read page by page, and the live channel goes on behind it', async () => {
    const nurse = await signedIn('nurse.lind')
    const id = await directChannel(nurse, 'pharmacist.vega')
    const posts = Array.from({ length: 7 }, (_, n) => nurse.outbox.accepted(nurse.post(id, `message ${n}`).clientId))
    const accepted = await Promise.all(posts)
    const newest = await nurse.api.history(id, { limit: 3 })
    const before = await nurse.api.history(id, { limit: 3, before: Number(newest.next) })
    const last = accepted.at(-1)?.seq ?? 0
    expect([...before.items, ...newest.items].map(({ seq }) => seq)).toEqual(
      [-5, -4, -3, -2, -1, 0].map((n) => last + n),
    )
    const { events, posts: come } = follow(nurse, id, newest.items.at(-1)?.seq ?? 0)
    nurse.post(id, 'and on')
    await come(1)
    expect(events.map(({ seq }) => seq)).toEqual([last + 1])
  })

  it('[R-17] the line is renewed while it is open, and nothing is asked for twice', async () => {
    const short = await startTestServer({ beside: server, config: { accessTokenSeconds: 2 } })
    const nurse = createWardline({ url: short.url, ca: String(short.ca) })
    open.push(nurse)
    await nurse.signIn({ tenant: 'riverside', username: 'nurse.lind', password: PASSWORD })
    const states: string[] = []
    nurse.connection.subscribe(() => states.push(nurse.connection.state.is))
    await live(nurse)
    for (let n = 0; n < 2; n += 1) {
      await new Promise<void>((resolve) => {
        const stop = nurse.session.on('refreshed', () => {
          stop()
          resolve()
        })
      })
    }
    expect(states.filter((state) => state === 'live').length).toBe(1)
    expect(nurse.connection.state.is).toBe('live')
    nurse.close()
    await short.stop()
  })

  it('[R-19] signing out ends the line; a wrong password says nothing', async () => {
    const nurse = await signedIn('nurse.lind')
    expect(await nurse.signOut()).toEqual({ reached: true })
    expect(nurse.session.state).toEqual({ is: 'signed-out', reason: 'signed-out' })
    await expect(nurse.api.me()).rejects.toMatchObject({ code: 'unauthenticated' })
    const error: unknown = await client()
      .signIn({ tenant: 'riverside', username: 'nurse.lind', password: 'not hers' })
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(WardlineError)
    expect(error).toMatchObject({ code: 'unauthenticated', status: 401 })
  })

  it('[R-01] [R-02] a server whose certificate is not trusted is not spoken to, nor one that does not know the Origin', async () => {
    const credentials = { tenant: 'riverside', username: 'nurse.lind', password: PASSWORD }
    const stranger = createWardline({ url: server.url })
    open.push(stranger)
    await expect(stranger.signIn(credentials)).rejects.toMatchObject({ code: 'unavailable', status: 0 })
    const foreign = client({ origin: 'https://elsewhere.example' })
    await expect(foreign.signIn(credentials)).rejects.toMatchObject({ code: 'forbidden' })
  })
})
