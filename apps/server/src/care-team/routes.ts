import {
  assignCareTeam,
  careTeamAssignment,
  careTeamQuery,
  findPatient as findPatientRequest,
  page,
  patientIdentity,
  uuid,
} from '@wardline/protocol'
import { z } from 'zod'
import type { Context } from '../context.ts'
import type { App } from '../http/app-type.ts'
import { callerOf } from '../http/caller.ts'
import { noQuery } from '../http/no-query.ts'
import { addAssignment, endAssignment } from './change.ts'
import { findPatient } from './find-patient.ts'
import { listCareTeam } from './list.ts'

/** Who cares for whom; for the authenticated scope. */
export function registerCareTeamRoutes(api: App, ctx: Context): void {
  api.get(
    '/admin/care-team',
    {
      config: { action: 'care-team.read' },
      schema: { querystring: careTeamQuery, response: { 200: page(careTeamAssignment) } },
    },
    (request) => listCareTeam(ctx, callerOf(request), request.query),
  )
  api.post(
    '/admin/care-team',
    {
      config: { action: 'care-team.manage' },
      schema: { querystring: noQuery, body: assignCareTeam, response: { 201: careTeamAssignment } },
    },
    async (request, reply) => reply.code(201).send(await addAssignment(ctx, callerOf(request), request.body)),
  )
  api.post(
    '/admin/care-team/patients',
    {
      config: { action: 'care-team.read' },
      schema: { querystring: noQuery, body: findPatientRequest, response: { 200: patientIdentity } },
    },
    (request) => findPatient(ctx, callerOf(request), request.body.mrn),
  )
  api.delete(
    '/admin/care-team/:id',
    { config: { action: 'care-team.manage' }, schema: { querystring: noQuery, params: z.strictObject({ id: uuid }) } },
    async (request, reply) => {
      await endAssignment(ctx, callerOf(request), request.params.id)
      return reply.code(204).send()
    },
  )
}
