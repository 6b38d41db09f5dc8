import type { Clock } from '../clock.ts'
import type { SessionWrites } from '../storage/session-writes.ts'
import type { BeforeTenant } from '../storage/tenants.ts'

/** How often it is looked, and for how long it is kept, in ms: a spent cookie still ends its session, and that is over by then. */
const LOOK_MS = 3_600_000

/**
 * Every renewal leaves a row behind, a hundred a shift and person: they go once their session is over, whichever node comes first.
 * @returns how to stop
 */
export function forgetPast(
  database: Pick<SessionWrites, 'forgetPast'> & Pick<BeforeTenant, 'listTenants'>,
  clock: Clock,
  onFault: (error: unknown) => void,
): () => void {
  const forget = async () => {
    for (const { id } of await database.listTenants()) await database.forgetPast(id, clock.now() - LOOK_MS)
  }
  return clock.every(LOOK_MS, () => void forget().catch(onFault))
}
