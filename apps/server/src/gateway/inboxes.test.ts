import { noScopes, withoutStepUp } from '@wardline/policy'
import { describe, expect, it } from 'vitest'
import type { KnownChannels } from '../channels/known-channels.ts'
import { manualClock } from '../clock.ts'
import { createLogger } from '../log.ts'
import type { Unread } from '../storage/gateway-reads.ts'
import { payloadOf } from './frame.ts'
import { Inboxes, type InboxHolder } from './inboxes.ts'

const [TENANT, CHANNEL, ME, OTHER] = ['t', 'c', 'me', 'other'] as const

function setUp(stored: Partial<Unread> = {}) {
  const clock = manualClock()
  const asked: string[] = []
  const resource = {
    kind: 'channel',
    tenant: TENANT,
    id: CHANNEL,
    channelKind: 'group',
    patient: null,
    archived: false,
  } as const
  const inboxes = new Inboxes({
    clock,
    policy: withoutStepUp,
    channels: { load: () => Promise.resolve({ resource, key: {} }) } as unknown as KnownChannels,
    readUnread: async (_tenant, pairs) =>
      pairs.map(({ user, channel }) => {
        asked.push(`${user} ${channel}`)
        return { user, channel, head: 5, unread: 2, urgent: 1, ...stored }
      }),
    log: createLogger('silent'),
  })
  return { clock, asked, inboxes }
}

function holder(user: string, belongs = true): InboxHolder & { frames: unknown[] } {
  const frames: unknown[] = []
  return {
    tenant: TENANT,
    user,
    frames,
    send: (frame) => frames.push(JSON.parse(payloadOf(frame).toString())),
    actor: {
      tenant: TENANT,
      user,
      kind: 'person',
      status: 'active',
      roles: new Set(),
      permissions: new Set(['channel.read'] as const),
      careTeam: new Map(),
      memberships: new Map(belongs ? [[CHANNEL, { joinedAt: 0 }]] : []),
      emergencyAccess: new Map(),
      scopes: { ...noScopes, families: new Set(['clinical'] as const) },
      authTime: 0,
      acr: 'aal1',
      mtls: false,
    },
  }
}

const settle = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}
/** Lets time go by as the ticks need it: each sets the next when it is through. */
const pass = async (clock: ReturnType<typeof manualClock>, ms: number) => {
  for (let gone = 0; gone < ms; gone += 100) {
    clock.advance(100)
    await settle()
  }
}
const changed = (head: number, unread: number, urgent: number) => ({
  type: 'inbox.changed',
  channel: CHANNEL,
  head,
  unread,
  urgent,
})

describe('inboxes', () => {
  it('tell how far a channel has got and what is unread, counted from the store once and then here', async () => {
    const { clock, asked, inboxes } = setUp()
    const me = holder(ME)
    inboxes.join(me, new Map([[CHANNEL, 4]]))
    inboxes.message(TENANT, CHANNEL, { seq: 5, sender: OTHER, urgent: true })
    clock.advance(100)
    await settle()
    expect(me.frames).toEqual([changed(5, 2, 1)])
    inboxes.message(TENANT, CHANNEL, { seq: 6, sender: OTHER, urgent: false })
    inboxes.message(TENANT, CHANNEL, { seq: 7, sender: ME, urgent: false })
    await pass(clock, 2_000)
    expect(me.frames.slice(1)).toEqual([changed(7, 3, 1)])
    expect(asked).toEqual(['me c'])
  })

  it('tell at most once a second, the latest', async () => {
    const { clock, inboxes } = setUp({ head: 4, unread: 0, urgent: 0 })
    const me = holder(ME)
    inboxes.join(me, new Map([[CHANNEL, 4]]))
    for (let seq = 5; seq <= 54; seq += 1) {
      inboxes.message(TENANT, CHANNEL, { seq, sender: OTHER, urgent: false })
      clock.advance(100)
      await settle()
    }
    expect(me.frames.length).toBeLessThanOrEqual(6)
  })

  it('know nothing of a poll that says what is known, and ask the store when something was missed', async () => {
    const { clock, asked, inboxes } = setUp()
    const me = holder(ME)
    inboxes.join(me, new Map([[CHANNEL, 5]]))
    inboxes.learn(TENANT, CHANNEL, 5)
    await pass(clock, 1_000)
    expect(me.frames).toEqual([])
    inboxes.learn(TENANT, CHANNEL, 9)
    clock.advance(100)
    await settle()
    // The store has not got that far where it was asked: it is asked again.
    await pass(clock, 1_200)
    expect(asked.length).toBeGreaterThan(1)
  })

  it('are empty when everything is read, on another device as well', async () => {
    const { clock, inboxes } = setUp()
    const [phone, desk] = [holder(ME), holder(ME)]
    inboxes.join(phone, new Map([[CHANNEL, 4]]))
    inboxes.join(desk, new Map([[CHANNEL, 4]]))
    inboxes.message(TENANT, CHANNEL, { seq: 5, sender: OTHER, urgent: true })
    clock.advance(100)
    await settle()
    inboxes.read(TENANT, { channel: CHANNEL, user: ME, read: 5 })
    await pass(clock, 1_200)
    expect(phone.frames).toEqual([changed(5, 2, 1), changed(5, 0, 0)])
    expect(desk.frames).toEqual(phone.frames)
  })

  it('[P5] say nothing of a channel that may no longer be read, and nothing after leaving', async () => {
    const { clock, inboxes } = setUp()
    const [me, gone] = [holder(ME, false), holder(OTHER)]
    inboxes.join(me, new Map([[CHANNEL, 4]]))
    inboxes.join(gone, new Map([[CHANNEL, 4]]))
    inboxes.message(TENANT, CHANNEL, { seq: 5, sender: 'third', urgent: false })
    inboxes.leave(gone)
    clock.advance(100)
    await settle()
    expect([me.frames, gone.frames]).toEqual([[], []])
    expect([...inboxes.channels(TENANT)]).toEqual([CHANNEL])
    inboxes.revise(me, new Map())
    expect([...inboxes.channels(TENANT)]).toEqual([])
  })

  it('leave no timer behind', async () => {
    const { clock, inboxes } = setUp()
    const me = holder(ME)
    inboxes.join(me, new Map([[CHANNEL, 4]]))
    inboxes.message(TENANT, CHANNEL, { seq: 5, sender: OTHER, urgent: false })
    inboxes.close()
    expect(clock.pending).toBe(0)
  })
})
