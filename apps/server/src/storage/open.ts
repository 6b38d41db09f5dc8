import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import type { AuditFact } from '../audit/event.ts'
import type { Clock } from '../clock.ts'
import { AlertReader } from './alert-reader.ts'
import { type AlertReads, alertReadsFrom } from './alert-rows.ts'
import { type AuditReads, auditReadsFrom } from './audit-log.ts'
import { auditQueue } from './audit-only.ts'
import { type CommitBatch, commitBatches } from './commit.ts'
import { Connection, connectionConfig } from './connection.ts'
import { DatabaseRefused, errorCode, StorageUnavailable } from './errors.ts'
import { type Following, followingFrom } from './following.ts'
import { type GatewayReads, gatewayReadsFrom } from './gateway-reads.ts'
import { PrismaClient } from './generated/client.ts'
import { type InboxReads, inboxReadsFrom } from './inbox-reads.ts'
import { Lanes } from './lanes.ts'
import { type Listener, type Notifications, openNotifications } from './notifications.ts'
import { type OpenSockets, openSocketsIn } from './open-sockets.ts'
import { checkPrepared, type Installation } from './prepare.ts'
import { type Replay, replayFrom } from './replay.ts'
import { type SessionWrites, sessionWritesTo } from './session-writes.ts'
import { type SignInFailures, signInFailuresIn } from './sign-in-failures.ts'
import { type BeforeTenant, beforeTenant } from './tenants.ts'
import { type Transactions, transactionsOf } from './transaction.ts'

/** Everything the server asks of its database. Ids are UUIDs, times epoch milliseconds, sequences safe integers. */
export type Database = Transactions &
  Omit<Replay, 'poll'> &
  Following &
  GatewayReads &
  InboxReads &
  AuditReads &
  AlertReads &
  BeforeTenant &
  SignInFailures &
  OpenSockets &
  SessionWrites & {
    readonly installation: Installation
    /** See commit.ts. */
    readonly commitBatch: CommitBatch
    /** An audit event without a change; null: of no tenant. On disk when it resolves. @throws StorageUnavailable */
    auditOnly(tenantId: string | null, fact: AuditFact): Promise<void>
    /** LISTEN/NOTIFY, see notifications.ts. */
    notifications(channel: string, listener: Listener): Notifications
    /** A connection that reads the audit log for alerts, if it leads. @param onLost told when it breaks */
    alertReader(onLost: () => void): Promise<AlertReader>
    /** For readiness. @throws StorageUnavailable */
    ping(): Promise<void>
    /** Writes the audit events that wait, then closes every connection. Call it when nothing uses it any more. */
    close(): Promise<void>
  }

export type DatabaseLimits = {
  readonly connectMs: number
  readonly statementMs: number
  /** Transactions of ordinary changes at once; also as many connections, and half as many again for reading. */
  readonly changeLanes: number
  /** Batches at once, over all tenants. */
  readonly commitLanes: number
  readonly transactionMs: number
  /** How long a transaction waits for a lane, and how many may wait. */
  readonly waitMs: number
  readonly waiting: number
  /** Audit events that may wait, of one tenant at most half of them (audit-only.ts), and those of one statement. */
  readonly auditWaiting: number
  readonly auditBatch: number
}

/** See following.ts. Two, so that one slow answer is not everybody's. */
const FOLLOW_CONNECTIONS = 2

const DEFAULT_LIMITS: DatabaseLimits = {
  connectMs: 5_000,
  statementMs: 10_000,
  changeLanes: 8,
  commitLanes: 2,
  transactionMs: 15_000,
  waitMs: 5_000,
  waiting: 1_000,
  auditWaiting: 20_000,
  auditBatch: 500,
}

/**
 * How long a connection of the pool may be idle. A new one costs the database some 40 ms of CPU before it has read its catalogs and made
 * its plans, and those who are read anew come in bursts: shut after a few seconds, each burst would pay for a dozen of them.
 */
const POOL_IDLE_MS = 600_000

export type OpenOptions = {
  /** Of the application's role (prepare.ts). */
  readonly appUrl: string
  readonly clock: Clock
  /** Refuses a database that was made with another root key. */
  readonly rootKeyFingerprint?: string
  readonly limits?: Partial<DatabaseLimits>
  /** Told of what went wrong and is nobody's answer: a row the database would not have, an idle connection that broke. */
  readonly report?: (error: unknown) => void
}

/**
 * Opens the database as the application's role, after checking that the role is walled in and the schema is this build's.
 * @throws DatabaseRefused
 */
export async function openDatabase(options: OpenOptions): Promise<Database> {
  const { appUrl, clock, report = () => undefined } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const config = (name: string) => connectionConfig(appUrl, name, limits)
  const installation = await checkOnce(config('check'), options.rootKeyFingerprint)

  const pool = new pg.Pool({
    ...config('server'),
    max: Math.ceil(limits.changeLanes * 1.5),
    idleTimeoutMillis: POOL_IDLE_MS,
  })
  pool.on('error', report)
  const followPool = new pg.Pool({ ...config('follow'), max: FOLLOW_CONNECTIONS })
  followPool.on('error', report)
  const prisma = new PrismaClient({
    adapter: new PrismaPg(pool, { onConnectionError: report }),
    errorFormat: 'minimal',
  })
  const commitConnections = connections(limits.commitLanes, config('commit'))
  const auditConnections = connections(1, config('audit'))
  const audit = auditQueue(new Lanes(auditConnections, limits), clock, {
    waiting: limits.auditWaiting,
    batch: limits.auditBatch,
  })
  const changeLanes = new Lanes(new Array<undefined>(limits.changeLanes).fill(undefined), limits)
  const auditOnly = (tenantId: string | null, fact: AuditFact) => audit.auditOnly(tenantId, fact)

  async function close(): Promise<void> {
    await audit.idle()
    await prisma.$disconnect()
    await Promise.all([
      pool.end(),
      followPool.end(),
      ...[...commitConnections, ...auditConnections].map((each) => each.close()),
    ])
  }
  let closing: Promise<void> | undefined

  return {
    installation,
    ...transactionsOf(prisma, changeLanes, clock, limits),
    ...replayFrom(pool),
    ...followingFrom(followPool),
    ...gatewayReadsFrom(pool),
    ...inboxReadsFrom(pool),
    ...auditReadsFrom(pool),
    ...alertReadsFrom(pool),
    ...beforeTenant(pool),
    ...sessionWritesTo(pool),
    ...signInFailuresIn(pool),
    ...openSocketsIn(pool),
    commitBatch: commitBatches({ lanes: new Lanes(commitConnections, limits), clock, auditOnly, report }),
    auditOnly,
    notifications: (channel, listener) => openNotifications(config('notify'), clock, channel, listener),
    alertReader: (onLost) => AlertReader.connect(config('alerts'), onLost),
    async ping() {
      try {
        await pool.query('SELECT 1')
      } catch (error) {
        throw new StorageUnavailable('the database is away', { cause: error })
      }
    },
    close() {
      closing ??= close()
      return closing
    },
  }
}

function connections(count: number, config: pg.ClientConfig): Connection[] {
  return Array.from({ length: count }, () => new Connection(config))
}

async function checkOnce(config: pg.ClientConfig, fingerprint: string | undefined): Promise<Installation> {
  const client = new pg.Client(config)
  client.on('error', () => undefined)
  try {
    await client.connect()
  } catch (error) {
    const { host, pathname } = new URL(config.connectionString ?? '')
    throw new DatabaseRefused(
      `The database ${host}${pathname} does not let the server's own role in (${errorCode(error)}): check WARDLINE_DATABASE_APP_URL, or that the server may sign in by password (pg_hba.conf).`,
      { cause: error },
    )
  }
  try {
    return await checkPrepared(client, fingerprint)
  } finally {
    await client.end()
  }
}
