import { decide } from '@wardline/policy'
import type { PatientSummary } from '@wardline/protocol'
import { auditId } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import { type Page, type PageRequest, pageOf } from '../http/page.ts'
import { compareNames, searchFor } from '../search.ts'
import { patientSummaries } from './summaries.ts'

/**
 * The patients in the caller's care now, by name. With `q`, those whose name or medical record number holds what was typed: looked
 * for in memory, since both are encrypted where they rest.
 */
export async function listPatients(
  ctx: Context,
  { actor, trail }: Caller,
  request: PageRequest & { readonly q?: string },
): Promise<Page<PatientSummary>> {
  const { tenant } = actor
  const context = { now: ctx.clock.now(), policy: ctx.policy }
  const mine = [...new Set([...actor.careTeam.keys(), ...actor.emergencyAccess.keys()])].filter(
    (id) => decide(actor, 'patient.read', { kind: 'patient', tenant, id }, context).allowed,
  )
  const patients = [...(await patientSummaries(ctx, tenant, mine)).values()].sort(
    (a, b) => compareNames(a.family, b.family) || compareNames(a.given, b.given) || (a.id < b.id ? -1 : 1),
  )
  const isWanted = request.q === undefined ? () => true : searchFor(request.q)
  const page = pageOf(
    patients.filter(({ family, given, mrn }) => isWanted(family, given, mrn)),
    request,
  )
  const count = page.items.length
  await ctx.database.auditOnly(tenant, { ...trail, action: 'patient.read', outcome: 'allowed', count })
  return page
}

/** One patient, if the caller may see them now. @throws Refusal */
export async function showPatient(ctx: Context, caller: Caller, id: string): Promise<PatientSummary> {
  const { tenant } = caller.actor
  const about = { patient: auditId(id) }
  const { reason } = await decideFor(ctx, caller, 'patient.read', { kind: 'patient', tenant, id }, about)
  const patient = (await patientSummaries(ctx, tenant, [id])).get(id)
  if (patient === undefined) {
    return refuse(ctx, caller, new Refusal('not-found', 'not-found'), 'patient.read', about)
  }
  const fact = { ...caller.trail, ...about, action: 'patient.read', outcome: 'allowed', reason } as const
  await ctx.database.auditOnly(tenant, fact)
  return patient
}
