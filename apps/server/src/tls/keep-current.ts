import { randomBytes } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Server } from 'node:tls'
import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { Logger } from '../log.ts'
import { certificateOptions, loadCertificate } from './certificates.ts'
import { TLS_OPTIONS } from './options.ts'

/** How often the files are looked at. Looked at, not listened to: a mounted folder of secrets tells nobody that it changed. */
const LOOK_MS = 5_000
/** How often the local certificate is looked through for its age, too: it is renewed weeks before it expires. */
const AGE_MS = 12 * 3_600_000
/** How long a key serves that session tickets are sealed with: who steals one opens no older TLS 1.2 connection. */
const TICKET_KEY_MS = 8 * 3_600_000
/** Node's form: name, HMAC key and AES key of 16 bytes each. */
const TICKET_KEY_BYTES = 48

export type CurrentCertificate = {
  /** Reads the certificate again, now. New connections get it; those that are open stay as they are. */
  reload(): Promise<void>
  stop(): void
}

/**
 * Serves with the certificate that is in the files, whenever that changes, and with ticket keys that change. One that cannot be
 * used leaves the one before in force, and is tried again when its files change again: key and chain are seldom replaced
 * in one moment.
 */
export function keepCertificateCurrent(
  servers: readonly Pick<Server, 'setSecureContext' | 'setTicketKeys'>[],
  { config, clock, log }: { config: Config; clock: Clock; log: Logger },
): CurrentCertificate {
  const own =
    config.tls === null ? [join(config.dataDir, 'tls', 'server.pem')] : [config.tls.certFile, config.tls.keyFile]
  const files = config.clientCaFile === null ? own : [...own, config.clientCaFile]
  let seen = statesOf(files)
  let work: Promise<void> = Promise.resolve()

  function changeTicketKeys(): void {
    for (const server of servers) server.setTicketKeys(randomBytes(TICKET_KEY_BYTES))
  }

  async function load(): Promise<void> {
    try {
      seen = statesOf(files)
      const certificate = await loadCertificate(config, clock.now())
      for (const server of servers) {
        // What is not given is forgotten: versions and suites are given again (toolchain.md).
        server.setSecureContext({ ...TLS_OPTIONS, ...certificateOptions(certificate) })
      }
      // A ticket holds that a client's certificate was good, by the authorities of then.
      changeTicketKeys()
      log.info('certificate.loaded')
    } catch (error) {
      log.error('certificate.failed', { error })
    }
  }
  /** One after the other. */
  const after = (step: () => Promise<void>) => {
    work = work.then(() => step())
    return work
  }
  const look = async () => {
    const now = await statesOf(files)
    if (now !== (await seen)) await load()
  }
  const timers = [
    clock.every(LOOK_MS, () => void after(look)),
    clock.every(AGE_MS, () => void after(load)),
    clock.every(TICKET_KEY_MS, changeTicketKeys),
  ]
  return {
    reload: () => after(load),
    stop() {
      for (const end of timers) end()
    },
  }
}

/** Which files these are, and of when; also where a name is a link that was turned to other files. */
async function statesOf(files: readonly string[]): Promise<string> {
  const states = files.map(async (file) => {
    const found = await stat(file).catch(() => null)
    return found === null ? 'none' : [found.dev, found.ino, found.size, found.mtimeMs].join()
  })
  return (await Promise.all(states)).join()
}
