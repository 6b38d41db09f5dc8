import { createHmac } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { networkOf } from '../gateway/admission.ts'
import { NIL_UUID } from '../storage/errors.ts'
import type { SignInFailures, SlowedSubject } from '../storage/sign-in-failures.ts'
import type { BeforeTenant } from '../storage/tenants.ts'

/**
 * Wrong passwords in a row that cost nothing, and the longest wait after those, in ms: on a device that this account has signed in
 * with before; from one network on any other; and on all devices and networks together that the account does not know.
 */
const OF_DEVICE = { free: 10, capMs: 60_000 }
const OF_NETWORK = { free: 10, capMs: 15 * 60_000 }
const OF_STRANGERS = { free: 50, capMs: 60_000 }
/** A series is over when nothing has failed for so long. */
const MEMORY_MS = 3_600_000
/** An account is known at a network for so long after it was signed in to from there. */
const PLACE_MS = 30 * 24 * 3_600_000
const FORGET_EVERY_MS = 3_600_000

export type SignInTry = {
  /** The nil UUID where there is no such tenant. */
  readonly tenant: string
  /** As it was typed, whether there is such a user or not. */
  readonly username: string
  readonly jkt: string
  /** Whether this user has signed in with that key before. */
  readonly knownDevice: boolean
  readonly address: string
}

export type SlowedTry = {
  /** In ms; 0: the password may be looked at. */
  readonly waitMs: number
  /** It was wrong, or whose it is may not sign in. */
  failed(): Promise<void>
  /** It was right. Answers 0, or in how many ms it may be tried again: others have failed meanwhile. */
  succeeded(): Promise<number>
}

/**
 * Slows down who guesses at an account (R-10, ASVS 6.3.1), on all nodes together, and never its person (OWASP, "device cookies"): a device
 * that has signed in before has a count of its own that nobody without its key can raise; on a new device, only who fails from
 * the same network stands in the way; and what strangers do together counts nowhere that the account is known.
 * Names that are nobody's are slowed down alike. Memory is the database's and bounded by the rate of sign-ins of an address.
 */
export type SlowDown = {
  /** @throws StorageUnavailable: nothing is looked at that could not be counted */
  begin(attempt: SignInTry): Promise<SlowedTry>
  close(): void
}

/** @param key secret: what is typed as a name may have been a password */
export function createSlowDown(
  database: SignInFailures & Pick<BeforeTenant, 'listTenants'>,
  key: Uint8Array,
  clock: Clock,
  onFault: (error: unknown) => void,
): SlowDown {
  const subjectOf = (...parts: readonly string[]) => createHmac('sha256', key).update(JSON.stringify(parts)).digest()
  const forget = async () => {
    const tenants = [...(await database.listTenants()).map(({ id }) => id), NIL_UUID]
    for (const tenant of tenants) await database.forgetSignIns(tenant, clock.now() - MEMORY_MS, clock.now() - PLACE_MS)
  }
  const stop = clock.every(FORGET_EVERY_MS, () => void forget().catch(onFault))

  return {
    close: stop,
    async begin({ tenant, username, jkt, knownDevice, address }) {
      const network = networkOf(address)
      const place = subjectOf('place', username, network)
      const own: SlowedSubject = knownDevice
        ? { subject: subjectOf('device', username, jkt), ...OF_DEVICE }
        : { subject: subjectOf('network', username, network), ...OF_NETWORK }
      const strangers: SlowedSubject = { subject: subjectOf('strangers', username), ...OF_STRANGERS }
      const asked = [own.subject, strangers.subject]
      const { retryAt, knownPlace } = await database.signInWaits(tenant, asked, place, clock.now())
      const slowed = knownDevice || knownPlace ? [own] : [own, strangers]
      const waitOf = ({ subject }: SlowedSubject) => (retryAt.get(subject.toString('hex')) ?? 0) - clock.now()
      return {
        waitMs: Math.max(0, ...slowed.map(waitOf)),
        failed: () => database.signInFailed(tenant, slowed, MEMORY_MS, clock.now()),
        async succeeded() {
          return (await database.signInSucceeded(tenant, own.subject, place, clock.now())) ? 0 : own.capMs
        },
      }
    },
  }
}
