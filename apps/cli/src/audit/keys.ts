import { readFile } from 'node:fs/promises'
import { localLog } from '@wardline/server/operations'
import { type NoteVerifier, parseVerifierKey } from '@wardline/transparency-log'
import { CliError } from '../cli-error.ts'

/** Whose signatures count, and where the log is when no folder is named. */
export type LogTrust = { readonly origin: string; readonly logKeys: readonly NoteVerifier[]; readonly dir: string }

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
  const folder = dir ?? local?.auditDir
  if (folder === undefined) throw new CliError('say which folder holds the log.')
  if (vkeys.length === 0) process.stderr.write('wardline: trusting the key of this machine; --vkey names another.\n')
  const logKeys = await Promise.all(given.map(keyOf))
  const [first] = logKeys
  return { origin: first?.name ?? '', logKeys, dir: folder }
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
