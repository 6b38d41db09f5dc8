import type { Phi } from '@wardline/protocol'
import type { Context } from '../context.ts'

/**
 * The id of the patient with this whole record number; null: nobody's. By the number as it was typed; else without its gaps, which
 * screens show and records do not hold: whoever has it to the letter goes first. Deciding and the audit are the caller's.
 */
export async function patientByRecordNumber(
  { database, keyring }: Pick<Context, 'database' | 'keyring'>,
  tenantId: string,
  typed: Phi,
): Promise<string | null> {
  const trimmed = typed.trim()
  for (const mrn of new Set([trimmed, trimmed.replaceAll(/\s/g, '')])) {
    const mrnDigest = await keyring.digest(tenantId, 'mrn', mrn)
    const where = { tenantId_mrnDigest: { tenantId, mrnDigest } }
    const found = await database.readTenant(tenantId, (db) => db.patient.findUnique({ where, select: { id: true } }))
    if (found !== null) return found.id
  }
  return null
}
