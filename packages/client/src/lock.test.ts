import { describe, expect, it, onTestFinished } from 'vitest'
import { createFakeServer, manualTime } from './fake-server/index.ts'
import { createWardline } from './index.ts'
import type { TabMessage, Tabs } from './tabs.ts'

const MINUTE = 60_000
const channel = { id: '00000000-0000-4000-8000-0000000000c1', kind: 'group', title: 'Night' } as const

/** Two tabs of one browser, and the wire between them. */
function twoTabs(): [Tabs, Tabs] {
  const listeners: ((message: TabMessage) => void)[][] = [[], []]
  return [0, 1].map((mine) => ({
    post: (message: TabMessage) => listeners[1 - mine]?.forEach((run) => run(message)),
    onMessage: (run: (message: TabMessage) => void) => {
      listeners[mine]?.push(run)
      return () => undefined
    },
    close: () => undefined,
  })) as [Tabs, Tabs]
}

async function setUp() {
  const time = manualTime()
  const server = createFakeServer({ time, channels: [channel] })
  const [mine, others] = twoTabs()
  const jar = { refresh: null }
  const browser = server.browser({ jar, tabs: mine })
  const wardline = createWardline(browser)
  const other = createWardline({ ...server.browser({ jar, tabs: others }), storage: browser.storage as never })
  onTestFinished(() => {
    wardline.close()
    other.close()
  })
  await wardline.signIn({ tenant: 'riverside', username: server.users[0]?.username ?? '', password: 'right' })
  await server.settle()
  return { time, server, wardline, other }
}

describe('[R-21] a locked session', () => {
  it('is shown as such when the server closes the line; nothing is asked; the password opens it and the line is back', async () => {
    const { server, wardline } = await setUp()
    const opened = wardline.channel(channel.id)
    opened.open()
    await server.settle()
    server.lock('locked-idle')
    await server.settle()
    expect(wardline.session.state).toMatchObject({ is: 'locked', why: 'idle', user: { id: server.users[0]?.id } })
    expect(wardline.connection.state.is).toBe('offline')
    expect(opened.state.is).toBe('closed')
    const asked = server.calls.length
    await expect(wardline.channels()).rejects.toMatchObject({ code: 'locked', retry: 'after-unlock' })
    expect(server.calls.length).toBe(asked)
    await expect(wardline.unlock({ password: 'wrong' })).rejects.toMatchObject({ why: 'password-wrong' })
    expect(wardline.session.state.is).toBe('locked')
    await wardline.unlock({ password: 'right' })
    await server.settle()
    expect(wardline.session.state.is).toBe('signed-in')
    expect(wardline.connection.state.is).toBe('live')
  })

  it('keeps what was written and not sent yet', async () => {
    const { server, wardline } = await setUp()
    server.fault(() => 'drop')
    wardline.post(channel.id, 'Lactate 2.8')
    server.fault(null)
    server.lock()
    await server.settle()
    expect(() => wardline.post(channel.id, 'Another')).toThrow()
    await wardline.unlock({ password: 'right' })
    await server.settle()
    expect(server.bodies(channel.id)).toEqual(['Lactate 2.8'])
  })

  it('is found locked by a page that is opened, and by a call', async () => {
    const { server, wardline, other } = await setUp()
    server.lock('locked-risk')
    await expect(wardline.channels()).rejects.toMatchObject({ code: 'locked' })
    expect(wardline.session.state).toMatchObject({ is: 'locked', why: 'risk' })
    await other.restore()
    expect(other.session.state.is).toBe('locked')
    expect(other.connection.state.is).toBe('offline')
  })

  it('is locked and opened in all tabs at once', async () => {
    const { server, wardline, other } = await setUp()
    await other.restore()
    await server.settle()
    await wardline.lock()
    expect([wardline.session.state, other.session.state]).toMatchObject([
      { is: 'locked', why: 'own' },
      { is: 'locked' },
    ])
    await server.settle()
    await wardline.unlock({ password: 'right' })
    await server.settle()
    expect([wardline.connection.state.is, other.connection.state.is]).toEqual(['live', 'live'])
  })

  it('is not ended by it: signing out still works', async () => {
    const { server, wardline } = await setUp()
    server.lock()
    await server.settle()
    expect(await wardline.signOut()).toEqual({ reached: true })
    expect(wardline.session.state).toEqual({ is: 'signed-out', reason: 'signed-out' })
  })
})

describe('[R-21] whether somebody is there', () => {
  const told = ({ requests }: { readonly requests: readonly { readonly type: string }[] }) =>
    requests.filter(({ type }) => type === 'session.activity').length

  it('is told to the server seldom, and at once where it has warned; the warning is the server’s to take back', async () => {
    const { time, server, wardline } = await setUp()
    for (let touches = 0; touches < 50; touches += 1) wardline.active()
    await server.settle()
    expect(told(server)).toBe(1)
    await time.advance(10_000)
    await server.settle()
    wardline.active()
    await server.settle()
    expect(told(server)).toBe(2)
    server.warn('idle', MINUTE)
    await server.settle()
    const { state } = wardline.session
    expect(state).toMatchObject({ is: 'signed-in', warning: { reason: 'idle', at: time.now() + MINUTE } })
    wardline.active()
    await server.settle()
    expect(told(server)).toBe(3)
    server.warn('idle', null)
    await server.settle()
    expect(wardline.session.state).toMatchObject({ warning: null })
  })

  it('that the session ends is not taken back by it', async () => {
    const { server, wardline } = await setUp()
    server.warn('end', 5 * MINUTE)
    server.warn('idle', null)
    await server.settle()
    expect(wardline.session.state).toMatchObject({ warning: { reason: 'end' } })
  })

  it('counts here as well while the server cannot be reached, for whoever reports it', async () => {
    const { time, server, wardline, other } = await setUp()
    await other.restore()
    await server.settle()
    wardline.active()
    server.offline()
    await server.settle()
    await time.advance(9 * MINUTE)
    expect(wardline.session.state.is).toBe('signed-in')
    wardline.active()
    await time.advance(9 * MINUTE)
    expect(wardline.session.state.is).toBe('signed-in')
    await time.advance(2 * MINUTE)
    expect(wardline.session.state).toMatchObject({ is: 'locked', why: 'idle' })
    server.online()
    await wardline.unlock({ password: 'right' })
    await server.settle()
    expect(wardline.connection.state.is).toBe('live')
  })
})
