import type pg from 'pg'
import { StorageUnavailable } from './errors.ts'

/** A subject of wrong passwords, and how it is slowed down. */
export type SlowedSubject = {
  readonly subject: Buffer
  /** Failures in a row that cost nothing. */
  readonly free: number
  /** The longest wait, in ms. */
  readonly capMs: number
}

export type SignInWaits = {
  /** By subject, in hex: until when it has to wait, in ms of the epoch. Others need not. */
  readonly retryAt: ReadonlyMap<string, number>
  readonly knownPlace: boolean
}

/** Wrong passwords, on whichever node. The tenant is the nil UUID where there is none. Each throws `StorageUnavailable`. */
export type SignInFailures = {
  signInWaits(tenantId: string, subjects: readonly Buffer[], place: Buffer, at: number): Promise<SignInWaits>
  signInFailed(tenantId: string, subjects: readonly SlowedSubject[], memoryMs: number, at: number): Promise<void>
  /** False: meanwhile it has to wait. */
  signInSucceeded(tenantId: string, subject: Buffer, place: Buffer, at: number): Promise<boolean>
  forgetSignIns(tenantId: string, failuresBefore: number, placesBefore: number): Promise<void>
}

type WaitRow = { subject: Buffer; retry_at: Date | null; known_place: boolean }

export function signInFailuresIn(pool: pg.Pool): SignInFailures {
  async function rows<R extends pg.QueryResultRow>(name: string, text: string, values: unknown[]): Promise<R[]> {
    try {
      return (await pool.query<R>({ name: `wardline_${name}`, text, values })).rows
    } catch (error) {
      throw new StorageUnavailable('the database is away', { cause: error })
    }
  }
  const time = (ms: number) => new Date(ms).toISOString()
  const span = (ms: number) => `${ms} milliseconds`

  return {
    async signInWaits(tenantId, subjects, place, at) {
      const text = 'SELECT * FROM wardline_sign_in_waits($1,$2,$3,$4)'
      const found = await rows<WaitRow>('sign_in_waits', text, [tenantId, subjects, place, time(at)])
      const retryAt = new Map<string, number>()
      for (const { subject, retry_at: until } of found) {
        if (until !== null) retryAt.set(subject.toString('hex'), until.getTime())
      }
      return { retryAt, knownPlace: found[0]?.known_place === true }
    },
    async signInFailed(tenantId, subjects, memoryMs, at) {
      const values = [
        tenantId,
        subjects.map(({ subject }) => subject),
        subjects.map(({ free }) => free),
        subjects.map(({ capMs }) => span(capMs)),
        span(memoryMs),
        time(at),
      ]
      await rows('sign_in_failed', 'SELECT wardline_sign_in_failed($1,$2,$3,$4::interval[],$5::interval,$6)', values)
    },
    async signInSucceeded(tenantId, subject, place, at) {
      const text = 'SELECT wardline_sign_in_succeeded($1,$2,$3,$4) AS passed'
      const [row] = await rows<{ passed: boolean }>('sign_in_succeeded', text, [tenantId, subject, place, time(at)])
      return row?.passed === true
    },
    async forgetSignIns(tenantId, failuresBefore, placesBefore) {
      const values = [tenantId, time(failuresBefore), time(placesBefore)]
      await rows('forget_sign_ins', 'SELECT wardline_forget_sign_ins($1,$2,$3)', values)
    },
  }
}
