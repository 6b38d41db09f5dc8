import { type PolicySettings, withStepUp } from '@wardline/policy'
import { type Access, createAccess } from './access/access.ts'
import type { AuditFact } from './audit/event.ts'
import { type Bus, silentBus } from './bus/bus.ts'
import { createPostgresBus } from './bus/postgres-bus.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Config } from './config.ts'
import { createPasskeyChallenges, type PasskeyChallenges } from './factors/passkey-challenges.ts'
import { createGateway, type Gateway } from './gateway/gateway.ts'
import { Readiness } from './health/readiness.ts'
import { createProxies, type Proxies } from './http/forwarded.ts'
import { createSite, type Site } from './http/site.ts'
import { WEB_ROOT } from './http/static-web.ts'
import { fileSigningProvider, signingKeysIn } from './keys/file-signing-provider.ts'
import { keepSigningKeys } from './keys/key-schedule.ts'
import { createKeyring, type Keyring } from './keys/keyring.ts'
import type { KeyProvider } from './keys/root-key.ts'
import { openSigningKeys, type SigningKeys } from './keys/signing-keys.ts'
import { createLogger, type Logger } from './log.ts'
import { createMetrics, type Metrics } from './metrics/metrics.ts'
import { createAccessTokens, MAX_TOKEN_LIFE_MS } from './sessions/access-token.ts'
import { Activity } from './sessions/activity.ts'
import { type CsrfTokens, createCsrfTokens } from './sessions/csrf.ts'
import { forgetPast } from './sessions/forget-past.ts'
import { createSessions, type Sessions } from './sessions/sessions.ts'
import { createSlowDown } from './sessions/slow-down.ts'
import { createUsedProofs } from './sessions/used-proofs.ts'
import { type Database, openDatabase } from './storage/open.ts'
import { createPasswords, type Passwords } from './users/password.ts'

/** What everything is made of. One explicit object, handed on; nothing is looked up by name, nothing is global. */
export type Context = {
  readonly config: Config
  readonly clock: Clock
  readonly log: Logger
  readonly site: Site
  readonly proxies: Proxies
  readonly policy: PolicySettings
  readonly database: Database
  readonly keys: KeyProvider
  readonly keyring: Keyring
  readonly signingKeys: SigningKeys
  readonly passwords: Passwords
  readonly csrf: CsrfTokens
  readonly passkeys: PasskeyChallenges
  readonly bus: Bus
  readonly access: Access
  readonly activity: Activity
  readonly sessions: Sessions
  readonly gateway: Gateway
  readonly readiness: Readiness
  readonly metrics: Metrics
  /** The built web app. */
  readonly webRoot: string
}

/** What tests replace. */
export type ContextOverrides = Partial<Pick<Context, 'clock' | 'log' | 'policy' | 'webRoot'>> & {
  readonly bus?: (database: Database) => Bus
}

/** Ends something that was begun. */
export type Ending = () => Promise<void> | void

/** What was made before, and where to put how to end what is made here. */
export type ContextParts = {
  readonly appUrl: string
  readonly keys: KeyProvider
  readonly endings: Ending[]
}

/** @throws DatabaseRefused, StartError */
export async function createContext(
  config: Config,
  { appUrl, keys, endings }: ContextParts,
  overrides: ContextOverrides = {},
): Promise<Context> {
  const {
    clock = systemClock,
    policy = withStepUp(config.stepUpMs, config.stepUpByCertificate),
    webRoot = WEB_ROOT,
  } = overrides
  const log = overrides.log ?? createLogger(config.logLevel, config.logFile ?? undefined)
  const metrics = createMetrics()
  endings.push(() => metrics.close())
  const report = (error: unknown) => log.error('background.failed', { error })
  const site = createSite(config)
  const proxies = createProxies(config.trustedProxies, config.clientCertificates, () => clock.now())

  const database = await openDatabase({ appUrl, clock, rootKeyFingerprint: keys.fingerprint, report })
  endings.push(() => database.close())
  const keyring = createKeyring({ database, keys, clock })
  const signingKeys = await openSigningKeys(
    fileSigningProvider(signingKeysIn(config.keysDir)),
    () => clock.now(),
    MAX_TOKEN_LIFE_MS,
    report,
  )
  const audit = (fact: AuditFact) => database.auditOnly(null, fact)
  endings.push(keepSigningKeys({ signingKeys, clock, days: config.signingKeyDays, audit, onFault: report }))
  const accessTokens = createAccessTokens(signingKeys, database.installation.id, () => clock.now())
  const passwords = await createPasswords(config.argon2, config.preAuth.waitingSignIns)
  const csrf = createCsrfTokens(await keys.derive('csrf', 32))
  const usedProofs = createUsedProofs(database, clock, report)
  endings.push(() => usedProofs.close())
  const slowDown = createSlowDown(database, await keys.derive('sign-in', 32), clock, report)
  endings.push(() => slowDown.close())
  endings.push(forgetPast(database, clock, report))
  const passkeys = createPasskeyChallenges(await keys.derive('passkey-challenge', 32), usedProofs, clock)

  const postgresOrNone = () => (config.bus === 'off' ? silentBus : createPostgresBus(database, clock, report))
  const bus = overrides.bus?.(database) ?? postgresOrNone()
  endings.push(() => bus.close())
  const access = createAccess({ database, clock, limits: config.limits, onFault: report })
  const activity = new Activity({ clock, database, onFault: report })
  endings.push(() => activity.close())
  const sessions = createSessions({
    activity,
    config,
    clock,
    site,
    policy,
    database,
    keyring,
    access,
    bus,
    accessTokens,
    csrf,
    passkeys,
    passwords,
    usedProofs,
    slowDown,
  })
  const gateway = createGateway({
    config,
    clock,
    log,
    policy,
    database,
    keyring,
    bus,
    access,
    sessions,
    proxies,
    activity,
    metrics,
  })
  endings.push(() => gateway.close())
  const readiness = new Readiness(database, clock)
  metrics.watch({
    sockets: () => ({ signedIn: gateway.sockets.count, all: gateway.connections.size }),
    readiness: () => readiness.report(),
  })
  return {
    config,
    clock,
    log,
    site,
    proxies,
    policy,
    database,
    keys,
    keyring,
    signingKeys,
    passwords,
    csrf,
    passkeys,
    bus,
    access,
    activity,
    sessions,
    gateway,
    readiness,
    metrics,
    webRoot,
  }
}
