import { randomUUID } from 'node:crypto'
import { type AuditFact, auditSecretId } from '../audit/event.ts'
import { Refusal } from '../errors.ts'
import type { Change } from '../storage/transaction.ts'

/**
 * The device that holds the key with thumbprint `jkt`, as one of this user's: made at its first sign-in, with an audit event.
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
  // An administrator has revoked this key for everybody, whoever's it was.
  if ((await db.device.count({ where: { tenantId, jkt, barred: true } })) > 0) {
    throw new Refusal('unauthenticated', 'device-revoked')
  }
  const now = new Date(tx.at)
  const fresh = randomUUID()
  const device = await db.device.upsert({
    where: { tenantId_userId_jkt: { tenantId, userId, jkt } },
    create: { tenantId, id: fresh, userId, jkt, createdAt: now, lastSeenAt: now },
    update: { lastSeenAt: now },
  })
  if (device.revokedAt !== null) throw new Refusal('unauthenticated', 'device-revoked')
  if (device.id === fresh) {
    tx.audit({ ...trail, action: 'device.register', outcome: 'allowed', device: auditSecretId(jkt) })
  }
  return device.id
}
