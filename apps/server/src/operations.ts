import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from './clock.ts'
import { ConfigError, loadConfig } from './config.ts'
import { StartError } from './errors.ts'
import { createKeyring, type Keyring } from './keys/keyring.ts'
import { openRootKeyFile, RootKeyError } from './keys/root-key.ts'
import { startEmbeddedPostgres } from './storage/embedded-postgres.ts'
import { DatabaseRefused } from './storage/errors.ts'
import { type Database, openDatabase } from './storage/open.ts'
import { prepareDatabase } from './storage/prepare.ts'

export { bySystem } from './audit/by.ts'
export { NotClinical, UnknownUser } from './import/care-teams.ts'
export { importFhir } from './import/import-fhir.ts'
export { renderReport } from './import/report.ts'

/** What an operation at the machine works with. */
export type Installation = { readonly database: Database; readonly keyring: Keyring }

/** The installation cannot be worked with. The message says what to do, one line for each problem. */
export class OperationRefused extends Error {}

/**
 * Opens the installation that the environment names, as the server does, beside a server that runs or without one; an embedded
 * PostgreSQL that serves already is joined. Closes everything again. @throws OperationRefused
 */
export async function withInstallation<T>(run: (installation: Installation) => Promise<T>): Promise<T> {
  const endings: (() => Promise<void>)[] = []
  try {
    return await run(await openInstallation(endings))
  } finally {
    for (const end of endings.toReversed()) await end()
  }
}

async function openInstallation(endings: (() => Promise<void>)[]): Promise<Installation> {
  try {
    const { dataDir, keysDir, databaseUrl, databaseAppUrl } = loadConfig()
    // Opening a folder that is not there would make an installation of its own there, with nobody in it.
    if (!existsSync(join(keysDir, 'root.key'))) {
      throw new OperationRefused(
        `${keysDir} holds no root key: start the server once, or set WARDLINE_DATA to its folder.`,
      )
    }
    const keys = await openRootKeyFile(keysDir)
    const ownerUrl = databaseUrl ?? (await joinEmbedded(dataDir, endings))
    const { appUrl } = await prepareDatabase({ ownerUrl, appUrl: databaseAppUrl, keys })
    const database = await openDatabase({ appUrl, clock: systemClock, rootKeyFingerprint: keys.fingerprint })
    endings.push(() => database.close())
    return { database, keyring: createKeyring({ database, keys, clock: systemClock }) }
  } catch (error) {
    if (error instanceof ConfigError) throw new OperationRefused(error.problems.join('\n'), { cause: error })
    if (error instanceof StartError || error instanceof DatabaseRefused || error instanceof RootKeyError) {
      throw new OperationRefused(error.message, { cause: error })
    }
    throw error
  }
}

async function joinEmbedded(dataDir: string, endings: (() => Promise<void>)[]): Promise<string> {
  const postgres = await startEmbeddedPostgres({ dataDir })
  endings.push(() => postgres.stop())
  return postgres.url
}
