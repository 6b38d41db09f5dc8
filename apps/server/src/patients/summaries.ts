import type { PatientSummary } from '@wardline/protocol'
import type { Context } from '../context.ts'
import { SealError } from '../keys/envelope.ts'
import { KeyDestroyed, KeyMissing } from '../keys/keyring.ts'
import { openDemographics } from './demographics.ts'

/**
 * The patients of these ids as a banner shows them, by id. The caller has asked policy for each. Missing are those of another
 * tenant, those whose key was destroyed (nothing is left of them to show), and those whose record somebody has tampered with: the
 * log says so, and the others are shown.
 */
export async function patientSummaries(
  { database, keyring, log }: Pick<Context, 'database' | 'keyring' | 'log'>,
  tenantId: string,
  ids: readonly string[],
): Promise<Map<string, PatientSummary>> {
  if (ids.length === 0) return new Map()
  const rows = await database.readTenant(tenantId, (db) =>
    db.patient.findMany({
      where: { tenantId, id: { in: [...ids] } },
      select: {
        id: true,
        dataKeyId: true,
        sealedDemographics: true,
        channels: { where: { kind: 'patient' }, select: { id: true } },
      },
    }),
  )
  const opened = await Promise.all(
    rows.map(async (row): Promise<PatientSummary | null> => {
      const [channel] = row.channels
      if (channel === undefined) return null
      try {
        return { id: row.id, ...(await openDemographics(keyring, tenantId, row)), channel: channel.id }
      } catch (error) {
        if (error instanceof KeyDestroyed) return null
        if (!(error instanceof SealError || error instanceof KeyMissing)) throw error
        log.error('patient.unreadable', { tenant: tenantId, key: row.dataKeyId, error })
        return null
      }
    }),
  )
  return new Map(opened.flatMap((patient) => (patient === null ? [] : [[patient.id, patient]])))
}
