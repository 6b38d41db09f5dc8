import { describe, expect, it } from 'vitest'
import { fakeId, nurse, physician } from './fake-server/index.ts'
import { createWardline, type OutboxStore, type Post, type StoredPost } from './index.ts'
import { CHANNEL, CREDENTIALS, record, startClient, startLive } from './test-client.ts'

const OTHER = fakeId(0xd2)

function memoryStore() {
  const posts = new Map<string, StoredPost>()
  const store: OutboxStore = {
    load: async (owner) => [...posts.values()].filter((post) => post.owner === owner),
    put: async (post) => void posts.set(post.clientId, post),
    remove: async (clientId) => void posts.delete(clientId),
    clear: async () => posts.clear(),
  }
  return { posts, store }
}

function states(posts: readonly Post[]): string[] {
  return posts.map(({ state }) => state.is)
}

describe('[R-41] a post', () => {
  it('is on its way at once, and accepted when the server has it on disk', async () => {
    const { server, wardline } = await startLive()
    const seen: string[] = []
    wardline.on('outbox', ({ state }) => seen.push(state.is))
    const { clientId } = wardline.post(CHANNEL, { body: 'BP 92/60', priority: 'urgent' })
    const accepted = wardline.outbox.accepted(clientId)
    await server.settle()
    expect(seen).toEqual(['sending', 'accepted'])
    expect(await accepted).toMatchObject({ seq: 1 })
    expect(wardline.outbox.list()).toEqual([])
    expect(server.events(CHANNEL)[0]?.event).toMatchObject({ body: 'BP 92/60', priority: 'urgent', sender: nurse.id })
  })

  it('stays in sight until its own event has come', async () => {
    const { server, wardline } = await startLive()
    record(wardline)
    wardline.channel(CHANNEL).open({ after: 0 })
    await server.settle()
    server.fault(({ type }) => (type === 'channel.event' ? { delayMs: 100 } : 'deliver'))
    wardline.post(CHANNEL, 'one')
    await server.settle()
    expect(states(wardline.outbox.list(CHANNEL))).toEqual(['accepted'])
    server.fault(null)
    server.say(CHANNEL, 'two')
    await server.settle()
    expect(wardline.outbox.list(CHANNEL)).toEqual([])
  })

  it('does not stay where the channel is closed first', async () => {
    const { server, wardline } = await startLive()
    wardline.channel(CHANNEL).open({ after: 0 })
    await server.settle()
    server.fault(({ type }) => (type === 'channel.event' ? 'drop' : 'deliver'))
    wardline.post(CHANNEL, 'one')
    await server.settle()
    wardline.channel(CHANNEL).close()
    expect(wardline.outbox.list()).toEqual([])
  })

  it('[P7] waits for those before it in its channel, and for no other channel', async () => {
    const { server, wardline, time } = await startLive({ channels: [{ id: CHANNEL }, { id: OTHER }] })
    let refusals = 1
    server.refuse((frame) =>
      frame.type === 'message.post' && frame.channel === CHANNEL && refusals-- > 0 ? 'unavailable' : undefined,
    )
    for (const body of ['one', 'two', 'three']) wardline.post(CHANNEL, body)
    wardline.post(OTHER, 'elsewhere')
    await server.settle()
    expect(server.bodies(OTHER)).toEqual(['elsewhere'])
    expect(server.bodies(CHANNEL)).toEqual([])
    await time.advance(60_000)
    expect(server.bodies(CHANNEL)).toEqual(['one', 'two', 'three'])
  })

  it('written without a line is sent when there is one', async () => {
    const { server, wardline, time } = await startLive()
    server.offline()
    await server.settle()
    wardline.post(CHANNEL, 'one')
    wardline.post(CHANNEL, 'two')
    expect(states(wardline.outbox.list())).toEqual(['queued', 'queued'])
    await time.advance(40_000)
    server.online()
    await time.advance(40_000)
    expect(server.bodies(CHANNEL)).toEqual(['one', 'two'])
  })

  it('[P4] whose answer was lost is sent again under its id, and is there once', async () => {
    const { server, wardline, time } = await startLive()
    server.fault(({ direction, type }) => (direction === 'up' && type === 'message.post' ? 'cut-after' : 'deliver'))
    const { clientId } = wardline.post(CHANNEL, 'one')
    await server.settle()
    expect(wardline.outbox.list()[0]?.state).toMatchObject({ is: 'queued', maybeSent: true })
    expect(wardline.outbox.cancel(clientId)).toBe(false)
    server.fault(null)
    await time.advance(1_000)
    expect(server.bodies(CHANNEL)).toEqual(['one'])
    expect(wardline.outbox.list()).toEqual([])
  })

  it('is accepted by its event as well as by its answer', async () => {
    const { server, wardline, time } = await startLive()
    record(wardline)
    wardline.channel(CHANNEL).open({ after: 0 })
    server.fault(({ type }) => (type === 'message.accepted' ? 'drop' : 'deliver'))
    const accepted = wardline.outbox.accepted(wardline.post(CHANNEL, 'one').clientId)
    await server.settle()
    expect(await accepted).toMatchObject({ seq: 1 })
    await time.advance(60_000)
    expect(server.requests.filter(({ type }) => type === 'message.post').length).toBe(1)
  })

  it('is not accepted by the event of somebody else who has hit upon its id', async () => {
    const { server, wardline, time } = await startLive()
    record(wardline)
    wardline.channel(CHANNEL).open({ after: 0 })
    let refusals = 1
    server.refuse(({ type }) => (type === 'message.post' && refusals-- > 0 ? 'unavailable' : undefined))
    const { clientId } = wardline.post(CHANNEL, 'mine')
    await server.settle()
    server.say(CHANNEL, 'theirs', { clientId })
    await time.advance(5_000)
    expect(server.bodies(CHANNEL)).toEqual(['theirs', 'mine'])
  })

  it('whose event does not come by itself has it asked for', async () => {
    const { server, wardline, time } = await startLive()
    const events = record(wardline)
    wardline.channel(CHANNEL).open({ after: 0 })
    await server.settle()
    server.fault(({ type }) => (type === 'channel.event' || type === 'inbox.changed' ? 'drop' : 'deliver'))
    wardline.post(CHANNEL, 'one')
    await server.settle()
    server.fault(null)
    await time.advance(3_000)
    expect(events.length).toBe(1)
    expect(wardline.outbox.list()).toEqual([])
  })

  it('that has not been on the wire can be taken back', async () => {
    const { server, wardline, time } = await startLive()
    server.offline()
    await server.settle()
    const { clientId } = wardline.post(CHANNEL, 'never mind')
    const accepted = wardline.outbox.accepted(clientId)
    expect(wardline.outbox.cancel(clientId)).toBe(true)
    await expect(accepted).rejects.toMatchObject({ code: 'not-found' })
    server.online()
    await time.advance(60_000)
    expect(server.bodies(CHANNEL)).toEqual([])
  })

  it.each(['', '   ', 'a\u0000b', '\ud800', 'x'.repeat(16_001)])(
    'that no server would take is refused here',
    async (body) => {
      const { wardline } = await startLive()
      expect(() => wardline.post(CHANNEL, body)).toThrow('The request is not valid.')
      expect(wardline.outbox.list()).toEqual([])
    },
  )

  it('of nobody is refused', () => {
    const { wardline } = startClient()
    expect(() => wardline.post(CHANNEL, 'hello')).toThrow('Sign in to do this.')
  })

  it('over the bound of a thousand is refused, and those that wait are kept', async () => {
    const { server, wardline } = await startLive()
    server.offline()
    await server.settle()
    for (let n = 0; n < 1_000; n += 1) wardline.post(CHANNEL, `${n}`)
    expect(() => wardline.post(CHANNEL, 'one too many')).toThrow('Too many requests.')
    expect(wardline.outbox.list().length).toBe(1_000)
  })
})

describe('a refusal', () => {
  it('for good is shown, does not hold up the next, and can be thrown away', async () => {
    const { server, wardline } = await startLive()
    server.refuse((frame) => (frame.type === 'message.post' && frame.body === 'bad' ? 'forbidden' : undefined))
    const bad = wardline.post(CHANNEL, 'bad')
    wardline.post(CHANNEL, 'good')
    await server.settle()
    expect(server.bodies(CHANNEL)).toEqual(['good'])
    expect(wardline.outbox.list()).toMatchObject([{ state: { is: 'refused', code: 'forbidden', retry: 'never' } }])
    await expect(wardline.outbox.accepted(bad.clientId)).rejects.toMatchObject({ code: 'forbidden' })
    wardline.outbox.discard(bad.clientId)
    expect(wardline.outbox.list()).toEqual([])
  })

  it('that asks for a step-up keeps what was typed until it is tried again', async () => {
    const { server, wardline } = await startLive()
    let raised = false
    server.refuse(({ type }) => (type === 'message.post' && !raised ? 'step-up-required' : undefined))
    const { clientId } = wardline.post(CHANNEL, 'order')
    await server.settle()
    expect(wardline.outbox.list()[0]?.state).toEqual({
      is: 'refused',
      code: 'step-up-required',
      retry: 'after-step-up',
    })
    raised = true
    wardline.outbox.retry(clientId)
    await server.settle()
    expect(server.bodies(CHANNEL)).toEqual(['order'])
  })

  it('that passes is waited out', async () => {
    const { server, wardline, time } = await startLive()
    let refusals = 6
    server.refuse(({ type }) => (type === 'message.post' && refusals-- > 0 ? 'rate-limited' : undefined))
    wardline.post(CHANNEL, 'one')
    await time.advance(180_000)
    expect(server.bodies(CHANNEL)).toEqual(['one'])
  })

  it('by a server that fails on this one post does not hold up the rest for ever', async () => {
    const { server, wardline, time } = await startLive()
    server.refuse((frame) => (frame.type === 'message.post' && frame.body === 'poison' ? 'internal' : undefined))
    wardline.post(CHANNEL, 'poison')
    wardline.post(CHANNEL, 'next')
    await time.advance(600_000)
    expect(server.bodies(CHANNEL)).toEqual(['next'])
    expect(wardline.outbox.list()).toMatchObject([{ state: { is: 'refused', code: 'internal' } }])
  })
})

describe('what outlives the page', () => {
  it('unsent posts are sent after a reload, in their order, before newer ones', async () => {
    const { posts, store } = memoryStore()
    const { server, wardline, time } = await startLive({}, { outboxStore: store })
    server.offline()
    await server.settle()
    for (const body of ['one', 'two']) {
      wardline.post(CHANNEL, body)
      await time.advance(10)
    }
    expect(posts.size).toBe(2)
    wardline.close()
    server.online()
    const reloaded = createWardline(server.browser({ outboxStore: store }))
    await reloaded.signIn(CREDENTIALS)
    reloaded.post(CHANNEL, 'three')
    await time.advance(5_000)
    expect(server.bodies(CHANNEL)).toEqual(['one', 'two', 'three'])
    expect(posts.size).toBe(0)
  })

  it('a slow store holds newer posts up, one that never answers does not', async () => {
    const { store } = memoryStore()
    const never = { ...store, load: () => new Promise<never>(() => undefined) }
    const { server, wardline, time, faults } = await startLive({}, { outboxStore: never })
    wardline.post(CHANNEL, 'now')
    await time.advance(2_900)
    expect(server.bodies(CHANNEL)).toEqual([])
    await time.advance(200)
    expect(server.bodies(CHANNEL)).toEqual(['now'])
    expect(faults).toMatchObject([{ kind: 'storage' }])
  })

  it('is sent by nobody else', async () => {
    const { posts, store } = memoryStore()
    await store.put({
      clientId: fakeId(1),
      owner: physician.id,
      channel: CHANNEL,
      draft: { body: 'not mine' },
      queuedAt: 1,
    })
    const { server, wardline } = await startLive({}, { outboxStore: store })
    await server.settle()
    expect(wardline.outbox.list()).toEqual([])
    expect(server.bodies(CHANNEL)).toEqual([])
    expect(posts.size).toBe(1)
  })

  it('nor where a careless store hands it out', async () => {
    const { posts, store } = memoryStore()
    await store.put({
      clientId: fakeId(1),
      owner: physician.id,
      channel: CHANNEL,
      draft: { body: 'not mine' },
      queuedAt: 1,
    })
    const { server } = await startLive({}, { outboxStore: { ...store, load: async () => [...posts.values()] } })
    await server.settle()
    expect(server.bodies(CHANNEL)).toEqual([])
  })

  it('is wiped at sign-out', async () => {
    const { posts, store } = memoryStore()
    const { server, wardline } = await startLive({}, { outboxStore: store })
    server.offline()
    await server.settle()
    wardline.post(CHANNEL, 'unsent')
    await wardline.signOut()
    await server.settle()
    expect(posts.size).toBe(0)
    expect(wardline.outbox.list()).toEqual([])
  })

  it('is kept, page and all, when a session only ran out: the same person goes on where they were', async () => {
    const { server, wardline } = await startLive()
    server.offline()
    await server.settle()
    wardline.post(CHANNEL, 'unsent')
    wardline.session.end('expired')
    server.online()
    await wardline.signIn(CREDENTIALS)
    await server.settle()
    expect(server.bodies(CHANNEL)).toEqual(['unsent'])
  })

  it('but not for the next person at this screen', async () => {
    const { server, wardline } = await startLive()
    server.offline()
    await server.settle()
    wardline.post(CHANNEL, 'unsent')
    wardline.session.end('expired')
    server.online()
    await wardline.signIn({ ...CREDENTIALS, username: 'physician.okafor' })
    await server.settle()
    expect(server.bodies(CHANNEL)).toEqual([])
    expect(wardline.outbox.list()).toEqual([])
  })

  it('a store that fails is reported, and the post is sent all the same', async () => {
    const fail = () => Promise.reject(new Error('disk full'))
    const store: OutboxStore = { load: fail, put: fail, remove: fail, clear: fail }
    const { server, wardline, faults } = await startLive({}, { outboxStore: store })
    wardline.post(CHANNEL, 'one')
    await server.settle()
    expect(server.bodies(CHANNEL)).toEqual(['one'])
    expect(faults.every(({ kind }) => kind === 'storage')).toBe(true)
    expect(faults.length).toBeGreaterThan(0)
  })
})

it('a list is the same object until it changes', async () => {
  const { server, wardline } = await startLive()
  server.offline()
  await server.settle()
  const empty = wardline.outbox.list(CHANNEL)
  expect(wardline.outbox.list(CHANNEL)).toBe(empty)
  wardline.post(CHANNEL, 'one')
  expect(wardline.outbox.list(CHANNEL)).not.toBe(empty)
  expect(wardline.outbox.list(CHANNEL)).toBe(wardline.outbox.list(CHANNEL))
})
