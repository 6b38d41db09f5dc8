import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../config.ts'

/** The server that the environment's configuration describes: its address, and the authority to trust beside the usual ones. */
export function localServer(): { readonly url: string; readonly ca: string | undefined; readonly demo: boolean } {
  const { publicUrl, port, dataDir, tls, demo } = loadConfig()
  const authority = join(dataDir, 'tls', 'authority.crt')
  const ca = tls === null && existsSync(authority) ? readFileSync(authority, 'utf8') : undefined
  return { url: publicUrl ?? `https://localhost:${port}`, ca, demo }
}
