import { asPhi, type Phi } from '@wardline/protocol'
import { z } from 'zod'
import type { Keyring } from '../keys/keyring.ts'

/** What identifies a patient. At rest it is one sealed value; in clear it goes to an authorised screen and nowhere else. */
export type Demographics = {
  readonly family: Phi
  readonly given: Phi
  /** `YYYY-MM-DD`, or null where the record has none. */
  readonly birthDate: Phi | null
  readonly mrn: Phi
  readonly sex: 'female' | 'male' | 'other' | 'unknown'
  readonly deceased: boolean
}

const phi = z.string().transform(asPhi)
const stored = z.strictObject({
  family: phi,
  given: phi,
  birthDate: phi.nullable(),
  mrn: phi,
  sex: z.enum(['female', 'male', 'other', 'unknown']),
  deceased: z.boolean(),
})

const binding = (patientId: string) => ({ scope: 'patients', row: patientId, purpose: 'demographics' }) as const

/** Seals them under the patient's own data key, bound to the patient's row. */
export function sealDemographics(
  keyring: Keyring,
  tenantId: string,
  patientId: string,
  dataKeyId: string,
  demographics: Demographics,
): Promise<Uint8Array<ArrayBuffer>> {
  return keyring.seal(tenantId, dataKeyId, binding(patientId), asPhi(JSON.stringify(demographics)))
}

/** @throws KeyDestroyed where the patient's key was shredded */
export async function openDemographics(
  keyring: Keyring,
  tenantId: string,
  patient: { readonly id: string; readonly sealedDemographics: Uint8Array },
): Promise<Demographics> {
  return stored.parse(JSON.parse(await keyring.open(tenantId, binding(patient.id), patient.sealedDemographics)))
}
