import { readFile, stat } from 'node:fs/promises'
import { localLog, logStore } from '@wardline/server/operations'
import { type NoteVerifier, parseVerifierKey, type ReadableStore } from '@wardline/transparency-log'
import { directoryStore } from '@wardline/transparency-log/directory-store'
import { CliError } from '../cli-error.ts'

/** Whose signatures count, and the log's files: those of a folder, or of this machine's own log. */
export type LogTrust = {
  readonly origin: string
  readonly logKeys: readonly NoteVerifier[]
  readonly store: ReadableStore
}

/**
 * The keys that the auditor names, as text or as a file; without any, the one of this machine's own installation, which is said: a key that
 * comes from where the log comes from proves less. @throws CliError
 */
export async function trustOf(vkeys: readonly string[], dir: string | undefined): Promise<LogTrust> {
  const local = vkeys.length > 0 && dir !== undefined ? null : await localLog()
  const given = vkeys.length > 0 ? vkeys : local === null ? [] : [local.vkey]
  if (given.length === 0) {
    throw new CliError('say whose signature counts: --vkey KEY or --vkey FILE, as "wardline audit vkey" printed it.')
  }
  const store = dir !== undefined ? directoryStore(dir) : local !== null ? logStore(local) : undefined
  if (store === undefined) throw new CliError('say which folder holds the log.')
  const folder = dir ?? (local?.auditS3 === null ? local.auditDir : undefined)
  if (folder !== undefined && (await stat(folder).catch(() => undefined))?.isDirectory() !== true) {
    throw new CliError(`${folder}: there is no such folder.`)
  }
  if (vkeys.length === 0) process.stderr.write('wardline: trusting the key of this machine; --vkey names another.\n')
  const logKeys = await Promise.all(given.map(keyOf))
  const [first] = logKeys
  return { origin: first?.name ?? '', logKeys, store }
}

/** A public key, as text or in a file. @throws CliError */
export async function keyOf(given: string): Promise<NoteVerifier> {
  return parseKey(await keyText(given))
}

async function keyText(given: string): Promise<string> {
  if (given.includes('+')) return given
  try {
    return (await readFile(given, 'utf8')).trim()
  } catch (error) {
    throw new CliError(`${given}: there is no such file, and it is no key either.`, { cause: error })
  }
}

function parseKey(text: string): NoteVerifier {
  try {
    return parseVerifierKey(text)
  } catch (error) {
    throw new CliError(`"${text.slice(0, 80)}" is no key of an audit log or a witness.`, { cause: error })
  }
}
