import { randomUUID } from 'node:crypto'
import type { PasskeyRequest, PasskeyTransport } from '@wardline/protocol'
import { Refusal } from '../errors.ts'
import { isUniqueViolation } from '../storage/errors.ts'
import type { Change, TenantDb } from '../storage/transaction.ts'
import type { Credential, Signed } from './webauthn.ts'

/** How many one person may have: a browser is told of all of them before it makes another. */
export const MAX_PASSKEYS = 20

/** A credential as a browser is told of it. */
export type Descriptor = PasskeyRequest['credentials'][number]

/** Whose credential this is, and what judges its answers. */
export type StoredPasskey = {
  readonly id: string
  readonly userId: string
  readonly credentialId: Uint8Array<ArrayBuffer>
  readonly publicKey: Uint8Array<ArrayBuffer>
  readonly synced: boolean
}

/** What of a row a browser is told. */
export const described = { credentialId: true, transports: true } as const

export function descriptorOf({
  credentialId,
  transports,
}: {
  credentialId: Uint8Array
  transports: string[]
}): Descriptor {
  // The database's check holds the transports to the list.
  return { id: Buffer.from(credentialId).toString('base64url'), transports: transports as PasskeyTransport[] }
}

/** The user's credentials, for a browser to choose from, or to make no second one of. */
export async function describePasskeys(db: TenantDb, tenantId: string, userId: string): Promise<Descriptor[]> {
  const rows = await db.passkey.findMany({
    where: { tenantId, userId, removedAt: null },
    select: described,
    orderBy: { createdAt: 'asc' },
  })
  return rows.map(descriptorOf)
}

/** The credential of this id, where it is that user's and was not removed. */
export async function findPasskey(
  db: TenantDb,
  tenantId: string,
  userId: string,
  credentialId: string,
): Promise<StoredPasskey | null> {
  return db.passkey.findFirst({
    where: { tenantId, userId, credentialId: new Uint8Array(Buffer.from(credentialId, 'base64url')), removedAt: null },
    select: { id: true, userId: true, credentialId: true, publicKey: true, synced: true },
  })
}

/** @throws Refusal `conflict` where the credential is known, to whomever it belongs */
export async function insertPasskey(
  { db, tenantId, at }: Change,
  userId: string,
  { id: credentialId, ...credential }: Credential,
  transports: readonly PasskeyTransport[],
): Promise<void> {
  try {
    await db.passkey.create({
      data: {
        tenantId,
        id: randomUUID(),
        userId,
        credentialId,
        ...credential,
        counter: BigInt(credential.counter),
        transports: [...new Set(transports)],
        createdAt: new Date(at),
        lastUsedAt: new Date(at),
      },
    })
  } catch (error) {
    if (isUniqueViolation(error)) throw new Refusal('conflict', 'conflict')
    throw error
  }
}

/**
 * Writes the counter that was signed. It has to be beyond the one of before, unless the authenticator keeps none (WebAuthn
 * §6.1.1): a counter that stands still or goes back was signed by a copy of the key.
 */
export async function takeCounter(
  { db, tenantId, at }: Change,
  id: string,
  { counter, backedUp }: Signed,
): Promise<'taken' | 'cloned' | 'removed'> {
  const where = { tenantId, id, removedAt: null }
  const { count } = await db.passkey.updateMany({
    where: { ...where, OR: [{ counter: { lt: counter } }, ...(counter === 0 ? [{ counter: 0 }] : [])] },
    data: { counter, backedUp, lastUsedAt: new Date(at) },
  })
  if (count === 1) return 'taken'
  return (await db.passkey.count({ where })) === 1 ? 'cloned' : 'removed'
}

/** Takes away all of a user's credentials. @returns how many */
export async function voidPasskeys({ db, tenantId, at }: Change, userId: string): Promise<number> {
  const where = { tenantId, userId, removedAt: null }
  return (await db.passkey.updateMany({ where, data: { removedAt: new Date(at) } })).count
}
