import { ConfigError } from './config.ts'
import { StartError } from './errors.ts'
import { RootKeyError } from './keys/root-key.ts'
import { DatabaseRefused } from './storage/errors.ts'

/** EX_USAGE and EX_CONFIG of sysexits.h: a supervisor need not try again before somebody has changed something. */
const EXIT_USAGE = 64
const EXIT_CONFIG = 78

const ABOUT_ARGUMENTS =
  'The server takes no arguments. Its settings come from the environment: .env.example lists them. To operate it: npm run wardline -- --help'

/** What is said, one line for each problem, and how the process ends. */
export type Ending = { readonly lines: readonly string[]; readonly exitCode: number; readonly to: 'out' | 'err' }

/** Whether there is an answer for somebody who asks on the command line; null: then it is to start. */
export function endingOfArguments(given: readonly string[]): Ending | null {
  if (given.length === 0) return null
  const asked = given.every((each) => each === '--help' || each === '-h')
  return { lines: [ABOUT_ARGUMENTS], ...(asked ? { exitCode: 0, to: 'out' } : { exitCode: EXIT_USAGE, to: 'err' }) }
}

/** Why it did not start: what an operator can mend, in a line that says how; a mistake of ours with where it was made. */
export function endingOf(error: unknown): Ending {
  if (error instanceof ConfigError) return { lines: error.problems, exitCode: EXIT_CONFIG, to: 'err' }
  if (error instanceof StartError) return { lines: [error.message], exitCode: error.exitCode, to: 'err' }
  if (error instanceof DatabaseRefused || error instanceof RootKeyError) {
    return { lines: [error.message], exitCode: 1, to: 'err' }
  }
  const line = lineOfSystemError(error) ?? String(error instanceof Error ? error.stack : error)
  return { lines: [line], exitCode: 1, to: 'err' }
}

const MEANING: Readonly<Record<string, string>> = {
  EACCES: 'may not be used by this user: let the user who runs Wardline own it, or choose another place',
  EPERM: 'may not be used by this user: let the user who runs Wardline own it, or choose another place',
  EROFS: 'is on a file system that cannot be written: choose another place',
  ENOTDIR: 'goes through something that is no folder: choose another place',
  EEXIST: 'is something else than it should be: move it away, or choose another place',
  EISDIR: 'is a folder where a file should be: move it away, or choose another place',
  ENOSPC: 'is on a disk that is full: make room',
  EDQUOT: 'is on a disk that is full for this user: make room',
  EMFILE: 'cannot be opened because too many files are: raise the limit (ulimit -n)',
}

/** What the operating system refused about a file. Its own words hold nothing but the path and the call. */
function lineOfSystemError(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, path } = error as NodeJS.ErrnoException
  const meaning = MEANING[code ?? '']
  if (meaning === undefined) return undefined
  return `${path ?? 'A file that the server writes'} ${meaning} (${code}; WARDLINE_DATA, WARDLINE_KEYS_DIR, WARDLINE_AUDIT_DIR, WARDLINE_LOG_FILE).`
}
