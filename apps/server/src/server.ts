import type { AddressInfo } from 'node:net'
import { startAlerts } from './alerts/start.ts'
import { createApp } from './app.ts'
import { bySystem } from './audit/by.ts'
import type { AuditFact } from './audit/event.ts'
import { type EmbeddedSequencer, startEmbeddedSequencer } from './audit/sequencer/embedded.ts'
import { ensureLogKey, originOf } from './audit/sequencer/log-key.ts'
import { systemClock } from './clock.ts'
import type { Config } from './config.ts'
import { type Context, type ContextOverrides, createContext, type Ending } from './context.ts'
import { type DemoAccount, seedDemo } from './demo/seed.ts'
import { StartError } from './errors.ts'
import type { App } from './http/app-type.ts'
import { openRootKeyFile } from './keys/root-key.ts'
import type { Logger } from './log.ts'
import { serveMetrics } from './metrics/serve.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from './storage/embedded-postgres.ts'
import { withFolderLock } from './storage/postgres-state.ts'
import { prepareDatabase } from './storage/prepare.ts'
import { loadCertificate } from './tls/certificates.ts'
import { keepCertificateCurrent } from './tls/keep-current.ts'

/** How long a stop spreads the closing of sockets over, in milliseconds. */
const DRAIN_MS = 3_000
/** How often the embedded PostgreSQL is looked after, in milliseconds. */
const POSTGRES_LOOK_MS = 1_000

export type RunningServer = {
  readonly ctx: Context
  readonly port: number
  /** Where `/metrics` is; null: nowhere. */
  readonly metricsPort: number | null
  /** PEM file of the authority that people may trust; null with an operator's own certificate. */
  readonly authorityFile: string | null
  readonly demoAccounts: readonly DemoAccount[]
  /** Reads the certificate again; new connections get it, those that are open stay as they are. */
  reloadCertificate(): Promise<void>
  /** Lets go of everything in order (architecture.md "Failing well"): no new work, sockets told and closed, commits finished. */
  stop(): Promise<void>
}

/**
 * Starts a whole server: keys, database, context, HTTP and socket. What was begun is ended again when a later step fails.
 * @throws StartError, DatabaseRefused, RootKeyError: one line each that says what to do
 */
export async function startServer(config: Config, overrides: ContextOverrides = {}): Promise<RunningServer> {
  const endings: Ending[] = []
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= endAll(endings)
    return stopped
  }
  try {
    const certificate = await loadCertificate(config, systemClock.now())
    const keys = await openRootKeyFile(config.keysDir)
    const postgres = config.databaseUrl === null ? await startEmbeddedPostgres({ dataDir: config.dataDir }) : null
    if (postgres !== null) endings.push(() => postgres.stop())
    const ownerUrl = config.databaseUrl ?? postgres?.url ?? ''
    const { appUrl, sequencerUrl } = await prepareDatabase({
      ownerUrl,
      appUrl: config.databaseAppUrl,
      sequencerUrl: config.databaseSequencerUrl,
      keys,
    })
    const ctx = await createContext(config, { appUrl, keys, endings }, overrides)
    if (postgres !== null) endings.push(watchOver(postgres, ctx.log))
    if (config.sequencer === 'embedded') await startSequencer(ctx, sequencerUrl, endings)
    const app = await createApp(ctx, certificate)
    endings.push(() => app.close())
    // Of two servers that begin on one folder, one makes the demonstration and the other finds it there.
    const demoAccounts = config.demo
      ? await withFolderLock(config.dataDir, () => seedDemo({ ...ctx, dataDir: config.dataDir }))
      : []
    const port = await listen(app, config)
    ctx.site.listeningOn(port)
    // A start that comes to nothing has looked at nothing, and what alerts link to has an address by now.
    if (config.alerts.run === 'embedded') endings.push(startAlerts(ctx))
    const metrics = config.metrics === null ? null : await serveMetrics(ctx.metrics, config.metrics, certificate)
    if (metrics !== null) endings.push(() => metrics.stop())
    // By real time: it is other people's clocks that certificates expire by.
    const served = metrics === null ? [app.server] : [app.server, metrics.server]
    const current = keepCertificateCurrent(served, { config, clock: systemClock, log: ctx.log })
    endings.push(() => current.stop())
    endings.push(async () => {
      ctx.readiness.drain()
      await ctx.gateway.drain(DRAIN_MS)
      await ctx.database.auditOnly(null, { action: 'server.stop', outcome: 'allowed' }).catch(() => undefined)
    })
    await ctx.database.auditOnly(null, { action: 'server.start', outcome: 'allowed' })
    ctx.log.info('server.started', { port })
    if (metrics !== null) ctx.log.info('metrics.started', { port: metrics.port })
    return {
      ctx,
      port,
      metricsPort: metrics?.port ?? null,
      authorityFile: certificate.authorityFile,
      demoAccounts,
      reloadCertificate: () => current.reload(),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The last begun is the first ended. One that fails does not keep the others from their turn. */
async function endAll(endings: readonly Ending[]): Promise<void> {
  const failures: unknown[] = []
  for (const end of endings.toReversed()) {
    try {
      await end()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'not everything could be ended in order')
}

/** Brings the embedded PostgreSQL back when it dies. Answers how to let it be. */
function watchOver(postgres: EmbeddedPostgres, log: Logger): Ending {
  let reviving: Promise<void> | undefined
  const look = async () => {
    try {
      if (await postgres.revive()) log.error('database.revived')
    } catch (error) {
      log.error('database.dead', { error })
    } finally {
      reviving = undefined
    }
  }
  const cancel = systemClock.every(POSTGRES_LOOK_MS, () => {
    reviving ??= look()
  })
  return () => {
    cancel()
    return reviving
  }
}

/** Ended after everything that writes audit events, so that the last of them get their place. */
async function startSequencer(ctx: Context, databaseUrl: string, endings: Ending[]): Promise<EmbeddedSequencer> {
  const { config, log, database, readiness } = ctx
  const { keysDir, auditDir, auditS3, witnesses } = config
  const origin = originOf(database.installation.id)
  await ensureLogKey(keysDir, origin)
  const audit = (tenant: string | null, fact: AuditFact) =>
    void database.auditOnly(tenant, fact).catch((error: unknown) => log.error('audit.failed', { error }))
  const sequencer = startEmbeddedSequencer({ databaseUrl, origin, auditDir, auditS3, keysDir, witnesses }, log, {
    // The tenant whose numbers are missing is told in its own audit, where alerts look for it.
    onGap: ({ tenant, found, expected }) =>
      audit(tenant, { action: 'audit.void', outcome: 'failed', count: found - expected }),
    onKey: () => audit(null, { ...bySystem, action: 'key.rotate', outcome: 'allowed' }),
  })
  endings.push(() => sequencer.stop())
  readiness.show('auditLog', () => sequencer.state.is === 'leading' || sequencer.state.is === 'standby')
  return sequencer
}

async function listen(app: App, { host, port }: Config): Promise<number> {
  try {
    await app.listen({ host, port })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EADDRINUSE') {
      throw new StartError(`Port ${port} is in use: stop what listens there, or set WARDLINE_PORT to another.`)
    }
    if (code === 'EACCES')
      throw new StartError(`Port ${port} may not be used by this user: set WARDLINE_PORT to one above 1023.`)
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new StartError(`${host} is no address of this machine: set WARDLINE_HOST to one that is.`)
    }
    throw error
  }
  return (app.server.address() as AddressInfo).port
}
