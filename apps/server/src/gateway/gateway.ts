import type { PolicySettings } from '@wardline/policy'
import type { Access } from '../access/access.ts'
import { AlertNews } from '../alerts/news.ts'
import { type AuditFact, auditAddress } from '../audit/event.ts'
import type { AuditReason } from '../audit/vocabulary.ts'
import type { Bus } from '../bus/bus.ts'
import { KnownChannels } from '../channels/known-channels.ts'
import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { Proxies } from '../http/forwarded.ts'
import type { Keyring } from '../keys/keyring.ts'
import { Addresses } from '../limits/addresses.ts'
import { Door } from '../limits/door.ts'
import { FamiliarNetworks } from '../limits/familiar-networks.ts'
import { Handshakes } from '../limits/handshakes.ts'
import { Readings } from '../limits/readings.ts'
import { Turns } from '../limits/turns.ts'
import { UserRates } from '../limits/user-rates.ts'
import type { Logger } from '../log.ts'
import { readableEvent } from '../messages/stored-event.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { Presence } from '../presence/presence.ts'
import { Receipts } from '../receipts/receipts.ts'
import { randomSecretId } from '../sessions/access-token.ts'
import type { Activity } from '../sessions/activity.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { CommitResult } from '../storage/channel-event.ts'
import type { Database } from '../storage/open.ts'
import { TypingSigns } from '../typing/typing.ts'
import { Admission } from './admission.ts'
import { type CommitRequest, Committer, Committers } from './committer.ts'
import type { Connection } from './connection.ts'
import { drain } from './drain.ts'
import { encode } from './frame.ts'
import { followHints } from './hints.ts'
import { Hub } from './hub.ts'
import { Inboxes } from './inboxes.ts'
import { Turn } from './outlet.ts'
import { Poller } from './poller.ts'
import type { FramedEvent } from './recent-events.ts'
import { SocketRegister } from './socket-register.ts'
import { Sockets } from './sockets.ts'
import { Strangers } from './strangers.ts'
import { Wheel } from './wheel.ts'

/** What the gateway is made of, and made from. */
export type GatewayParts = {
  readonly config: Config
  readonly clock: Clock
  readonly log: Logger
  readonly policy: PolicySettings
  readonly database: Database
  readonly keyring: Keyring
  readonly bus: Bus
  readonly access: Access
  readonly sessions: Pick<Sessions, 'authenticate' | 'noteActivity' | 'lockIfIdle'>
  readonly activity: Pick<Activity, 'seenAt'>
  readonly metrics: Pick<Metrics, 'asked' | 'refused' | 'closed' | 'committed'>
  readonly proxies: Pick<Proxies, 'isTrusted'>
}

/** Everything that the sockets of this node share. */
export interface Gateway extends GatewayParts {
  readonly addresses: Addresses
  readonly door: Door
  readonly admission: Admission
  /** In which sockets that are asked for are begun. */
  readonly upgrades: Turns
  readonly familiar: FamiliarNetworks
  readonly userRates: UserRates
  readonly readings: Readings
  readonly strangers: Strangers
  readonly wheel: Wheel
  readonly turn: Turn
  /** All that are open, signed in or not. */
  readonly connections: Set<Connection>
  readonly sockets: Sockets
  readonly register: SocketRegister
  readonly hub: Hub
  readonly committers: Committers
  readonly channels: KnownChannels
  readonly inboxes: Inboxes
  readonly alertNews: AlertNews
  readonly receipts: Receipts
  readonly typing: TypingSigns
  readonly presence: Presence
  readonly poller: Poller
  /** Whether no more sockets are let in. */
  readonly draining: boolean
  /** 192 random bits for a challenge. */
  nonce(): string
  /** Writes an event that no change waits for; null: of no tenant. */
  audit(tenant: string | null, fact: AuditFact): void
  /** Lets the sockets go, one after the other, within `ms`; then whatever was posted is committed. */
  drain(ms: number): Promise<void>
  close(): Promise<void>
}

/** So many of a network are on their way in at once, about: more of them only take longer each. */
const CROWD = 96
/** Decrypted events of quiet channels are let go at this pace. */
const FORGET_MS = 10_000

export function createGateway(parts: GatewayParts): Gateway {
  const { config, clock, log, policy, database, keyring, bus, access, proxies, metrics } = parts
  const node = randomSecretId()
  const { limits, preAuth } = config
  const onFault = (error: unknown) => log.warn('gateway.failed', { error })
  const audit = (tenant: string | null, fact: AuditFact) => {
    database.auditOnly(tenant, fact).catch((error: unknown) => log.error('audit.failed', { error }))
  }

  const channels = new KnownChannels({ readChannel: database.readChannel, keyring, clock, onFault })
  const inboxes = new Inboxes({ clock, policy, channels, readUnread: database.readUnread, log })
  const alertNews = new AlertNews({ clock, policy, alertCounts: database.alertCounts, onFault })
  const hub = new Hub({
    readEvents: async (tenant, channel, after, limit) => {
      const stored = await database.readEvents(tenant, channel, after, limit)
      return Promise.all(stored.map((each) => framed(keyring, tenant, channel, each, (fact) => audit(tenant, fact))))
    },
    log,
    onMessage: (tenant, channel, event) => inboxes.message(tenant, channel, event),
  })
  const committers = new Committers(
    (tenant) =>
      new Committer((items) => measured(metrics, items, () => database.commitBatch(tenant, items)), {
        onBatch: (requests, results) => hintAt(bus, tenant, requests, results),
        onFault: (error) => log.error('commit.failed', { tenant, error }),
      }),
  )
  const receipts = new Receipts({ clock, committers, hub, inboxes, bus, log })
  const typing = new TypingSigns({ clock, hub, bus })
  const presence = new Presence({ clock, hub, bus, access, onFault })
  const poller = new Poller({ clock, database, access, hub, inboxes, pollMs: limits.pollMs, onFault })
  const admission = new Admission(preAuth, clock)
  const strangers = new Strangers(clock, audit, (ip) => addresses.fault(ip))
  const limited = (ip: string, because: AuditReason) => strangers.limited(auditAddress(ip), because)
  const addressLimits = { ...preAuth, holdOffMs: limits.holdOffMs }
  const addresses = new Addresses(addressLimits, clock, (ip) => limited(ip, 'held-off'))
  const isProxy = (ip: string) => proxies.isTrusted(ip)
  const familiar = new FamiliarNetworks(clock)
  const handshakes = new Handshakes({
    familiar,
    isProxy,
    isCrowded: (network) => door.begunOf(network) >= CROWD,
    handshakeMs: preAuth.handshakeMs,
    onFault(ip, because) {
      if (!isProxy(ip)) addresses.fault(ip)
      strangers.unreadable(auditAddress(ip), because)
    },
  })
  const door = new Door({ limits: preAuth, addresses, isProxy, handshakes, onRefused: limited })
  const userRates = new UserRates({ limits, clock, bus, node })
  const sockets = new Sockets({ clock, bus, node, perUser: limits.socketsPerUser })
  const register = new SocketRegister({ clock, database, node, onFault })
  const wheel = new Wheel(clock)
  const unfollow = followHints(bus, {
    access,
    hub,
    inboxes,
    receipts,
    typing,
    presence,
    poller,
    sockets,
    userRates,
    onFault,
  })
  const stopForgetting = clock.every(FORGET_MS, () => hub.forgetIdle())
  let draining = false

  const gateway: Gateway = {
    ...parts,
    addresses,
    door,
    admission,
    upgrades: new Turns(familiar),
    familiar,
    userRates,
    readings: new Readings(),
    strangers,
    wheel,
    turn: new Turn(),
    connections: new Set(),
    sockets,
    register,
    hub,
    committers,
    channels,
    inboxes,
    alertNews,
    receipts,
    typing,
    presence,
    poller,
    get draining() {
      return draining
    },
    nonce: randomSecretId,
    audit,
    async drain(ms) {
      draining = true
      await drain(gateway, ms)
      receipts.flush()
      await committers.drained()
    },
    async close() {
      draining = true
      for (const connection of [...gateway.connections]) connection.end(1001, 'draining', 'finish')
      for (const stop of [unfollow, stopForgetting]) stop()
      for (const part of [
        addresses,
        admission,
        userRates,
        sockets,
        strangers,
        wheel,
        typing,
        presence,
        inboxes,
        alertNews,
      ])
        part.close()
      await poller.close()
      await register.close()
      await committers.drained()
    },
  }
  return gateway
}

async function framed(...given: Parameters<typeof readableEvent>): Promise<FramedEvent> {
  const readable = await readableEvent(...given)
  const [, , , stored] = given
  const { event } = readable
  const isMessage = event.type === 'message.posted'
  return {
    seq: stored.seq,
    frame: encode(readable),
    sender: isMessage ? event.sender : null,
    urgent: isMessage && event.priority !== 'routine',
  }
}

async function measured(
  metrics: Pick<Metrics, 'committed'>,
  { length: items }: readonly unknown[],
  commit: () => Promise<readonly CommitResult[]>,
): Promise<readonly CommitResult[]> {
  const began = performance.now()
  const results = await commit()
  let accepted = 0
  for (const { verdict } of results) if (verdict === 'accepted') accepted += 1
  metrics.committed({ items, accepted, ms: performance.now() - began })
  return results
}

/** After the commit: how far each channel of the batch has got now. */
function hintAt(bus: Bus, tenant: string, requests: readonly CommitRequest[], results: readonly CommitResult[]): void {
  const heads = new Map<string, number>()
  for (const [place, { item }] of requests.entries()) {
    const result = results[place]
    if (result?.verdict !== 'accepted') continue
    heads.set(item.channelId, Math.max(result.seq, heads.get(item.channelId) ?? 0))
  }
  for (const [channel, head] of heads) bus.publish({ k: 'channel', t: tenant, c: channel, head })
}
