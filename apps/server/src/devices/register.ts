import { randomUUID } from 'node:crypto'
import { type AuditFact, auditSecretId } from '../audit/event.ts'
import { Refusal } from '../errors.ts'
import type { Change } from '../storage/transaction.ts'

/**
 * The device that holds the key with thumbprint `jkt`, as one of this user's: made at its first sign-in, with an audit event. The
 * caller has taken the user's row.
 * @param trail who and where, for that event
 * @returns the row's id
 * @throws Refusal `unauthenticated` when it was revoked
 */
export async function registerDevice(
  tx: Change,
  userId: string,
  jkt: string,
  trail: Partial<AuditFact>,
): Promise<string> {
  const { db, tenantId } = tx
  const where = { tenantId_userId_jkt: { tenantId, userId, jkt } }
  const now = new Date(tx.at)
  const known = await db.device.findUnique({ where, select: { id: true, revokedAt: true } })
  if (known !== null) {
    if (known.revokedAt !== null) throw new Refusal('unauthenticated', 'device-revoked')
    await db.device.update({ where, data: { lastSeenAt: now } })
    return known.id
  }
  await holdKey(tx, jkt, 'to sign in')
  // An administrator has revoked this key for everybody, whoever's it was.
  if ((await db.device.count({ where: { tenantId, jkt, barred: true } })) > 0) {
    throw new Refusal('unauthenticated', 'device-revoked')
  }
  const id = randomUUID()
  await db.device.create({ data: { tenantId, id, userId, jkt, createdAt: now, lastSeenAt: now } })
  tx.audit({ ...trail, action: 'device.register', outcome: 'allowed', device: auditSecretId(jkt) })
  return id
}

/**
 * Until the transaction ends, whoever bars this key waits for those who sign in with it for the first time, and they for it: a
 * row that is not there yet cannot be locked.
 */
export async function holdKey({ db, tenantId }: Change, jkt: string, why: 'to sign in' | 'to bar'): Promise<void> {
  const name = `device|${tenantId}|${jkt}`
  await (why === 'to bar'
    ? db.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${name}, 0))`
    : db.$executeRaw`SELECT pg_advisory_xact_lock_shared(hashtextextended(${name}, 0))`)
}
