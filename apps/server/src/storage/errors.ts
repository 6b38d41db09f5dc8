import { Prisma } from './generated/client.ts'

/** The row of no tenant in the audit, and of the system itself among actors. */
export const NIL_UUID = '00000000-0000-0000-0000-000000000000'

/**
 * The database cannot be used at start. The message is one line for the operator: what is wrong and what to do, without
 * secrets.
 */
export class DatabaseRefused extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DatabaseRefused'
  }
}

/** The database is away, too slow, or its backlog full: nothing was acknowledged, the same request may come again. */
export class StorageUnavailable extends Error {
  constructor(what: string, options?: ErrorOptions) {
    super(what, options)
    this.name = 'StorageUnavailable'
  }
}

/** A transaction changed something and named no audit event (law 3). A mistake in the program, not of the asker. */
export class UnauditedChange extends Error {
  constructor() {
    super('a change without an audit event was rolled back')
    this.name = 'UnauditedChange'
  }
}

/** SQLSTATE classes after which nobody knows the server any more: connection, resources, operator, system. */
const UNAVAILABLE_CLASSES = new Set(['08', '53', '57', '58'])
/** Of class 57: the statement alone was cancelled; and of class 40, deadlock and serialization pass when tried again. */
const UNAVAILABLE_CODES = new Set(['40001', '40P01', '25P03', '25P04'])
const UNAVAILABLE_PRISMA = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2034', 'P2037'])

/** Whether trying later may help: the database was not reached or did not answer, as opposed to having said no. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof StorageUnavailable) return true
  if (error instanceof Prisma.PrismaClientInitializationError) return true
  if (error instanceof Prisma.PrismaClientKnownRequestError) return UNAVAILABLE_PRISMA.has(error.code)
  const code = sqlState(error)
  if (code !== undefined) return UNAVAILABLE_CODES.has(code) || UNAVAILABLE_CLASSES.has(code.slice(0, 2))
  // No SQLSTATE: the socket's own errors, and pg's "Connection terminated …" and "timeout exceeded …".
  return (
    error instanceof Error &&
    (hasSystemCode(error) || /^(Connection|Client|timeout|Query read timeout)/.test(error.message))
  )
}

/** The five characters PostgreSQL gives an error, where it is one of PostgreSQL's. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  return /^[0-9A-Z]{5}$/.test(error.code) && 'severity' in error ? error.code : undefined
}

/** A unique key was already taken: P2002 of Prisma, 23505 of PostgreSQL. */
export function isUniqueViolation(error: unknown): boolean {
  if (error instanceof Prisma.PrismaClientKnownRequestError) return error.code === 'P2002'
  return sqlState(error) === '23505'
}

/** `code` of an error, as `ECONNREFUSED` or `28P01`, for messages that must not quote more. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown'
}

function hasSystemCode(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code)
}
