import { randomUUID } from 'node:crypto'
import { Refusal } from '../errors.ts'
import type { Keyring } from '../keys/keyring.ts'
import type { Change } from '../storage/transaction.ts'
import { voidRecoveryCodes } from './recovery-rows.ts'
import { factorPlace } from './use-factor.ts'

const PHASES = { begun: null, 'in-force': { not: null } } as const

export type Factors = { readonly keyring: Pick<Keyring, 'createDataKey' | 'destroyDataKey' | 'seal'> }

/** An authenticator, sealed under a key of its own; not yet in force. */
export async function insertTotp(
  { keyring }: Factors,
  tx: Change,
  { id, userId, secret }: { readonly id: string; readonly userId: string; readonly secret: string },
): Promise<void> {
  const { tenantId } = tx
  const dataKeyId = await keyring.createDataKey(tx, tenantId, 'factor')
  const sealedSecret = await keyring.seal(tenantId, dataKeyId, factorPlace(id), Buffer.from(secret))
  await tx.db.secondFactor.create({
    data: { tenantId, id, userId, kind: 'totp', dataKeyId, sealedSecret, createdAt: new Date(tx.at) },
  })
}

/** @param step the step whose code has confirmed it: that code is used up */
export async function putInForce({ db, tenantId, at }: Change, id: string, step: number): Promise<void> {
  const { count } = await db.secondFactor.updateMany({
    where: { tenantId, id, removedAt: null, confirmedAt: null },
    data: { confirmedAt: new Date(at), lastStep: step },
  })
  if (count === 0) throw new Refusal('conflict', 'conflict')
}

/** Takes away authenticators of a user, those in force, those that were only begun, or both, and shreds their secrets. */
export async function voidTotps(
  { keyring }: Factors,
  tx: Change,
  userId: string,
  which: 'begun' | 'in-force' | 'all',
): Promise<void> {
  const { db, tenantId, at } = tx
  const where = { tenantId, userId, removedAt: null, ...(which === 'all' ? {} : { confirmedAt: PHASES[which] }) }
  const rows = await db.secondFactor.updateManyAndReturn({ where, data: { removedAt: new Date(at) } })
  for (const { dataKeyId } of rows) await keyring.destroyDataKey(tx, tenantId, dataKeyId)
}

/** Puts an authenticator with a known secret in force, in place of any other: what the demonstration does at its start. */
export async function setTotp(factors: Factors, tx: Change, userId: string, secret: string): Promise<void> {
  const id = randomUUID()
  await voidTotps(factors, tx, userId, 'all')
  await insertTotp(factors, tx, { id, userId, secret })
  await putInForce(tx, id, 0)
  await voidRecoveryCodes(tx, userId)
}
