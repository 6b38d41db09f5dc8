import type { Database } from '../storage/open.ts'
import type { TenantDb } from '../storage/transaction.ts'

/** Whether a password alone is not enough for this user. */
export async function hasSecondFactor(
  { database }: { readonly database: Pick<Database, 'readTenant'> },
  tenantId: string,
  userId: string,
): Promise<boolean> {
  return (await database.readTenant(tenantId, (db) => countFactors(db, tenantId, userId))) > 0
}

/** How many authenticators of a user are in force, of every kind. */
export async function countFactors(db: TenantDb, tenantId: string, userId: string): Promise<number> {
  const where = { tenantId, userId, removedAt: null }
  const totps = await db.secondFactor.count({ where: { ...where, confirmedAt: { not: null } } })
  return totps + (await db.passkey.count({ where }))
}
