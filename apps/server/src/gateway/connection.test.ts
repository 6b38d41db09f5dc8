import { noScopes, withoutStepUp } from '@wardline/policy'
import { DEFAULT_LIMITS, DEFAULT_PRE_AUTH } from '@wardline/protocol'
import { describe, expect, it } from 'vitest'
import type { AccessSnapshot } from '../access/snapshot.ts'
import { type AuditFact, auditAddress, auditId, auditSecretId } from '../audit/event.ts'
import { silentBus } from '../bus/bus.ts'
import { manualClock } from '../clock.ts'
import { Refusal } from '../errors.ts'
import { FamiliarNetworks } from '../limits/familiar-networks.ts'
import { UserRates } from '../limits/user-rates.ts'
import { createLogger } from '../log.ts'
import type { Authenticated } from '../sessions/authenticate.ts'
import { usedFrom } from '../sessions/used-from.ts'
import { StorageUnavailable } from '../storage/errors.ts'
import { Connection } from './connection.ts'
import { payloadOf } from './frame.ts'
import type { Gateway } from './gateway.ts'
import type { Line } from './line.ts'
import { Sockets } from './sockets.ts'
import { Wheel } from './wheel.ts'

const ID = '3f2504e0-4f89-41d3-9a0c-0305e82c3301'
const SESSION = auditSecretId('s'.repeat(32))
const FIRST = JSON.stringify({ type: 'session.authenticate', id: 'a', token: 'a.b.c', proof: 'a.b.c' })

/** A connection with a line that only takes notes, and a sign-in that is judged when the test says so. */
function setUp() {
  const clock = manualClock()
  const sent: { type: string }[] = []
  const ended: string[] = []
  const audited: AuditFact[] = []
  const left: string[] = []
  const logged: string[] = []
  let settled = 0
  let known = 0
  let stopped = 0
  let judge: (outcome: Error | null) => void = () => undefined
  const snapshot = {
    access: { tenant: ID, user: ID, status: 'active', roles: new Set(), permissions: new Set(), careTeam: new Map() },
    profile: { username: 'lind', displayName: 'Lind', title: null, tenant: { id: ID, slug: 'riverside', name: 'R' } },
    sessions: new Map([[SESSION as string, { expiresAt: clock.now() + 43_200_000 }]]),
    channels: new Map(),
    revokedTokens: new Set(),
    settings: { idleSeconds: 600, warningSeconds: 60, stepUpSeconds: 900 },
  } as unknown as AccessSnapshot
  const who = {
    tenant: ID,
    user: ID,
    actor: auditId(ID),
    session: SESSION,
    device: auditSecretId('d'.repeat(43)),
    claims: { jti: 't'.repeat(32) },
    expiresAt: clock.now() + 300_000,
    sessionExpiresAt: clock.now() + 43_200_000,
    credentials: { scopes: noScopes, authTime: 0, acr: 'aal1', mtls: false },
  } as unknown as Authenticated
  const gateway = {
    clock,
    policy: withoutStepUp,
    config: { limits: DEFAULT_LIMITS, preAuth: DEFAULT_PRE_AUTH },
    log: createLogger('debug', { write: (line) => void logged.push(line) }),
    nonce: () => 'n'.repeat(32),
    wheel: new Wheel(clock),
    connections: new Set(),
    sockets: new Sockets({ clock, bus: silentBus, node: 'a', perUser: DEFAULT_LIMITS.socketsPerUser }),
    userRates: new UserRates({ limits: DEFAULT_LIMITS, clock, bus: silentBus, node: 'a' }),
    familiar: new FamiliarNetworks(clock),
    inboxes: { join: () => undefined, leave: () => undefined },
    alertNews: { join: () => undefined, leave: () => undefined },
    register: { opened: () => undefined, closed: () => undefined },
    metrics: { asked: () => undefined, refused: () => undefined, closed: () => undefined },
    strangers: { left: (_peer: unknown, because: string) => left.push(because) },
    audit: (_tenant: string, fact: AuditFact) => audited.push(fact),
    database: { auditOnly: async (_tenant: string, fact: AuditFact) => void audited.push(fact) },
    access: { watch: async () => ({ snapshot, onChange: () => undefined, stop: () => void (stopped += 1) }) },
    activity: { seenAt: () => undefined },
    sessions: {
      noteActivity: () => undefined,
      authenticate: () =>
        new Promise((resolve, reject) => {
          judge = (outcome) => (outcome === null ? resolve(who) : reject(outcome))
        }),
    },
  } as unknown as Gateway
  const line: Line = {
    backlog: 0,
    send: (frame) => void sent.push(JSON.parse(payloadOf(frame).toString()) as { type: string }),
    ping: () => void sent.push({ type: 'ping' }),
    pong: () => void sent.push({ type: 'pong' }),
    pause: () => undefined,
    resume: () => undefined,
    acceptUpTo: (bytes) => void ended.push(`up to ${bytes}`),
    close: (code, waiting) => void ended.push(`${code} ${waiting}`),
    cut: () => undefined,
  }
  const from = usedFrom('192.0.2.1', undefined)
  const address = auditAddress('192.0.2.1')
  const peer = { connection: auditId(ID), address, origin: undefined, from, certificate: null }
  const connection = new Connection(gateway, peer, () => line, {
    settled: () => void (settled += 1),
    known: () => void (known += 1),
  })
  return {
    clock,
    gateway,
    connection,
    sent,
    ended,
    audited,
    left,
    logged,
    settled: () => settled,
    known: () => known,
    stopped: () => stopped,
    judge: async (outcome: Error | null) => {
      judge(outcome)
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
    },
  }
}

describe('connection', () => {
  it('[P1] says its challenge, and with the answer that is right lets in, once', async () => {
    const { connection, sent, ended, settled, judge, audited, gateway } = setUp()
    expect(sent.map(({ type }) => type)).toEqual(['session.challenge'])
    connection.text(FIRST, FIRST.length)
    expect(connection.signedIn).toBeNull()
    await judge(null)
    expect(sent.map(({ type }) => type)).toEqual(['session.challenge', 'session.authenticated'])
    expect(ended).toEqual([`up to ${DEFAULT_LIMITS.frameBytes}`])
    expect(settled()).toBe(1)
    expect(audited.map(({ action }) => action)).toEqual(['socket.connect', 'socket.authenticate'])
    connection.closed(1001)
    expect(audited.at(-1)).toMatchObject({ action: 'socket.close', reason: 'closed-by-client', session: SESSION })
    expect(gateway.connections.size + gateway.sockets.count).toBe(0)
  })

  it.each<[string, Error, string]>([
    ['credentials that are none', new Refusal('unauthenticated', 'proof'), '4401 drop'],
    ['a store that is away', new StorageUnavailable('away'), '1013 drop'],
    ['what nobody foresaw', new TypeError('what nobody foresaw'), '1011 drop'],
  ])('%s close it, and nothing more is said', async (_, error, expected) => {
    const { connection, sent, ended, left, settled, judge, logged } = setUp()
    connection.text(FIRST, FIRST.length)
    await judge(error)
    connection.text(FIRST, FIRST.length)
    expect(ended).toEqual([expected])
    expect(sent).toHaveLength(1)
    expect(left).toHaveLength(1)
    expect(settled()).toBe(1)
    expect(logged.join('')).not.toContain('what nobody foresaw')
  })

  it.each<[string, (connection: Connection) => void, string, string]>([
    ['a ping', (connection) => connection.ping(Buffer.alloc(0)), '4400 drop', 'state'],
    ['a pong', (connection) => connection.pong(), '4400 drop', 'state'],
    ['a second frame', (connection) => connection.text(FIRST, FIRST.length), '4400 drop', 'state'],
    ['bytes', (connection) => connection.binary(), '1003 finish', 'binary'],
    ['too much', (connection) => connection.text('x', 5_000), '1009 drop', 'oversize'],
  ])('%s while it is judged end it; the verdict comes too late', async (_, act, expected, reason) => {
    const { connection, sent, ended, left, judge, stopped, audited } = setUp()
    connection.text(FIRST, FIRST.length)
    act(connection)
    await judge(null)
    expect(ended).toEqual([expected])
    expect(left).toEqual([reason])
    expect(sent).toHaveLength(1)
    expect(stopped()).toBe(1)
    // Whose log says that they were let in says as well that they were not kept.
    expect(audited.at(-2)).toMatchObject({ action: 'socket.authenticate', outcome: 'allowed' })
    expect(audited.at(-1)).toMatchObject({ action: 'socket.close', reason, session: SESSION })
  })

  it('[P8] R-51 who is held off is not let in, and their coming again and again is not written down each time', async () => {
    const { connection, ended, left, judge, stopped, audited, gateway } = setUp()
    gateway.userRates.hold(ID, ID)
    connection.text(FIRST, FIRST.length)
    await judge(null)
    expect(ended).toEqual(['4429 drop'])
    expect(left).toEqual(['held-off'])
    expect(stopped()).toBe(1)
    expect(audited).toEqual([])
  })

  it.each([
    ['pings', (connection: Connection) => connection.ping(Buffer.alloc(0))],
    ['pongs', (connection: Connection) => connection.pong()],
  ])('R-06 a flood of %s is abuse, and their user is held off', async (_, flood) => {
    const { connection, ended, judge, gateway } = setUp()
    connection.text(FIRST, FIRST.length)
    await judge(null)
    const { requestBurst } = DEFAULT_LIMITS
    for (let each = 0; each <= 2 * requestBurst; each += 1) flood(connection)
    expect(ended.at(-1)).toBe('4429 finish')
    expect(gateway.userRates.heldFor(ID, ID)).toBe(DEFAULT_LIMITS.holdOffMs)
  })

  it('[P1] its deadline is absolute, also while a verdict is waited for', async () => {
    const { clock, connection, ended, left, judge, stopped } = setUp()
    connection.text(FIRST, FIRST.length)
    clock.advance(5_500)
    expect(ended).toEqual(['4408 drop'])
    await judge(null)
    expect(connection.signedIn).toBeNull()
    expect(left).toEqual(['timeout'])
    expect(stopped()).toBe(1)
  })

  it('what nobody foresaw in a request ends this socket with 1011, and says so to the log alone', async () => {
    const { connection, ended, judge, logged } = setUp()
    connection.text(FIRST, FIRST.length)
    await judge(null)
    // The half of the gateway that this request would need is not there.
    connection.text(JSON.stringify({ type: 'channel.unsubscribe', id: 'x', channel: ID }), 100)
    expect(ended.at(-1)).toBe(`up to ${DEFAULT_LIMITS.frameBytes}`)
    Object.defineProperty(connection.signedIn, 'charge', {
      value: () => {
        throw new TypeError('never')
      },
    })
    connection.text('{}', 2)
    expect(ended.at(-1)).toBe('1011 drop')
    expect(logged.join('')).toContain('socket.failed')
  })
})
