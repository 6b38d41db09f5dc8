import type { Change } from '../storage/transaction.ts'
import { newRecoveryCodes, recoveryCodeDigest } from './recovery-codes.ts'

/** New codes in place of those of before, which open nothing any more. @returns them, in the clear for this once */
export async function replaceRecoveryCodes(tx: Change, userId: string): Promise<string[]> {
  const { db, tenantId, at } = tx
  await voidRecoveryCodes(tx, userId)
  const codes = newRecoveryCodes()
  await db.recoveryCode.createMany({
    data: codes.map((code) => ({
      tenantId,
      userId,
      digest: recoveryCodeDigest(tenantId, userId, code),
      createdAt: new Date(at),
    })),
  })
  return codes
}

/** Codes for who has none that is good; empty where those of before stay in force. */
export async function firstRecoveryCodes(tx: Change, userId: string): Promise<string[]> {
  const { db, tenantId } = tx
  const left = await db.recoveryCode.count({ where: { tenantId, userId, usedAt: null, voidedAt: null } })
  return left > 0 ? [] : replaceRecoveryCodes(tx, userId)
}

export async function voidRecoveryCodes({ db, tenantId, at }: Change, userId: string): Promise<void> {
  await db.recoveryCode.updateMany({
    where: { tenantId, userId, usedAt: null, voidedAt: null },
    data: { voidedAt: new Date(at) },
  })
}
