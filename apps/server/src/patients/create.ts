import { randomUUID } from 'node:crypto'
import type { By } from '../audit/by.ts'
import { auditId } from '../audit/event.ts'
import type { Keyring } from '../keys/keyring.ts'
import type { Change } from '../storage/transaction.ts'
import { type Demographics, sealDemographics } from './demographics.ts'

export type NewPatient = {
  readonly demographics: Demographics
  readonly mrnDigest: Uint8Array<ArrayBuffer>
  readonly externalDigest: Uint8Array<ArrayBuffer> | null
  readonly by: By
}

/** A patient and the patient's channel, each with a data key of its own, so that each can be shredded by itself. */
export async function createPatient(
  tx: Change,
  keyring: Keyring,
  patient: NewPatient,
): Promise<{ patientId: string; channelId: string }> {
  const { tenantId } = tx
  const { demographics, by } = patient
  const patientId = randomUUID()
  const channelId = randomUUID()
  const dataKeyId = await keyring.createDataKey(tx, tenantId, 'patient')
  const channelKeyId = await keyring.createDataKey(tx, tenantId, 'channel')
  const sealedDemographics = await sealDemographics(keyring, tenantId, patientId, dataKeyId, demographics)
  await tx.db.patient.create({
    data: {
      tenantId,
      id: patientId,
      dataKeyId,
      sealedDemographics,
      mrnDigest: patient.mrnDigest,
      externalDigest: patient.externalDigest,
    },
  })
  await tx.db.channel.create({ data: { tenantId, id: channelId, kind: 'patient', patientId, dataKeyId: channelKeyId } })
  tx.audit({
    ...by,
    action: 'patient.create',
    outcome: 'allowed',
    patient: auditId(patientId),
    channel: auditId(channelId),
  })
  return { patientId, channelId }
}
