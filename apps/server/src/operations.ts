import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { NoteSigner, ReadableStore, TileStore } from '@wardline/transparency-log'
import { type LogPlace, logStore } from './audit/log-store.ts'
import { ensureLogKey, logKeyFiles, originOf, prepareNextLogKey, readLogKey } from './audit/sequencer/log-key.ts'
import type { RunOptions } from './audit/sequencer/run.ts'
import { systemClock } from './clock.ts'
import { type Config, ConfigError, loadConfig } from './config.ts'
import { StartError } from './errors.ts'
import { createSite } from './http/site.ts'
import { fileSigningProvider, signingKeysIn } from './keys/file-signing-provider.ts'
import { createKeyring, type Keyring } from './keys/keyring.ts'
import { type KeyProvider, openRootKeyFile, RootKeyError } from './keys/root-key.ts'
import { openSigningKeys, type SigningKeys } from './keys/signing-keys.ts'
import { MAX_TOKEN_LIFE_MS } from './sessions/access-token.ts'
import { AuditRetentionStore } from './storage/audit-retention.ts'
import { startEmbeddedPostgres } from './storage/embedded-postgres.ts'
import { DatabaseRefused } from './storage/errors.ts'
import { type Database, openDatabase } from './storage/open.ts'
import { type Prepared, prepareDatabase } from './storage/prepare.ts'

export type { Target } from './alerts/drill/actor.ts'
export { INCIDENTS, type Incident, NotStaged } from './alerts/drill/incidents.ts'
export { localServer } from './alerts/drill/local-server.ts'
export { DRILL_TENANT, openStage, type Stage } from './alerts/drill/stage.ts'
export { bySystem } from './audit/by.ts'
export { compareDatabase } from './audit/compare/database.ts'
export type { DatabaseFinding } from './audit/compare/findings.ts'
export { logStore } from './audit/log-store.ts'
export { archiveAudit, RetentionRefused } from './audit/retention/archive.ts'
export { type Purged, purgeAudit } from './audit/retention/purge.ts'
export { runSequencer, type SequencerNews, sequencerOf } from './audit/sequencer/run.ts'
export { resetFactorsOfNamed } from './factors/reset.ts'
export { NotClinical, UnknownUser } from './import/care-teams.ts'
export { importFhir } from './import/import-fhir.ts'
export { renderReport } from './import/report.ts'
export { auditKeyId } from './keys/key-schedule.ts'
export { endAllSessions, endSessionsOfNamed } from './sessions/revoke-many.ts'
export { CompareStore } from './storage/compare-store.ts'
export { SequencerStore } from './storage/sequencer-store.ts'
export { beginTenant, InvalidTenant } from './tenants/begin.ts'
export { makeSetUpCodeOfNamed, setUpLink } from './users/set-up-code.ts'

/** What an operation at the machine works with. */
export type Installation = {
  readonly database: Database
  readonly keyring: Keyring
  readonly signingKeys: SigningKeys
  readonly argon2: Config['argon2']
  /** How long a set-up code serves, in milliseconds. */
  readonly setUpMs: number
  /** What people call the server by, as far as its settings tell. */
  readonly origin: string
}

/** The installation cannot be worked with. The message says what to do, one line for each problem. */
export class OperationRefused extends Error {}

/**
 * Opens the installation that the environment names, as the server does, beside a server that runs or without one; an embedded
 * PostgreSQL that serves already is joined. Closes everything again. @throws OperationRefused
 */
export async function withInstallation<T>(run: (installation: Installation) => Promise<T>): Promise<T> {
  return withPrepared(async ({ prepared, keys, config, endings }) => {
    const { argon2, setUpMs } = config
    const database = await openDatabase({
      appUrl: prepared.appUrl,
      clock: systemClock,
      rootKeyFingerprint: keys.fingerprint,
    })
    endings.push(() => database.close())
    const provider = fileSigningProvider(signingKeysIn(config.keysDir))
    const signingKeys = await openSigningKeys(provider, () => systemClock.now(), MAX_TOKEN_LIFE_MS, rethrow)
    const keyring = createKeyring({ database, keys, clock: systemClock })
    return run({ database, keyring, signingKeys, argon2, setUpMs, origin: createSite(config).origin })
  })
}

/** The installation's audit log, for whoever writes it or compares it. @throws OperationRefused */
export async function withAuditLog<T>(run: (log: AuditLog) => Promise<T>): Promise<T> {
  return withPrepared(async ({ prepared, config }) => {
    const { auditDir, auditS3, keysDir, witnesses } = config
    const origin = originOf(prepared.installation.id)
    const vkey = await ensureLogKey(keysDir, origin)
    return run({ databaseUrl: prepared.sequencerUrl, origin, auditDir, auditS3, keysDir, witnesses, vkey })
  })
}

/** What archiving and purging the audit need: the owner's right, the log and its key. @throws OperationRefused */
export async function withAuditRetention<T>(run: (retention: AuditRetention) => Promise<T>): Promise<T> {
  return withPrepared(async ({ prepared, keys, config, ownerUrl, endings }) => {
    const { auditDir, auditS3, keysDir } = config
    const origin = originOf(prepared.installation.id)
    const { appUrl } = prepared
    const database = await openDatabase({ appUrl, clock: systemClock, rootKeyFingerprint: keys.fingerprint })
    endings.push(() => database.close())
    const store = await AuditRetentionStore.connect(ownerUrl)
    endings.push(() => store.close())
    const signer = await logKeyFiles(keysDir, origin).current()
    const logDir = auditS3 === null ? auditDir : null
    return run({ database, store, origin, log: logStore({ auditDir, auditS3 }), logDir, signer })
  })
}

export type AuditRetention = {
  readonly database: Database
  readonly store: AuditRetentionStore
  readonly origin: string
  readonly log: TileStore & ReadableStore
  /** Null: in a bucket, which takes entries away by its own rules. */
  readonly logDir: string | null
  /** Of the key that signs the log now. */
  readonly signer: NoteSigner
}

/** `vkey`: of the key that signs it now. */
export type AuditLog = RunOptions & { readonly vkey: string }

/** Has the log go over to another key, by whoever leads or will lead it, and gives that key's vkey. @throws OperationRefused */
export async function requestNextLogKey({ keysDir, origin }: AuditLog): Promise<string> {
  return refusing(() => prepareNextLogKey(keysDir, origin))
}

/** The public key of this machine's audit log, and where that log is; null where this is no machine of an installation. */
export async function localLog(): Promise<(LogPlace & { vkey: string }) | null> {
  return refusing(async () => {
    const { keysDir, auditDir, auditS3 } = loadConfig()
    const vkey = await readLogKey(keysDir)
    return vkey === null ? null : { vkey, auditDir, auditS3 }
  })
}

/** At the machine somebody reads what is wrong at once. */
function rethrow(error: unknown): never {
  throw error
}

type Endings = (() => Promise<void>)[]
type PreparedParts = { prepared: Prepared; keys: KeyProvider; config: Config; ownerUrl: string; endings: Endings }

async function withPrepared<T>(run: (parts: PreparedParts) => Promise<T>): Promise<T> {
  const endings: Endings = []
  try {
    return await refusing(async () => run(await prepare(endings)))
  } finally {
    for (const end of endings.toReversed()) await end()
  }
}

async function prepare(endings: Endings): Promise<PreparedParts> {
  const config = loadConfig()
  const { dataDir, keysDir, databaseUrl, databaseAppUrl: appUrl, databaseSequencerUrl: sequencerUrl } = config
  // Opening a folder that is not there would make an installation of its own there, with nobody in it.
  if (!existsSync(join(keysDir, 'root.key'))) {
    throw new OperationRefused(
      `${keysDir} holds no root key: start the server once, or set WARDLINE_DATA to its folder.`,
    )
  }
  const keys = await openRootKeyFile(keysDir)
  const ownerUrl = databaseUrl ?? (await joinEmbedded(dataDir, endings))
  return { prepared: await prepareDatabase({ ownerUrl, appUrl, sequencerUrl, keys }), keys, config, ownerUrl, endings }
}

async function refusing<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof ConfigError) throw new OperationRefused(error.problems.join('\n'), { cause: error })
    if (error instanceof StartError || error instanceof DatabaseRefused || error instanceof RootKeyError) {
      throw new OperationRefused(error.message, { cause: error })
    }
    throw error
  }
}

async function joinEmbedded(dataDir: string, endings: Endings): Promise<string> {
  const postgres = await startEmbeddedPostgres({ dataDir })
  endings.push(() => postgres.stop())
  return postgres.url
}
