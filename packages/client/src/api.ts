import {
  about,
  adminUser,
  type assignCareTeam,
  auditCheckpoint,
  auditEventView,
  type auditExportQuery,
  auditFilter,
  auditFilters,
  auditHistogram,
  type auditHistogramQuery,
  auditHold,
  auditHolds,
  auditMarks,
  auditPatient,
  auditPolicy,
  auditProof,
  type auditQuery,
  auditReview,
  auditReviews,
  careTeamAssignment,
  type changeAuditPolicy,
  type changePassword,
  type changeRole,
  type changeTenantSettings,
  type changeUser,
  channelSummary,
  connection,
  type createChannel,
  type createUser,
  device,
  directoryEntry,
  factors,
  historyPage,
  type keepAuditFilter,
  type makeSetUpCode,
  type markAuditEvent,
  type openAuditReview,
  type PasskeyAttestation,
  page,
  passkeyCreation,
  passkeyRequest,
  patientAccess,
  type patientAccessQuery,
  patientIdentity,
  patientSummary,
  type placeAuditHold,
  recoveryCodes,
  role,
  sessionSummary,
  sessionsEnded,
  setUpAnswer,
  setUpCode,
  type setUpRequest,
  signedInUser,
  tenantSettings,
  totpEnrolment,
} from '@wardline/protocol'
import { alertsApi } from './api-alerts.ts'
import type { Call, Schema } from './http.ts'

type Input<T extends { _zod: { input: unknown } }> = T['_zod']['input']

/** `?limit=&cursor=` of every list: `limit` from 1 to 200, 50 where absent. */
export type PageQuery = { limit?: number; cursor?: string }
/** `q`: some of a name or a number, as typed. It travels in the body: URLs carry no such text. */
export type SearchQuery = PageQuery & { q: string }
export type AuditQuery = Omit<Input<typeof auditQuery>, 'limit'> & { limit?: number }
export type Page<T> = { items: T[]; next: string | null }
export type Api = ReturnType<typeof createApi>

const users = page(adminUser)
const assignments = page(careTeamAssignment)
const audit = page(auditEventView)
const channels = page(channelSummary)
const directory = page(directoryEntry)
const patients = page(patientSummary)
const roles = page(role)
const connections = page(connection)
const sessions = page(sessionSummary)
const devices = page(device)

/** Every call that an access token suffices for (PROTOCOL.md). Each throws WardlineError. */
export function createApi(call: <T>(call: Call<T>) => Promise<T>) {
  const get = <T>(path: string, answer: Schema<T>, query: NonNullable<Call<T>['query']> = {}) =>
    call({ method: 'GET', path, query, answer })
  const post = <T>(path: string, body: unknown, answer: Schema<T> | null) =>
    call({ method: 'POST', path, body, answer })
  const remove = (path: string) => call<void>({ method: 'DELETE', path, answer: null })

  return {
    /** What a sign-in page needs to know; for anybody. */
    about: () => call({ method: 'GET', path: '/about', answer: about, open: true }),
    /** Sets the password of an account by a code that an administrator has made; for anybody who has it, once. Answers what one signs in with. */
    setUp: (body: Input<typeof setUpRequest>) =>
      call({ method: 'POST', path: '/auth/set-up', body, answer: setUpAnswer, open: true }),
    me: () => get('/me', signedInUser),
    /** Where this person is signed in. */
    sessions: (query: PageQuery = {}) => get('/me/sessions', sessions, query),
    endSession: (id: string) => remove(at('/me/sessions', id)),
    /** The keys this person has signed in with. */
    devices: () => get('/me/devices', devices),
    /** Ends what is signed in on a device of this person's; its key opens nothing of theirs any more. */
    revokeDevice: (id: string) => remove(at('/me/devices', id)),
    /** Sets another password; this person's other sessions end. Refused with `why` where the old is wrong or the new too common. */
    changePassword: (body: Input<typeof changePassword>) => post<void>('/me/password', body, null),
    /** This person's second factors. */
    factors: () => get('/me/factors', factors),
    /** Begins with an authenticator app; what is answered is shown once. Throws `step-up-required` where the sign-in is older than ten minutes. */
    enrolTotp: () => post('/me/factors/totp', undefined, totpEnrolment),
    /** Puts the app in force by its first code, and answers with recovery codes, shown once. Refused with `why: code-wrong`. */
    confirmTotp: (code: string) => post('/me/factors/totp/confirm', { code }, recoveryCodes),
    /** What the browser is to make a passkey of; good once, for `timeoutMs`. */
    enrolPasskey: () => post('/me/factors/passkeys', undefined, passkeyCreation),
    /** Puts the passkey in force. Recovery codes, shown once; none where those of before stay good. */
    confirmPasskey: (passkey: PasskeyAttestation) => post('/me/factors/passkeys/confirm', { passkey }, recoveryCodes),
    /** In place of those of before. */
    renewRecoveryCodes: () => post('/me/factors/recovery-codes', undefined, recoveryCodes),
    /** What to ask an authenticator for, to step up or to unlock. Refused with `not-found` for who has no passkey. */
    stepUpOptions: () => post('/auth/step-up/options', undefined, passkeyRequest),
    removeFactor: (id: string) => remove(at('/me/factors', id)),
    patients: (query: PageQuery = {}) => get('/patients', patients, query),
    searchPatients: (query: SearchQuery) => post('/patients/search', query, patients),
    patient: (id: string) => get(at('/patients', id), patientSummary),
    channels: (query: PageQuery = {}) => get('/channels', channels, query),
    channel: (id: string) => get(at('/channels', id), channelSummary),
    createChannel: (body: Input<typeof createChannel>) => post('/channels', body, channelSummary),
    /** The events before `before` (absent: the newest), ascending. `next` is the `before` of the page before this one. */
    history: (id: string, query: { before?: number; limit?: number } = {}) =>
      get(`${at('/channels', id)}/messages`, historyPage, query),
    directory: (query: PageQuery = {}) => get('/directory', directory, query),
    searchDirectory: (query: SearchQuery) => post('/directory/search', query, directory),

    admin: {
      users: (query: PageQuery = {}) => get('/admin/users', users, query),
      createUser: (body: Input<typeof createUser>) => post('/admin/users', body, adminUser),
      changeUser: (id: string, body: Input<typeof changeUser>) =>
        call({ method: 'PATCH', path: at('/admin/users', id), body, answer: adminUser }),
      roles: (query: PageQuery = {}) => get('/admin/roles', roles, query),
      changeRole: (name: string, body: Input<typeof changeRole>) =>
        call({ method: 'PATCH', path: at('/admin/roles', name), body, answer: role }),
      /** Takes all second factors of somebody else away, who has lost them. */
      resetFactors: (id: string) => remove(`${at('/admin/users', id)}/factors`),
      /** The code by which they set their password, shown once; `resetFactors`: their second factors go as well when it is used. */
      makeSetUpCode: (id: string, body: Input<typeof makeSetUpCode>) =>
        post(`${at('/admin/users', id)}/set-up`, body, setUpCode),
      careTeam: (query: PageQuery & { patient?: string; user?: string } = {}) =>
        get('/admin/care-team', assignments, query),
      assign: (body: Input<typeof assignCareTeam>) => post('/admin/care-team', body, careTeamAssignment),
      /** The patient of a whole record number: who oversees care teams looks somebody up, and browses nobody. Throws `not-found`. */
      findPatient: (mrn: string) => post('/admin/care-team/patients', { mrn }, patientIdentity),
      endAssignment: (id: string) => remove(at('/admin/care-team', id)),
      sessions: (query: PageQuery & { user?: string } = {}) => get('/admin/sessions', sessions, query),
      endSession: (id: string) => remove(at('/admin/sessions', id)),
      /** The sockets that are open, on all nodes. Who ends one for good ends its session. */
      connections: (query: PageQuery & { user?: string; session?: string } = {}) =>
        get('/admin/connections', connections, query),
      /** Ends every sign-in of a person; answers how many. */
      endSessionsOf: (user: string) =>
        call({ method: 'DELETE', path: `${at('/admin/users', user)}/sessions`, answer: sessionsEnded }),
      /** Ends every sign-in of the organisation, this one too. */
      endAllSessions: () => call({ method: 'DELETE', path: '/admin/sessions', answer: sessionsEnded }),
      devices: (query: PageQuery & { user?: string } = {}) => get('/admin/devices', devices, query),
      /** Revokes a device for everybody: nobody of the organisation signs in with its key any more. */
      revokeDevice: (id: string) => remove(at('/admin/devices', id)),
      /** What this organisation decides about its sign-ins, as it is in force. */
      settings: () => get('/admin/settings', tenantSettings),
      /** Asks for a step-up where the last proof is old. Refused `invalid` with the field that is out of bounds. */
      changeSettings: (body: Input<typeof changeTenantSettings>) =>
        call({ method: 'PATCH', path: '/admin/settings', body, answer: tenantSettings }),
      auditEvents: (query: AuditQuery = {}) => get('/admin/audit/events', audit, query),
      /** What of the audit log is signed, and by which key. */
      auditCheckpoint: () => get('/admin/audit/checkpoint', auditCheckpoint),
      /** The entry at a place of the log, with its proof: to be checked, not believed (@wardline/transparency-log/browser). */
      auditProof: (index: number) => get(`${at('/admin/audit/events', String(index))}/proof`, auditProof),
      ...alertsApi(call),
      /** How many events match, over time: what one narrows the list by. */
      auditHistogram: (query: Input<typeof auditHistogramQuery> = {}) =>
        get('/admin/audit/histogram', auditHistogram, query),
      /**
       * All events that match, handed on piece by piece as they come. Asks for a step-up where the last proof is old. What was handed on
       * is whole only if this resolves.
       */
      exportAudit: (
        query: Input<typeof auditExportQuery>,
        onText: (text: string) => void,
        signal?: AbortSignal,
      ): Promise<void> => call({ method: 'GET', path: '/admin/audit/export', query, answer: null, onText, signal }),
      /** Who saw this patient, or tried to. */
      patientAccess: (id: string, query: Input<typeof patientAccessQuery> = {}) =>
        get(`${at('/admin/audit/patients', id)}/access`, patientAccess, query),
      /** The id of the patient with this record number; rejects `not-found` where there is none. */
      auditPatient: (mrn: string) => post('/admin/audit/patients/look-up', { mrn }, auditPatient),
      auditFilters: () => get('/admin/audit/filters', auditFilters),
      keepAuditFilter: (body: Input<typeof keepAuditFilter>) => post('/admin/audit/filters', body, auditFilter),
      removeAuditFilter: (id: string) => remove(at('/admin/audit/filters', id)),
      auditReviews: () => get('/admin/audit/reviews', auditReviews),
      openAuditReview: (body: Input<typeof openAuditReview>) => post('/admin/audit/reviews', body, auditReview),
      auditMarks: (review: string) => get(`${at('/admin/audit/reviews', review)}/marks`, auditMarks),
      markAuditEvent: (review: string, body: Input<typeof markAuditEvent>) =>
        post<void>(`${at('/admin/audit/reviews', review)}/marks`, body, null),
      /** Once: afterwards nothing of it can be changed. */
      signAuditReview: (review: string) =>
        post(`${at('/admin/audit/reviews', review)}/sign-off`, undefined, auditReview),
      auditHolds: () => get('/admin/audit/holds', auditHolds),
      placeAuditHold: (body: Input<typeof placeAuditHold>) => post('/admin/audit/holds', body, auditHold),
      releaseAuditHold: (id: string) => remove(at('/admin/audit/holds', id)),
      auditPolicy: () => get('/admin/audit/policy', auditPolicy),
      changeAuditPolicy: (body: Input<typeof changeAuditPolicy>) =>
        call({ method: 'PATCH', path: '/admin/audit/policy', body, answer: auditPolicy }),
    },
  }
}

function at(path: string, id: string): string {
  return `${path}/${encodeURIComponent(id)}`
}
