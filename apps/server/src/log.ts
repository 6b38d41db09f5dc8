import type { Phi } from '@wardline/protocol'
import { type DestinationStream, pino } from 'pino'
import type { LogLevel } from './config.ts'

/**
 * All that a line of the log can hold besides time, level and event: ids, codes, counts. No URL, body or header has a place
 * here, and neither has any text that somebody typed.
 */
export type LogFields = {
  readonly requestId?: string
  readonly method?: string
  /** The route's pattern (`/channels/:id`), never the path with its query. */
  readonly route?: string
  readonly status?: number
  readonly code?: string
  readonly reason?: string
  readonly ms?: number
  readonly count?: number
  readonly address?: string
  readonly port?: number
  readonly tenant?: string
  readonly user?: string
  readonly session?: string
  readonly connection?: string
  readonly channel?: string
  readonly key?: string
  readonly name?: string
  readonly file?: string
  /** Of an error: its name, its code, where it was thrown. Not its message: a database's words repeat the value they complain of. */
  readonly error?: unknown
}

type WithoutPhi<F> = { readonly [K in keyof F]: Extract<F[K], Phi> extends never ? F[K] : never }

/** `event` is `noun.verb`, a literal of the code. */
type LogLine = <F extends LogFields>(event: `${string}.${string}`, fields?: F & WithoutPhi<F>) => void

export type Logger = {
  readonly debug: LogLine
  readonly info: LogLine
  readonly warn: LogLine
  readonly error: LogLine
}

const NAMES = [
  'requestId',
  'method',
  'route',
  'status',
  'code',
  'reason',
  'ms',
  'count',
  'address',
  'port',
  'tenant',
  'user',
  'session',
  'connection',
  'channel',
  'key',
  'name',
  'file',
] as const satisfies readonly (keyof LogFields)[]

/** Longest text in a field, in UTF-16 code units. */
const MAX_TEXT = 200
/** Lines that wait to be written, in bytes. */
const MAX_WAITING_BYTES = 1024 * 1024

/** A log of JSON lines. `destination`: a stream, or a file that is made readable by its owner alone; default standard output. */
export function createLogger(level: LogLevel, destination?: DestinationStream | string): Logger {
  const stream = typeof destination === 'object' ? destination : fileStream(destination)
  const lines = pino({ level, base: null, messageKey: 'event', timestamp: pino.stdTimeFunctions.isoTime }, stream)
  const at =
    (at: 'debug' | 'info' | 'warn' | 'error'): LogLine =>
    (event, fields) => {
      if (lines.isLevelEnabled(at)) lines[at](allowed(fields ?? {}), event)
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/**
 * A file, or standard output. What cannot be written, because the disk is full or the reader of a pipe has gone, waits, and
 * beyond a bound it is lost: no request fails for its line of the log.
 */
function fileStream(path: string | undefined): DestinationStream {
  const dest = path ?? 1
  const file = pino.destination({ dest, mkdir: true, mode: 0o600, sync: true, maxLength: MAX_WAITING_BYTES })
  file.on('error', () => undefined)
  return file
}

/** The list again at run time: what a cast smuggled past the type is left out. */
function allowed(fields: LogFields): Record<string, unknown> {
  const kept: Record<string, unknown> = {}
  for (const name of NAMES) {
    const value = fields[name]
    if (typeof value === 'number') kept[name] = value
    else if (typeof value === 'string') kept[name] = value.slice(0, MAX_TEXT)
  }
  if (fields.error !== undefined) kept['error'] = described(fields.error)
  return kept
}

function described(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error }
  const code = 'code' in error && typeof error.code === 'string' ? error.code.slice(0, MAX_TEXT) : undefined
  const at = (error.stack ?? '').split('\n').filter((line) => /^ {4}at /.test(line))
  return {
    name: error.name.slice(0, MAX_TEXT),
    ...(code === undefined ? {} : { code }),
    at: at.slice(0, 12).map((line) => line.trim()),
    ...(error.cause === undefined ? {} : { cause: described(error.cause) }),
  }
}
