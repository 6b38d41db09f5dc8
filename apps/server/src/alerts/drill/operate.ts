import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../config.ts'
import { withInstallation } from '../../operations.ts'
import { createPasswords } from '../../users/password.ts'
import { openStage, type Stage } from './stage.ts'

/** The server that the environment's configuration describes: its address, and the authority to trust beside the usual ones. */
export function localServer(): { readonly url: string; readonly ca: string | undefined; readonly demo: boolean } {
  const { publicUrl, port, dataDir, tls, demo } = loadConfig()
  const authority = join(dataDir, 'tls', 'authority.crt')
  const ca = tls === null && existsSync(authority) ? readFileSync(authority, 'utf8') : undefined
  return { url: publicUrl ?? `https://localhost:${port}`, ca, demo }
}

/** Opens the stage of a drill in this installation; null: there is no such tenant. @throws OperationRefused */
export async function withDrill<T>(slug: string, run: (stage: Stage | null) => Promise<T>): Promise<T> {
  return withInstallation(async ({ database, keyring, argon2 }) => {
    const { hash } = await createPasswords(argon2, 1)
    return run(await openStage({ database, keyring, hash }, slug))
  })
}
