import type { PatientIdentity, Phi } from '@wardline/protocol'
import { auditId } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import { patientByRecordNumber } from '../patients/by-record-number.ts'
import { patientSummaries } from '../patients/summaries.ts'

/**
 * The patient of a whole record number, for who may see who cares for whom: so that an assignment is made, and an access looked into,
 * for the patient who was meant. Names are encrypted where they rest and are not searched here: nobody is browsed. Each look is audited
 * with the patient it found. @throws Refusal `not-found` where nobody has this number
 */
export async function findPatient(ctx: Context, caller: Caller, typed: Phi): Promise<PatientIdentity> {
  const { tenant } = caller.actor
  const action = 'care-team.read'
  const { reason } = await decideFor(ctx, caller, action, { kind: 'tenant', tenant })
  const id = await patientByRecordNumber(ctx, tenant, typed)
  const patient = id === null ? undefined : (await patientSummaries(ctx, tenant, [id])).get(id)
  if (patient === undefined) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action)
  const fact = { ...caller.trail, action, outcome: 'allowed', reason, patient: auditId(patient.id), count: 1 } as const
  await ctx.database.auditOnly(tenant, fact)
  const { family, given, birthDate, mrn, deceased } = patient
  return { id: patient.id, family, given, birthDate, mrn, deceased }
}
