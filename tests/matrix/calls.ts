import { randomUUID } from 'node:crypto'
import type { ErrorCode } from '@wardline/protocol'
import type { Action } from '../../packages/policy/src/index.ts'
import type { Subject } from '../../packages/policy/src/matrix/index.ts'
import { PASSWORD } from '../_util/server.ts'
import type { Asking } from './world.ts'

/** One call by which an action is asked for. `:id`, `:index` and `:name` of the route are the subject's id. */
export type Call = {
  readonly route: string
  readonly query?: string
  readonly id?: (asking: Asking) => string
  readonly body?: (asking: Asking) => unknown
  /** How it may end although policy allows it. */
  readonly beyond?: readonly ErrorCode[]
  /** It answers everybody, and its list holds the subject for those alone who may see it. */
  readonly lists?: boolean
  /** The action that is asked of policy first, and as which a refusal is written down. */
  readonly firstAsks?: Action
}

type Calls = Partial<Record<Subject, readonly Call[]>>

const channels = (subject: Subject): Calls => ({
  [subject]: [
    { route: 'GET /channels', lists: true },
    { route: 'GET /channels/:id' },
    { route: 'GET /channels/:id/messages' },
  ],
})

const titled = () => ({ title: 'RN' })

/** Of no authenticator: in the shape of one. */
const ATTESTATION = {
  id: 'AAAA',
  clientDataJSON: 'A'.repeat(64),
  attestationObject: 'A'.repeat(64),
  transports: [],
}

/** Some public key: the example of RFC 7517 appendix A.1. */
const JWK = {
  kty: 'EC',
  crv: 'P-256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
}

/** Every action that HTTP offers, with every call that asks for it. */
export const calls: Partial<Record<Action, Calls>> = {
  'account.read': {
    self: [
      { route: 'GET /me' },
      { route: 'GET /me/sessions' },
      { route: 'GET /me/devices' },
      { route: 'GET /me/factors' },
      { route: 'POST /auth/step-up/options', beyond: ['not-found'] },
    ],
  },
  'account.change': {
    self: [
      { route: 'POST /me/factors/totp' },
      { route: 'POST /me/factors/totp/confirm', body: () => ({ code: '000000' }), beyond: ['invalid'] },
      { route: 'POST /me/factors/passkeys' },
      { route: 'POST /me/factors/passkeys/confirm', body: () => ({ passkey: ATTESTATION }), beyond: ['invalid'] },
      { route: 'POST /me/factors/recovery-codes', beyond: ['step-up-required'] },
      { route: 'DELETE /me/factors/:id', id: () => randomUUID(), beyond: ['step-up-required'] },
      { route: 'POST /me/password', body: () => ({ password: PASSWORD, newPassword: 'marsh otter teapot nine' }) },
    ],
  },
  'account.end-session': {
    'own-session': [
      { route: 'DELETE /me/sessions/:id' },
      { route: 'DELETE /me/devices/:id', id: ({ device }) => device('own-session') },
    ],
    'others-session': [
      { route: 'DELETE /me/sessions/:id' },
      { route: 'DELETE /me/devices/:id', id: ({ device }) => device('others-session') },
    ],
  },
  'directory.read': {
    tenant: [{ route: 'GET /directory' }, { route: 'POST /directory/search', body: () => ({ q: 'okafor' }) }],
  },
  'patient.read': {
    patient: [
      { route: 'GET /patients', lists: true },
      { route: 'POST /patients/search', body: () => ({ q: 'ash' }), lists: true },
      { route: 'GET /patients/:id' },
    ],
  },
  'channel.read': {
    ...channels('patient-channel'),
    ...channels('archived-channel'),
    ...channels('group'),
    ...channels('archived-group'),
    ...channels('direct'),
    ...channels('broadcast'),
  },
  'channel.create-direct': {
    self: [{ route: 'POST /channels', body: ({ id }) => ({ kind: 'direct', member: id('self') }) }],
    'other-user': [{ route: 'POST /channels', body: ({ id }) => ({ kind: 'direct', member: id('other-user') }) }],
  },
  'channel.create-group': {
    tenant: [
      { route: 'POST /channels', body: ({ id }) => ({ kind: 'group', title: 'Huddle', members: [id('other-user')] }) },
    ],
  },
  'user.read': { tenant: [{ route: 'GET /admin/users' }] },
  'user.manage': {
    tenant: [{ route: 'POST /admin/users', body: () => ({ username: randomUUID(), displayName: 'New', roles: [] }) }],
    self: [{ route: 'PATCH /admin/users/:id', body: titled }],
    'other-user': [{ route: 'PATCH /admin/users/:id', body: titled }],
  },
  'factor.reset': {
    self: [{ route: 'DELETE /admin/users/:id/factors' }],
    'other-user': [{ route: 'DELETE /admin/users/:id/factors' }],
  },
  'password.reset': {
    self: [{ route: 'POST /admin/users/:id/set-up', body: () => ({}) }],
    'other-user': [{ route: 'POST /admin/users/:id/set-up', body: () => ({}) }],
  },
  'role.read': { tenant: [{ route: 'GET /admin/roles' }] },
  'role.assign': {
    self: [{ route: 'PATCH /admin/users/:id', body: ({ role }) => ({ roles: [role] }), firstAsks: 'user.manage' }],
    'other-user': [
      { route: 'PATCH /admin/users/:id', body: () => ({ roles: ['physician'] }), firstAsks: 'user.manage' },
    ],
  },
  'care-team.read': {
    tenant: [
      { route: 'GET /admin/care-team' },
      { route: 'POST /admin/care-team/patients', body: () => ({ mrn: 'nobody has this' }), beyond: ['not-found'] },
    ],
  },
  'care-team.manage': {
    'own-assignment': [
      {
        route: 'POST /admin/care-team',
        body: ({ id, role }) => ({ patient: id('patient'), user: id('self'), role }),
      },
      { route: 'DELETE /admin/care-team/:id' },
    ],
    'others-assignment': [
      {
        route: 'POST /admin/care-team',
        body: ({ id }) => ({ patient: id('patient'), user: id('other-user'), role: 'physician' }),
      },
      { route: 'DELETE /admin/care-team/:id' },
    ],
  },
  'session.read': { tenant: [{ route: 'GET /admin/sessions' }, { route: 'GET /admin/devices' }] },
  'connection.read': { tenant: [{ route: 'GET /admin/connections' }] },
  'session.manage': {
    'own-session': [
      { route: 'POST /admin/sessions/:id/renew', body: () => ({ demand: 'renew' }) },
      { route: 'DELETE /admin/sessions/:id' },
      { route: 'DELETE /admin/devices/:id', id: ({ device }) => device('own-session') },
      { route: 'POST /admin/tokens/revoke', body: ({ id }) => ({ user: id('self'), jti: 'j'.repeat(32) }) },
    ],
    'others-session': [
      { route: 'POST /admin/sessions/:id/renew', body: () => ({ demand: 'renew' }) },
      { route: 'DELETE /admin/sessions/:id' },
      { route: 'DELETE /admin/devices/:id', id: ({ device }) => device('others-session') },
      { route: 'DELETE /admin/users/:id/sessions', id: ({ id }) => id('other-user') },
      { route: 'POST /admin/tokens/revoke', body: ({ id }) => ({ user: id('other-user'), jti: 'j'.repeat(32) }) },
    ],
  },
  'key.read': { tenant: [{ route: 'GET /admin/keys' }] },
  // One that waits to sign is enough: whoever asks after the first is told so.
  'key.rotate': { tenant: [{ route: 'POST /admin/keys/rotate', beyond: ['conflict'] }] },
  'settings.read': { tenant: [{ route: 'GET /admin/settings' }, { route: 'GET /admin/alert-settings' }] },
  'settings.manage': {
    tenant: [
      { route: 'PATCH /admin/settings', body: () => ({ idleSeconds: 900 }) },
      { route: 'PUT /admin/alert-settings', body: () => ({ workingHours: null }) },
      { route: 'POST /admin/audit/holds', body: () => ({ patient: null }) },
      { route: 'DELETE /admin/audit/holds/:id', id: () => randomUUID(), beyond: ['not-found'] },
      { route: 'PATCH /admin/audit/policy', body: () => ({ reviewDays: 31 }) },
      { route: 'PATCH /admin/roles/:name', id: () => 'nurse', body: () => ({ requireSecondFactor: false }) },
    ],
  },
  'audit.read': {
    audit: [
      { route: 'GET /admin/audit/events' },
      { route: 'GET /admin/audit/histogram' },
      { route: 'GET /admin/audit/patients/:id/access', id: ({ id }) => id('patient') },
      { route: 'POST /admin/audit/patients/look-up', body: () => ({ mrn: 'nobody' }), beyond: ['not-found'] },
      { route: 'GET /admin/audit/filters' },
      { route: 'POST /admin/audit/filters', body: () => ({ filter: {}, days: 7 }) },
      { route: 'DELETE /admin/audit/filters/:id', id: () => randomUUID(), beyond: ['not-found'] },
      { route: 'GET /admin/audit/reviews' },
      { route: 'GET /admin/audit/reviews/:id/marks', id: () => randomUUID(), beyond: ['not-found'] },
      { route: 'GET /admin/audit/holds' },
      { route: 'GET /admin/audit/policy' },
      // No log is written in this test, so there is nothing signed to show.
      { route: 'GET /admin/audit/checkpoint', beyond: ['unavailable'] },
      { route: 'GET /admin/audit/events/:index/proof', id: () => '0', beyond: ['unavailable'] },
    ],
  },
  'audit.review': {
    audit: [
      {
        route: 'POST /admin/audit/reviews',
        body: () => ({ from: '2020-01-01T00:00:00.000Z', until: '2020-02-01T00:00:00.000Z' }),
      },
      {
        route: 'POST /admin/audit/reviews/:id/marks',
        id: () => randomUUID(),
        body: () => ({ writer: randomUUID(), seq: 1, verdict: 'follow-up' }),
        beyond: ['not-found'],
      },
      { route: 'POST /admin/audit/reviews/:id/sign-off', id: () => randomUUID(), beyond: ['not-found', 'unavailable'] },
    ],
  },
  'audit.export': { audit: [{ route: 'GET /admin/audit/export', query: 'format=csv' }] },
  'alert.read': {
    tenant: [
      { route: 'GET /admin/alerts' },
      { route: 'GET /admin/alerts/:id', id: () => randomUUID(), beyond: ['not-found'] },
    ],
  },
  'alert.manage': {
    tenant: [
      { route: 'POST /admin/alerts/:id/acknowledge', id: () => randomUUID(), beyond: ['not-found'] },
      {
        route: 'POST /admin/alerts/:id/close',
        id: () => randomUUID(),
        body: () => ({ resolution: 'resolved' }),
        beyond: ['not-found'],
      },
    ],
  },
  'integration.read': { tenant: [{ route: 'GET /admin/alert-webhook' }, { route: 'GET /admin/services' }] },
  'integration.manage': {
    tenant: [
      { route: 'PUT /admin/alert-webhook', body: () => ({ url: 'https://hooks.example.org/wardline' }) },
      { route: 'POST /admin/alert-webhook/test', beyond: ['not-found'] },
      { route: 'DELETE /admin/alert-webhook' },
      {
        route: 'POST /admin/services',
        body: () => ({ username: randomUUID(), displayName: 'Feed', roles: [], scope: 'directory:read', key: JWK }),
      },
      {
        route: 'PATCH /admin/services/:id',
        id: () => randomUUID(),
        body: () => ({ scope: 'directory:read' }),
        beyond: ['not-found'],
      },
    ],
  },
}

/** Routes that cannot be asked here, and who asks them. */
export const askedElsewhere: Readonly<Record<string, string>> = {
  'DELETE /api/v1/admin/sessions': 'ends everybody’s sign-in, the asker’s too: tests/auth/revocation.test.ts',
}

/** Routes that ask nothing of policy, whoever calls them, and why. */
export const routesForAnyone: Readonly<Record<string, string>> = {
  'GET /healthz': 'says that the process lives',
  'GET /readyz': 'says whether it wants work',
  'GET /': 'the web app’s page, the same for everybody',
  'GET /*': 'the web app’s files, the same for everybody',
  'GET /.well-known/jwks.json': 'public keys',
  'GET /openapi.json': 'the contract, the same for everybody',
  'GET /asyncapi.json': 'the contract, the same for everybody',
  'GET /docs': 'the contract, the same for everybody',
  'GET /docs/page.css': 'how that page looks',
  'GET /api/v1/about': 'says whether this is a demonstration',
  'POST /api/v1/auth/login': 'how one becomes somebody',
  'POST /api/v1/auth/second-factor': 'how one becomes somebody',
  'POST /api/v1/auth/passkey': 'how one becomes somebody',
  'POST /api/v1/auth/passkey/options': 'what to ask an authenticator, before anybody is somebody',
  'POST /api/v1/auth/set-up': 'by a code that an administrator has made: how one gets a password',
  'POST /api/v1/auth/refresh': 'by the cookie: how one stays somebody',
  'POST /api/v1/auth/step-up': 'by a token: whoever it is proves again that they are',
  'POST /api/v1/auth/lock': 'one’s own session, whoever it is',
  'POST /api/v1/auth/unlock': 'by a token: whoever it is proves again that they are',
  'POST /api/v1/oauth/token': 'how a program becomes somebody',
  'POST /api/v1/oauth/revoke': 'by the key that the token is bound to: ends it, whoever it is',
  'POST /api/v1/auth/logout': 'by the cookie or a token: ends the session that asks, whoever it is',
}
