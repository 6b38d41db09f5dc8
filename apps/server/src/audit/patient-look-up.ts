import type { auditPatientQuery } from '@wardline/protocol'
import type { z } from 'zod'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import { patientByRecordNumber } from '../patients/by-record-number.ts'
import { auditId } from './event.ts'

/**
 * Which patient has this record number: whoever asks "who saw my record" comes with a number, and the audit holds ids alone. Nothing but
 * the id is answered, and the number is kept nowhere; that it was asked is in the audit, under the patient. @throws Refusal
 */
export async function findAuditPatient(
  ctx: Context,
  caller: Caller,
  { mrn }: z.infer<typeof auditPatientQuery>,
): Promise<{ patient: string }> {
  const { tenant: tenantId } = caller.actor
  const action = 'audit.read'
  const { reason } = await decideFor(ctx, caller, action, { kind: 'audit', tenant: tenantId })
  const found = await patientByRecordNumber(ctx, tenantId, mrn)
  if (found === null) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action)
  const patient = auditId(found)
  await ctx.database.auditOnly(tenantId, { ...caller.trail, action, outcome: 'allowed', reason, patient, count: 1 })
  return { patient }
}
