import {
  auditFilter,
  auditFilters,
  auditHistogram,
  auditHistogramQuery,
  auditHold,
  auditHolds,
  auditMarks,
  auditPatient,
  auditPatientQuery,
  auditPolicy,
  auditReview,
  auditReviews,
  changeAuditPolicy,
  keepAuditFilter,
  markAuditEvent,
  openAuditReview,
  patientAccess,
  patientAccessQuery,
  placeAuditHold,
  uuid,
} from '@wardline/protocol'
import { z } from 'zod'
import type { Context } from '../context.ts'
import type { App } from '../http/app-type.ts'
import { callerOf } from '../http/caller.ts'
import { noQuery } from '../http/no-query.ts'
import { countAuditEvents } from './histogram.ts'
import { reportPatientAccess } from './patient-access.ts'
import { findAuditPatient } from './patient-look-up.ts'
import { listHolds, placeHold, releaseHold } from './retention/holds.ts'
import { changePolicy, showPolicy } from './retention/policy.ts'
import { listMarks, listReviews } from './reviews/list.ts'
import { markEvent, openReview, signReview } from './reviews/review.ts'
import { keepFilter, listFilters, removeFilter } from './saved-filters.ts'

const params = z.strictObject({ id: uuid })
const read = { action: 'audit.read' } as const
const review = { action: 'audit.review' } as const
const manage = { action: 'settings.manage' } as const

/** How the audit is looked through and for how long it is kept; for the authenticated scope. */
export function registerAuditReviewRoutes(api: App, ctx: Context): void {
  api.get(
    '/admin/audit/histogram',
    { config: read, schema: { querystring: auditHistogramQuery, response: { 200: auditHistogram } } },
    (request) => countAuditEvents(ctx, callerOf(request), request.query),
  )
  api.get(
    '/admin/audit/patients/:id/access',
    { config: read, schema: { params, querystring: patientAccessQuery, response: { 200: patientAccess } } },
    (request) => reportPatientAccess(ctx, callerOf(request), request.params.id, request.query),
  )
  api.post(
    '/admin/audit/patients/look-up',
    { config: read, schema: { querystring: noQuery, body: auditPatientQuery, response: { 200: auditPatient } } },
    (request) => findAuditPatient(ctx, callerOf(request), request.body),
  )
  registerFilters(api, ctx)
  registerReviews(api, ctx)
  registerRetention(api, ctx)
}

function registerFilters(api: App, ctx: Context): void {
  api.get(
    '/admin/audit/filters',
    { config: read, schema: { querystring: noQuery, response: { 200: auditFilters } } },
    (request) => listFilters(ctx, callerOf(request)),
  )
  api.post(
    '/admin/audit/filters',
    { config: read, schema: { querystring: noQuery, body: keepAuditFilter, response: { 201: auditFilter } } },
    async (request, reply) => reply.code(201).send(await keepFilter(ctx, callerOf(request), request.body)),
  )
  api.delete(
    '/admin/audit/filters/:id',
    { config: read, schema: { params, querystring: noQuery } },
    async (request, reply) => {
      await removeFilter(ctx, callerOf(request), request.params.id)
      return reply.code(204).send()
    },
  )
}

function registerReviews(api: App, ctx: Context): void {
  api.get(
    '/admin/audit/reviews',
    { config: read, schema: { querystring: noQuery, response: { 200: auditReviews } } },
    (request) => listReviews(ctx, callerOf(request)),
  )
  api.post(
    '/admin/audit/reviews',
    { config: review, schema: { querystring: noQuery, body: openAuditReview, response: { 201: auditReview } } },
    async (request, reply) => reply.code(201).send(await openReview(ctx, callerOf(request), request.body)),
  )
  api.get(
    '/admin/audit/reviews/:id/marks',
    { config: read, schema: { params, querystring: noQuery, response: { 200: auditMarks } } },
    (request) => listMarks(ctx, callerOf(request), request.params.id),
  )
  api.post(
    '/admin/audit/reviews/:id/marks',
    { config: review, schema: { params, querystring: noQuery, body: markAuditEvent } },
    async (request, reply) => {
      await markEvent(ctx, callerOf(request), request.params.id, request.body)
      return reply.code(204).send()
    },
  )
  api.post(
    '/admin/audit/reviews/:id/sign-off',
    { config: review, schema: { params, querystring: noQuery, response: { 200: auditReview } } },
    (request) => signReview(ctx, callerOf(request), request.params.id),
  )
}

function registerRetention(api: App, ctx: Context): void {
  api.get(
    '/admin/audit/holds',
    { config: read, schema: { querystring: noQuery, response: { 200: auditHolds } } },
    (request) => listHolds(ctx, callerOf(request)),
  )
  api.post(
    '/admin/audit/holds',
    { config: manage, schema: { querystring: noQuery, body: placeAuditHold, response: { 201: auditHold } } },
    async (request, reply) => reply.code(201).send(await placeHold(ctx, callerOf(request), request.body)),
  )
  api.delete(
    '/admin/audit/holds/:id',
    { config: manage, schema: { params, querystring: noQuery } },
    async (request, reply) => {
      await releaseHold(ctx, callerOf(request), request.params.id)
      return reply.code(204).send()
    },
  )
  api.get(
    '/admin/audit/policy',
    { config: read, schema: { querystring: noQuery, response: { 200: auditPolicy } } },
    (request) => showPolicy(ctx, callerOf(request)),
  )
  api.patch(
    '/admin/audit/policy',
    { config: manage, schema: { querystring: noQuery, body: changeAuditPolicy, response: { 200: auditPolicy } } },
    (request) => changePolicy(ctx, callerOf(request), request.body),
  )
}
