import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { generateNoteKey, type NoteSigner, parseSignerKey } from '@wardline/transparency-log'
import { StartError } from '../../errors.ts'
import { readPrivateFile, writePrivateFile } from '../../keys/private-file.ts'

const FILE = 'audit-log.key'
const NEXT_FILE = 'audit-log.next.key'

/** The key that signs the audit log, as the sequencer finds it each time that it begins to lead, and looks for its successor meanwhile. */
export type LogKeys = {
  /** @throws StartError where it is not there, or not this log's */
  current(): Promise<NoteSigner>
  /** The key that is to follow it; null while nobody asked for another. */
  next(): Promise<NoteSigner | null>
  /** The next key is the key from now on, and the one before is gone. */
  adopt(): Promise<void>
}

/** First line of every checkpoint, and the name of the key: tells this installation's log from every other. */
export function originOf(installationId: string): string {
  return `wardline/${installationId}/audit`
}

/**
 * Makes the key that signs the audit log, in `audit-log.key` of the folder (0600), where there is none. It is never in the database, so
 * whoever owns that cannot sign another history. Gives its vkey, which auditors are to be given, once, by another way than the log itself.
 *
 * @throws StartError
 */
export async function ensureLogKey(keysDir: string, origin: string): Promise<string> {
  const there = await readPrivateFile(join(keysDir, FILE))
  if (there === null) await writePrivateFile(join(keysDir, FILE), `${generateNoteKey(origin).skey}\n`, 'once')
  return (await logKeyFiles(keysDir, origin).current()).verifier.vkey
}

/** The keys in the folder, for the log of this origin. */
export function logKeyFiles(keysDir: string, origin: string): LogKeys {
  return {
    async current() {
      const signer = await readKey(join(keysDir, FILE), origin)
      if (signer === null) throw new StartError(`${join(keysDir, FILE)} is not there: restore it from your backup.`)
      return signer
    },
    next: () => readKey(join(keysDir, NEXT_FILE), origin),
    adopt: () => rename(join(keysDir, NEXT_FILE), join(keysDir, FILE)),
  }
}

/** Makes the key that is to follow, where none waits already, and gives its vkey. Whoever leads takes it up. @throws StartError */
export async function prepareNextLogKey(keysDir: string, origin: string): Promise<string> {
  await writePrivateFile(join(keysDir, NEXT_FILE), `${generateNoteKey(origin).skey}\n`, 'once')
  const next = await logKeyFiles(keysDir, origin).next()
  // Adopted just now by who leads: then it is the current one.
  return (next ?? (await logKeyFiles(keysDir, origin).current())).verifier.vkey
}

/** The vkey of the key in the folder, of whatever log it is; null where there is none. @throws StartError */
export async function readLogKey(keysDir: string): Promise<string | null> {
  return (await readKey(join(keysDir, FILE), null))?.verifier.vkey ?? null
}

async function readKey(path: string, origin: string | null): Promise<NoteSigner | null> {
  const text = await readPrivateFile(path)
  if (text === null) return null
  let signer: NoteSigner
  try {
    signer = parseSignerKey(text.trim())
  } catch (error) {
    throw new StartError(`${path} holds no key of an audit log: restore it from your backup.`, 1, { cause: error })
  }
  if (origin === null || signer.verifier.name === origin) return signer
  throw new StartError(`${path} is the key of another installation's audit log: restore the one of this database.`)
}
