import { describe, expect, it } from 'vitest'
import type { ChannelState } from './channel-state.ts'
import { fakeId, nurse, physician } from './fake-server/index.ts'
import { CHANNEL, record, seqs, startLive, upTo } from './test-client.ts'

async function startOpen(posts = 0, options: Parameters<typeof startLive>[0] = {}, after: number | null = 0) {
  const client = await startLive(options)
  for (let n = 0; n < posts; n += 1) client.server.say(CHANNEL, `message ${n + 1}`)
  const channel = client.wardline.channel(CHANNEL)
  const events = record(client.wardline)
  const states: ChannelState['is'][] = []
  channel.subscribe(() => {
    if (states.at(-1) !== channel.state.is) states.push(channel.state.is)
  })
  channel.open(after === null ? {} : { after })
  await client.server.settle()
  const subscriptions = () => client.server.requests.filter(({ type }) => type === 'channel.subscribe')
  return { ...client, channel, events, states, subscriptions }
}

describe('[P3] a subscription', () => {
  it('brings what was missed, says so, and then what comes', async () => {
    const { server, channel, events, states } = await startOpen(3)
    server.say(CHANNEL, 'now')
    await server.settle()
    expect(seqs(events)).toEqual(upTo(4))
    expect(states).toEqual(['waiting', 'opening', 'replaying', 'live'])
    expect(channel.last).toBe(4)
  })

  it('from the last held brings only what is new', async () => {
    const { events } = await startOpen(5, {}, 3)
    expect(seqs(events)).toEqual([4, 5])
  })

  it('without a position brings only what comes', async () => {
    const { server, channel, events } = await startOpen(5, {}, null)
    expect(events).toEqual([])
    server.say(CHANNEL, 'now')
    await server.settle()
    expect(seqs(events)).toEqual([6])
    expect(channel.last).toBe(6)
  })

  it('is opened once, however often it is asked for', async () => {
    const { server, channel, subscriptions } = await startOpen(1)
    channel.open()
    channel.open({ after: 0 })
    await server.settle()
    expect(subscriptions().length).toBe(1)
  })

  it('wanted before there is a line begins when there is one', async () => {
    const { server, wardline, time } = await startLive()
    server.offline()
    await server.settle()
    const events = record(wardline)
    wardline.channel(CHANNEL).open({ after: 0 })
    expect(wardline.channel(CHANNEL).state.is).toBe('waiting')
    server.say(CHANNEL, 'missed')
    server.online()
    await time.advance(2_000)
    expect(seqs(events)).toEqual([1])
  })

  it('after a cut goes on from the last event that was delivered', async () => {
    const { server, events, time, subscriptions } = await startOpen(2)
    server.cut()
    server.say(CHANNEL, 'while away')
    await time.advance(1_000)
    expect(seqs(events)).toEqual(upTo(3))
    expect(subscriptions().map((frame) => 'after' in frame && frame.after)).toEqual([0, 2])
  })

  it('that was never said to be live is asked for again', async () => {
    const { server, wardline, time } = await startLive()
    const events = record(wardline)
    server.fault(({ type }) => (type === 'channel.live' || type === 'channel.event' ? 'drop' : 'deliver'))
    server.say(CHANNEL, 'one')
    wardline.channel(CHANNEL).open({ after: 0 })
    await server.settle()
    server.fault(null)
    expect(wardline.channel(CHANNEL).state.is).toBe('replaying')
    await time.advance(10_000)
    expect(wardline.channel(CHANNEL).state.is).toBe('live')
    expect(seqs(events)).toEqual([1])
  })

  it('closed before it was answered stays closed, and leaves no timer', async () => {
    const { server, wardline, time } = await startLive()
    const timers = time.pending()
    wardline.channel(CHANNEL).open({ after: 0 })
    wardline.channel(CHANNEL).close()
    await server.settle()
    await time.advance(12_000)
    expect(wardline.channel(CHANNEL).state).toEqual({ is: 'closed', reason: null })
    expect(server.requests.filter(({ type }) => type.startsWith('channel.')).length).toBe(2)
    expect(time.pending()).toBe(timers)
  })

  it('closed while it waits to ask again does not ask', async () => {
    const { server, wardline, time } = await startLive()
    server.refuse(({ type }) => (type === 'channel.subscribe' ? 'unavailable' : undefined))
    wardline.channel(CHANNEL).open({ after: 0 })
    await server.settle()
    wardline.channel(CHANNEL).close()
    await time.advance(60_000)
    expect(server.requests.filter(({ type }) => type === 'channel.subscribe').length).toBe(1)
  })

  it('that is closed is heard no more, and can be opened again', async () => {
    const { server, channel, events } = await startOpen(1)
    channel.close()
    server.say(CHANNEL, 'unheard')
    await server.settle()
    expect(server.requests.at(-1)?.type).toBe('channel.unsubscribe')
    expect(seqs(events)).toEqual([1])
    channel.open({ after: 1 })
    await server.settle()
    expect(seqs(events)).toEqual([1, 2])
  })

  it('closed and opened within one turn is open', async () => {
    const { server, channel, events } = await startOpen(1)
    channel.close()
    channel.open({ after: 1 })
    server.say(CHANNEL, 'two')
    await server.settle()
    expect(channel.state.is).toBe('live')
    expect(seqs(events)).toEqual([1, 2])
  })
})

describe('[P3] an event that does not come', () => {
  it('is asked for when the next one shows that it is missing', async () => {
    const { server, events, subscriptions, time } = await startOpen()
    server.fault(({ text }) => (text.includes('"seq":2,') ? 'drop' : 'deliver'))
    server.say(CHANNEL, 'one')
    server.say(CHANNEL, 'two')
    server.fault(null)
    server.say(CHANNEL, 'three')
    await time.advance(0)
    expect(seqs(events)).toEqual(upTo(3))
    expect(subscriptions().length).toBe(2)
  })

  it('is asked for when only the inbox tells of it', async () => {
    const { server, events, time } = await startOpen()
    server.fault(({ type }) => (type === 'channel.event' ? 'drop' : 'deliver'))
    server.say(CHANNEL, 'one')
    await server.settle()
    server.fault(null)
    await time.advance(3_000)
    expect(seqs(events)).toEqual([1])
  })

  it('and does not exist, is named and passed over', async () => {
    const { server, channel, events, time } = await startOpen()
    const holes: unknown[] = []
    channel.on('hole', (hole) => holes.push(hole))
    server.fault(({ type, text }) => (type === 'channel.event' && text.includes('"seq":1,') ? 'drop' : 'deliver'))
    server.say(CHANNEL, 'what nobody can read')
    server.say(CHANNEL, 'two')
    await server.settle()
    await time.advance(2_000)
    server.say(CHANNEL, 'three')
    await server.settle()
    expect(holes).toEqual([{ from: 1, to: 1 }])
    expect(seqs(events)).toEqual([2, 3])
    expect(channel.state.is).toBe('live')
  })

  it('comes twice, or late: it is delivered once and in its place', async () => {
    const { server, events, time } = await startOpen()
    server.fault(({ type, text }) => {
      if (type !== 'channel.event') return 'deliver'
      return text.includes('"seq":2,') ? { delayMs: 500 } : 'twice'
    })
    for (const body of ['one', 'two', 'three', 'four']) server.say(CHANNEL, body)
    await server.settle()
    server.fault(null)
    await time.advance(5_000)
    expect(seqs(events)).toEqual(upTo(4))
  })

  it('because the server came back from a backup: the app is told what is void', async () => {
    const { server, channel, events, time } = await startOpen(5)
    const rewound: unknown[] = []
    channel.on('rewound', (what) => rewound.push(what))
    server.cut()
    server.rewind(CHANNEL, 3)
    await time.advance(1_000)
    server.say(CHANNEL, 'four, anew')
    await server.settle()
    expect(rewound).toEqual([{ from: 5, head: 3 }])
    expect(seqs(events)).toEqual([1, 2, 3, 4, 5, 4])
  })
})

describe('[R-33] a subscription that ends', () => {
  it('by the server is closed for its reason, and not asked for again', async () => {
    const { server, channel, events, time, subscriptions } = await startOpen(1)
    server.closeChannel(CHANNEL, 'removed')
    await server.settle()
    expect(channel.state).toEqual({ is: 'closed', reason: 'removed' })
    server.cut()
    await time.advance(2_000)
    expect(subscriptions().length).toBe(1)
    expect(seqs(events)).toEqual([1])
  })

  it('because it is refused is closed for that', async () => {
    const { channel } = await startOpen(0, { channels: [{ id: CHANNEL, members: [physician.id] }] })
    expect(channel.state).toEqual({ is: 'closed', reason: 'not-found' })
  })

  it('is asked for again when the refusal is a passing one', async () => {
    const { server, wardline, time } = await startLive()
    let refusals = 3
    server.refuse(({ type }) => (type === 'channel.subscribe' && refusals-- > 0 ? 'unavailable' : undefined))
    wardline.channel(CHANNEL).open({ after: 0 })
    await time.advance(30_000)
    expect(wardline.channel(CHANNEL).state.is).toBe('live')
  })

  it('with the session is closed', async () => {
    const { wardline, channel } = await startOpen(1)
    await wardline.signOut()
    expect(channel.state).toEqual({ is: 'closed', reason: null })
  })
})

describe('[R-44] receipts', () => {
  it('what was delivered is marked by itself, once for a whole replay', async () => {
    const { server, time } = await startOpen(50)
    await time.advance(300)
    const marks = server.requests.filter(({ type }) => type === 'receipt.mark')
    expect(marks).toEqual([{ type: 'receipt.mark', channel: CHANNEL, delivered: 50 }])
  })

  it('nothing is delivered where nobody listens', async () => {
    const { server, wardline, time } = await startLive()
    server.say(CHANNEL, 'one')
    wardline.channel(CHANNEL).open({ after: 0 })
    await time.advance(1_000)
    expect(server.receiptOf(CHANNEL, nurse.id).delivered).toBe(0)
  })

  it('what is read is marked, and marked again when a cut took it', async () => {
    const { server, channel, time } = await startOpen(5)
    await time.advance(300)
    server.fault(({ direction, type }) => (direction === 'up' && type === 'receipt.mark' ? 'cut-before' : 'deliver'))
    channel.markRead(4)
    await time.advance(300)
    server.fault(null)
    expect(server.receiptOf(CHANNEL, nurse.id).read).toBe(0)
    await time.advance(2_000)
    expect(server.receiptOf(CHANNEL, nurse.id)).toMatchObject({ delivered: 5, read: 4 })
  })

  it('never goes back', async () => {
    const { server, channel, time } = await startOpen(5)
    channel.markRead(4)
    channel.markRead(2)
    await time.advance(300)
    expect(server.receiptOf(CHANNEL, nurse.id).read).toBe(4)
  })

  it('of others are shown as they move, in a new map each time', async () => {
    const { server, channel } = await startOpen(3)
    const before = channel.receipts
    server.receipt(CHANNEL, physician.id, { read: 2 })
    await server.settle()
    expect(channel.receipts).not.toBe(before)
    expect(channel.receipts.get(physician.id)).toMatchObject({ delivered: 2, read: 2 })
  })
})

describe('[R-49] typing', () => {
  it('of others is shown, and ends with their message or with time', async () => {
    const { server, channel, time } = await startOpen()
    server.typing(CHANNEL, physician.id)
    await server.settle()
    expect([...channel.typing]).toEqual([physician.id])
    server.say(CHANNEL, 'done')
    await server.settle()
    expect([...channel.typing]).toEqual([])
    server.typing(CHANNEL, physician.id)
    await time.advance(8_000)
    expect([...channel.typing]).toEqual([])
  })

  it('of this person is said on a live line alone', async () => {
    const { server, channel } = await startOpen()
    channel.setTyping(true)
    channel.setTyping(true)
    await server.settle()
    expect(server.requests.filter(({ type }) => type === 'typing.set').length).toBe(1)
    server.offline()
    await server.settle()
    channel.setTyping(true)
    expect(channel.state.is).toBe('waiting')
  })
})

describe('members', () => {
  it('who leaves is gone at once; who joins is there with a name', async () => {
    const users = [
      nurse,
      physician,
      { ...physician, id: fakeId(0xb3), username: 'pharmacist.vega', displayName: 'Rosa Vega' },
    ]
    const members = [nurse.id, physician.id]
    const { server, channel, time } = await startOpen(1, { users, channels: [{ id: CHANNEL, members }] })
    server.append(CHANNEL, { type: 'member.left', user: physician.id })
    await server.settle()
    expect(channel.members.map(({ displayName }) => displayName)).toEqual(['Astrid Lind'])
    server.join(CHANNEL, fakeId(0xb3))
    await time.advance(600)
    expect(channel.members.map(({ displayName }) => displayName)).toContain('Rosa Vega')
    expect(channel.state.is).toBe('live')
  })
})
