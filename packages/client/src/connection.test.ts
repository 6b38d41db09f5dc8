import { DEFAULT_LIMITS, DEFAULT_PRE_AUTH } from '@wardline/protocol'
import { describe, expect, it } from 'vitest'
import type { ConnectionState } from './connection.ts'
import { fakeId } from './fake-server/index.ts'
import { CHANNEL, record, seqs, startClient, startLive, upTo } from './test-client.ts'

function words(states: readonly ConnectionState[]): string[] {
  return states.map((state) => (state.is === 'reconnecting' ? `${state.is} ${state.attempt}` : state.is))
}

function watch(wardline: { connection: { subscribe(run: () => void): unknown; state: ConnectionState } }) {
  const states: ConnectionState[] = []
  wardline.connection.subscribe(() => states.push(wardline.connection.state))
  return states
}

describe('opening', () => {
  it('[P1] says nothing before the challenge, then proves itself over its nonce', async () => {
    const { server, wardline, signIn } = startClient()
    const states = watch(wardline)
    const passed: string[] = []
    server.fault(({ direction, type }) => (passed.push(`${direction} ${type}`), 'deliver'))
    await signIn()
    expect(passed).toEqual(['down session.challenge', 'up session.authenticate', 'down session.authenticated'])
    expect(words(states)).toEqual(['connecting', 'live'])
    expect(wardline.connection.state).toMatchObject({ is: 'live', limits: server.limits })
  })

  it.each(['session.challenge', 'session.authenticated'])('does not wait for ever for %s', async (type) => {
    const { server, wardline, time, signIn } = startClient()
    server.fault((passing) => (passing.type === type && passing.wire === 0 ? 'drop' : 'deliver'))
    await signIn()
    expect(wardline.connection.state.is).toBe('connecting')
    await time.advance(10_000)
    expect(wardline.connection.state).toMatchObject({ is: 'reconnecting', attempt: 1, lastLiveAt: null })
    await time.advance(1_000)
    expect(wardline.connection.state.is).toBe('live')
  })

  it('hangs up on what is not a Wardline server', async () => {
    const { server, wardline, faults, signIn } = startClient()
    server.fault(({ wire, type }) => (wire === 0 && type === 'session.challenge' ? 'drop' : 'deliver'))
    await signIn()
    server.sendText('{"hello":"world"}')
    await server.settle()
    expect(faults).toEqual([{ kind: 'unreadable-frame', length: 17 }])
    expect(wardline.connection.state.is).toBe('reconnecting')
  })
})

describe('[R-17] renewing', () => {
  it('a 30-minute line with 1-minute tokens loses nothing', async () => {
    const { server, wardline, time } = await startLive({ tokenSeconds: 60 })
    const events = record(wardline)
    wardline.channel(CHANNEL).open()
    await server.settle()
    for (let minute = 0; minute < 30; minute += 1) {
      server.say(CHANNEL, `minute ${minute}`)
      await time.advance(60_000)
    }
    expect(server.wires()).toBe(1)
    expect(seqs(events)).toEqual(upTo(30))
    expect(server.requests.filter(({ type }) => type === 'session.renew').length).toBeGreaterThanOrEqual(30)
    expect(server.requests.filter(({ type }) => type === 'channel.subscribe').length).toBe(1)
  })

  it('uses a token that a call has fetched already, unless something changed', async () => {
    const { server, wardline } = await startLive()
    server.spoilTokens()
    await wardline.api.me()
    const refreshes = () => server.calls.filter(({ path }) => path === '/auth/refresh').length
    server.renew('expiry')
    await server.settle()
    expect(refreshes()).toBe(1)
    server.spoilTokens()
    await wardline.api.me()
    expect(refreshes()).toBe(2)
    server.renew('role-change')
    await server.settle()
    expect(refreshes()).toBe(3)
    expect(server.open()).toBe(1)
  })

  it('tries again while there is time, when the network fails', async () => {
    const { server, wardline, time } = await startLive()
    let failures = 2
    server.http('POST /auth/refresh', () => (failures-- > 0 ? { status: 503 } : undefined))
    server.renew('role-change', 10_000)
    await time.advance(4_000)
    expect(server.requests.filter(({ type }) => type === 'session.renew').length).toBe(1)
    expect(wardline.connection.state.is).toBe('live')
  })

  it('after 4440 takes a new token, comes back and resumes', async () => {
    const { server, wardline, time } = await startLive()
    const events = record(wardline)
    wardline.channel(CHANNEL).open()
    server.fault(({ type }) => (type === 'session.renew-required' ? 'drop' : 'deliver'))
    await time.advance(240_000)
    server.closeAll(4440)
    await server.settle()
    server.say(CHANNEL, 'while away')
    await time.advance(1_000)
    expect(wardline.connection.state.is).toBe('live')
    expect(seqs(events)).toEqual([1])
  })
})

describe('a line that dies', () => {
  it('is noticed by a screen that only listens, in 25 seconds', async () => {
    const { server, wardline, time } = await startLive()
    server.freeze()
    await time.advance(24_000)
    expect(wardline.connection.state.is).toBe('live')
    await time.advance(2_000)
    expect(words([wardline.connection.state])).toEqual(['live'])
    expect(server.wires()).toBe(2)
  })

  it('is asked whether it lives every 15 seconds, and is not when it was heard', async () => {
    const { server, wardline, time } = await startLive()
    wardline.channel(CHANNEL).open()
    await server.settle()
    const pings = () => server.requests.filter(({ type }) => type === 'session.ping').length
    for (let n = 0; n < 6; n += 1) {
      server.say(CHANNEL, 'still here')
      await time.advance(10_000)
    }
    expect(pings()).toBe(0)
    await time.advance(60_000)
    expect(pings()).toBe(4)
    expect(server.wires()).toBe(1)
  })

  it('is noticed by the request that it does not answer', async () => {
    const { server, wardline, time } = await startLive()
    server.freeze()
    const post = wardline.post(CHANNEL, 'anyone?')
    await time.advance(9_900)
    expect(server.wires()).toBe(1)
    await time.advance(1_000)
    expect(server.wires()).toBe(2)
    expect(await wardline.outbox.accepted(post.clientId).catch(() => 'settled before')).toBeDefined()
    expect(server.bodies(CHANNEL)).toEqual(['anyone?'])
  })

  it('is looked at when somebody comes back to the screen, and given up in five seconds', async () => {
    let wake = () => undefined as void
    const { server, time } = await startLive({}, { wake: (run) => ((wake = run), () => undefined) })
    server.freeze()
    wake()
    await time.advance(4_900)
    expect(server.wires()).toBe(1)
    await time.advance(700)
    expect(server.wires()).toBe(2)
  })

  it('is kept when it answers the look', async () => {
    let wake = () => undefined as void
    const { server, time } = await startLive({}, { wake: (run) => ((wake = run), () => undefined) })
    wake()
    await time.advance(14_000)
    expect(server.wires()).toBe(1)
  })

  it('says since when what is shown may be old', async () => {
    const { server, wardline, time } = await startLive()
    await time.advance(12_000)
    const cutAt = time.now()
    server.offline()
    await server.settle()
    expect(wardline.connection.state).toEqual({
      is: 'reconnecting',
      attempt: 1,
      nextAt: cutAt + 500,
      lastLiveAt: cutAt,
    })
    await time.advance(30_000)
    expect(wardline.connection.state).toMatchObject({ is: 'reconnecting', lastLiveAt: cutAt })
  })

  it('is tried at once when the network is back', async () => {
    let wake = () => undefined as void
    const { server, wardline, time } = await startLive({}, { wake: (run) => ((wake = run), () => undefined) })
    server.offline()
    await time.advance(120_000)
    server.online()
    wake()
    await server.settle()
    expect(wardline.connection.state.is).toBe('live')
  })

  it('with an unreachable server is tried ever more seldom', async () => {
    const { server, wardline, time } = await startLive()
    await time.advance(10_000)
    const states = watch(wardline)
    server.offline()
    await time.advance(60_000)
    const pauses = states.flatMap((s) => (s.is === 'reconnecting' && s.nextAt !== null ? [s.attempt] : []))
    expect(pauses).toEqual(upTo(pauses.length))
    expect(pauses.length).toBeLessThan(10)
  })
})

it('a line that is taken and dropped at once, again and again, is tried ever more seldom', async () => {
  const { server, wardline, time } = await startLive()
  const pauses: number[] = []
  wardline.connection.subscribe(() => {
    const { state } = wardline.connection
    if (state.is === 'live') server.closeAll(1012)
    if (state.is === 'reconnecting' && state.nextAt !== null) pauses.push(state.nextAt - time.now())
  })
  server.cut()
  await time.advance(60_000)
  expect(pauses.slice(0, 6)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000])
})

describe('a close', () => {
  it('4403 ends the session and is not retried', async () => {
    const { server, wardline, time } = await startLive()
    server.closeAll(4403)
    await time.advance(60_000)
    expect(wardline.session.state).toEqual({ is: 'signed-out', reason: 'revoked' })
    expect(server.wires()).toBe(1)
  })

  it('4409 stops, until the person asks', async () => {
    const { server, wardline, time } = await startLive()
    server.closeAll(4409)
    await time.advance(60_000)
    expect(wardline.connection.state).toEqual({ is: 'stopped', reason: 'replaced' })
    wardline.connection.retryNow()
    await server.settle()
    expect(wardline.connection.state.is).toBe('live')
  })

  it('4401 is asked about over HTTPS: a session that lives comes back', async () => {
    const { server, wardline, time } = await startLive()
    server.spoilTokens()
    server.closeAll(4401)
    await time.advance(1_000)
    expect(wardline.connection.state.is).toBe('live')
  })

  it('4401 twice signs out', async () => {
    const { server, wardline, time } = await startLive()
    server.fault(({ type, wire, direction }) =>
      direction === 'up' && wire > 0 && type === 'session.authenticate' ? 'drop' : 'deliver',
    )
    server.closeAll(4401)
    await time.advance(1_000)
    server.closeAll(4401)
    await server.settle()
    expect(wardline.session.state).toEqual({ is: 'signed-out', reason: 'expired' })
  })

  it('4401 of a session that is over signs out by the word of HTTPS', async () => {
    const { server, wardline, time } = await startLive()
    server.endSessions()
    server.closeAll(4401)
    await time.advance(1_000)
    expect(wardline.session.state).toEqual({ is: 'signed-out', reason: 'expired' })
    expect(wardline.connection.state).toEqual({ is: 'offline' })
  })

  it('of a draining server is followed after the time that it stated', async () => {
    const { server, wardline, time } = await startLive()
    await time.advance(12_000)
    server.drain(5_000)
    await time.advance(5_400)
    expect(server.wires()).toBe(1)
    await time.advance(200)
    expect(wardline.connection.state.is).toBe('live')
  })
})

describe('[R-50] a frame that cannot be read', () => {
  it.each([
    ['text that is not JSON', 'no'],
    ['an unknown type', '{"type":"world.ended"}'],
    ['a field too many', `{"type":"channel.live","channel":"${CHANNEL}","seq":1,"more":1}`],
    ['a field of a wrong type', `{"type":"channel.live","channel":"${CHANNEL}","seq":"1"}`],
    ['an array', '[]'],
  ])('is reported and not acted on: %s', async (_name, text) => {
    const { server, wardline, faults } = await startLive()
    server.sendText(text)
    await server.settle()
    expect(faults).toEqual([{ kind: 'unreadable-frame', length: text.length }])
    expect(wardline.connection.state.is).toBe('live')
  })

  it('nor is a binary one, an answer to nothing, or a second challenge', async () => {
    const { server, wardline, faults } = await startLive()
    server.sendBinary()
    server.send({ type: 'done', replyTo: 'nobody' })
    server.send({
      type: 'session.challenge',
      nonce: 'n'.repeat(22),
      connectionId: fakeId(1),
      serverTime: '2026-11-22T03:00:00.000Z',
      deadlineMs: 5000,
    })
    await server.settle()
    expect(faults).toEqual([
      { kind: 'unreadable-frame', length: 0 },
      { kind: 'unexpected-frame', type: 'done' },
      { kind: 'unexpected-frame', type: 'session.challenge' },
    ])
    expect(wardline.connection.state.is).toBe('live')
  })
})

describe('[R-51] the limits that the server states', () => {
  it('500 channels are subscribed without one refusal for speed', async () => {
    const ids = Array.from({ length: 500 }, (_, n) => fakeId(0x20000 + n))
    const { server, wardline, time } = await startLive({ channels: ids.map((id) => ({ id })) })
    for (const id of ids) wardline.channel(id).open()
    await server.settle()
    expect(server.requests.length).toBeLessThanOrEqual(DEFAULT_LIMITS.requestBurst)
    await time.advance(12_000)
    expect(ids.every((id) => wardline.channel(id).state.is === 'live')).toBe(true)
  })

  it('[P9] one that is not known is let pass, and what is known is kept', async () => {
    const limits = { inFlight: 3, lettersPerHour: 60 }
    const { wardline, faults } = await startLive({ limits })
    const known = { ...DEFAULT_LIMITS, ...DEFAULT_PRE_AUTH, inFlight: 3 }
    expect(wardline.connection.state).toMatchObject({ is: 'live' })
    expect(wardline.connection.state).toHaveProperty('limits', known)
    expect(faults).toEqual([])
  })

  it('no more requests wait for an answer than are allowed', async () => {
    const { server, wardline, time } = await startLive({ limits: { inFlight: 3 } })
    server.fault(({ type }) => (type === 'done' ? { delayMs: 100 } : 'deliver'))
    for (let n = 0; n < 8; n += 1) void wardline.connection.request({ type: 'session.ping' })
    const asked: number[] = []
    for (let n = 0; n < 3; n += 1) {
      await server.settle()
      asked.push(server.requests.length)
      await time.advance(100)
    }
    expect(asked).toEqual([3, 6, 8])
  })

  it('a frame that is too long is not sent: it would end the line', async () => {
    const { server, wardline } = await startLive({ limits: { frameBytes: 2_000 } })
    const post = wardline.post(CHANNEL, '\u00e9'.repeat(1_500))
    expect(wardline.outbox.list()[0]).toMatchObject({
      clientId: post.clientId,
      state: { is: 'refused', code: 'too-large' },
    })
    await server.settle()
    expect(server.open()).toBe(1)
  })
})

it('close lets go of everything: no timer is left', async () => {
  const { wardline, time, server } = await startLive()
  wardline.channel(CHANNEL).open()
  wardline.channel(CHANNEL).markRead(1)
  await server.settle()
  wardline.close()
  await server.settle()
  expect(time.pending()).toBe(0)
})
