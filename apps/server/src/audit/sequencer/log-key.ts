import { join } from 'node:path'
import { generateNoteKey, parseSignerKey } from '@wardline/transparency-log'
import { StartError } from '../../errors.ts'
import { readPrivateFile, writePrivateFile } from '../../keys/private-file.ts'

const FILE = 'audit-log.key'

/** `skey` is the secret; `vkey` is what auditors are given, once, by another way than the log itself. */
export type LogKey = { readonly skey: string; readonly vkey: string }

/** First line of every checkpoint, and the name of the key: tells this installation's log from every other. */
export function originOf(installationId: string): string {
  return `wardline/${installationId}/audit`
}

/**
 * The key that signs the audit log, in `audit-log.key` of the folder (0600), made the first time. It is never in the database, so whoever
 * owns that cannot sign another history. @throws StartError
 */
export async function openLogKey(keysDir: string, origin: string): Promise<LogKey> {
  const path = join(keysDir, FILE)
  const there = await readPrivateFile(path)
  if (there === null) await writePrivateFile(path, `${generateNoteKey(origin).skey}\n`, 'once')
  const text = there ?? (await readPrivateFile(path)) ?? ''
  try {
    const skey = text.trim()
    const { verifier } = parseSignerKey(skey)
    if (verifier.name === origin) return { skey, vkey: verifier.vkey }
  } catch (error) {
    throw new StartError(`${path} holds no key of an audit log: restore it from your backup.`, 1, { cause: error })
  }
  throw new StartError(`${path} is the key of another installation's audit log: restore the one of this database.`)
}

/** The vkey of the key in the folder; null where there is none. @throws StartError */
export async function readLogKey(keysDir: string): Promise<string | null> {
  const path = join(keysDir, FILE)
  const text = await readPrivateFile(path)
  if (text === null) return null
  try {
    return parseSignerKey(text.trim()).verifier.vkey
  } catch (error) {
    throw new StartError(`${path} holds no key of an audit log: restore it from your backup.`, 1, { cause: error })
  }
}
