import { z } from 'zod'
import { auditQuery } from './http.ts'
import { sequence, timestamp, uuid } from './ids.ts'
import { typedText } from './text.ts'

/** How the audit is reviewed, and for how long it is kept. The list itself is in `http.ts`. */

/** A person in a list of the audit; no name where they have left. */
const person = z.strictObject({ id: uuid, displayName: z.string().nullable() })
const counted = z.int().min(0)

/** `GET /admin/audit/histogram`: the filters of the list. */
export const auditHistogramQuery = auditQuery.omit({ limit: true, cursor: true })

/** How many events of each outcome, in stretches of `stepMs` from `from` on; stretches without any are left out. Proves nothing. */
export const auditHistogram = z.strictObject({
  from: timestamp,
  until: timestamp,
  stepMs: z.int().min(1),
  buckets: z.array(
    z.strictObject({ at: timestamp, allowed: counted, refused: counted, failed: counted, repeated: counted }),
  ),
})
export type AuditHistogram = z.infer<typeof auditHistogram>

export const patientAccessQuery = z.strictObject({ from: timestamp.optional(), until: timestamp.optional() })

/** `GET /admin/audit/patients/:id/access`: who saw this patient, or tried to; the latest first. `user` null: the system, or nobody known. */
export const patientAccess = z.strictObject({
  patient: uuid,
  people: z.array(
    z.strictObject({
      user: person.nullable(),
      first: timestamp,
      last: timestamp,
      allowed: counted,
      /** Refused and failed, with those that one event sums up. */
      refused: counted,
      /** Lists of patients or channels that they opened while on the patient's care team: each may have shown the patient, none says so. */
      lists: counted,
      /** There were at least so many. */
      moreLists: z.boolean(),
      actions: z.array(z.strictObject({ action: z.string(), count: counted })),
    }),
  ),
})
export type PatientAccess = z.infer<typeof patientAccess>

/** `POST /admin/audit/patients/look-up`: by body, for a record number is in no address. Answered with the id alone. */
export const auditPatientQuery = z.strictObject({ mrn: typedText(1, 64) })
export const auditPatient = z.strictObject({ patient: uuid })

/** A filter as it can be kept: without times, but for "the last so many days". Nobody types a name for it: it says itself what it is. */
export const keptFilter = auditQuery
  .pick({ actor: true, patient: true, action: true, outcome: true, connection: true })
  .strict()
export const keepAuditFilter = z.strictObject({ filter: keptFilter, days: z.int().min(1).max(366).nullable() })
export const auditFilter = keepAuditFilter.extend({ id: uuid, createdAt: timestamp })
export type AuditFilter = z.infer<typeof auditFilter>
/** `GET /admin/audit/filters`: my own. */
export const auditFilters = z.strictObject({ items: z.array(auditFilter) })

/** One review of a period. `events`: how many there were, and `size`: how many entries the log had, when it was signed off. */
export const auditReview = z.strictObject({
  id: uuid,
  from: timestamp,
  until: timestamp,
  openedBy: person,
  openedAt: timestamp,
  signedBy: person.nullable(),
  signedAt: timestamp.nullable(),
  events: counted.nullable(),
  size: counted.nullable(),
  marks: counted,
  followUps: counted,
})
export type AuditReview = z.infer<typeof auditReview>

/** `GET /admin/audit/reviews`: the latest hundred; since when one is due, and from when on it has to look; null: none is due. */
export const auditReviews = z.strictObject({
  items: z.array(auditReview),
  due: z.strictObject({ since: timestamp, from: timestamp }).nullable(),
})
export type AuditReviews = z.infer<typeof auditReviews>

export const openAuditReview = z.strictObject({ from: timestamp, until: timestamp })
export const reviewVerdict = z.enum(['as-expected', 'follow-up'])
/** `POST /admin/audit/reviews/:id/marks`: what one thinks of one event. The last word counts. */
export const markAuditEvent = z.strictObject({ writer: uuid, seq: sequence, verdict: reviewVerdict })
export const auditMarks = z.strictObject({
  items: z.array(markAuditEvent.extend({ by: person, at: timestamp })),
})
export type AuditMarks = z.infer<typeof auditMarks>

/** What must be kept whatever its age: all of the organisation's (`patient` null), or what is about one patient. */
export const auditHold = z.strictObject({
  id: uuid,
  patient: uuid.nullable(),
  placedBy: person,
  placedAt: timestamp,
  releasedBy: person.nullable(),
  releasedAt: timestamp.nullable(),
})
export type AuditHold = z.infer<typeof auditHold>
export const auditHolds = z.strictObject({ items: z.array(auditHold) })
export const placeAuditHold = z.strictObject({ patient: uuid.nullable() })

/** `GET`, `PATCH /admin/audit/policy`. Six years are the least (45 CFR 164.316(b)(2)(i)). */
export const auditPolicy = z.strictObject({
  retentionYears: z.int().min(6).max(100),
  reviewDays: z.int().min(1).max(366),
})
export type AuditPolicy = z.infer<typeof auditPolicy>
export const changeAuditPolicy = auditPolicy.partial()
