import { page, pageQuery, patientSummary, searchRequest, uuid } from '@wardline/protocol'
import { z } from 'zod'
import type { Context } from '../context.ts'
import type { App } from '../http/app-type.ts'
import { callerOf } from '../http/caller.ts'
import { noQuery } from '../http/no-query.ts'
import { listPatients, showPatient } from './list.ts'

const patients = page(patientSummary)
const config = { action: 'patient.read' } as const

/** The patients in one's care; for the authenticated scope. */
export function registerPatientRoutes(api: App, ctx: Context): void {
  api.get('/patients', { config, schema: { querystring: pageQuery, response: { 200: patients } } }, (request) =>
    listPatients(ctx, callerOf(request), request.query),
  )
  api.post(
    '/patients/search',
    { config, schema: { querystring: noQuery, body: searchRequest, response: { 200: patients } } },
    (request) => listPatients(ctx, callerOf(request), request.body),
  )
  api.get(
    '/patients/:id',
    {
      config,
      schema: { querystring: noQuery, params: z.strictObject({ id: uuid }), response: { 200: patientSummary } },
    },
    (request) => showPatient(ctx, callerOf(request), request.params.id),
  )
}
