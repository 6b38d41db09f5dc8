import type { AlertKind, AlertSeverity } from '@wardline/protocol'
import { burst } from './burst.ts'
import { adminHours, ownHours } from './hours.ts'
import type { Rule, Seen, Subject } from './rule.ts'
import { ofActor, ofActorOrAddress, ofAddress, ofFactorReset, ofSetUpLink, refusedFor } from './subjects.ts'
import { unusualVolume } from './volume.ts'

const MINUTE_MS = 60_000

/** How much each weighs: what has happened, against what somebody has only tried. */
export const SEVERITIES: Readonly<Record<AlertKind, AlertSeverity>> = {
  'refused-access': 'medium',
  'token-failures': 'medium',
  'proof-replay': 'high',
  'stolen-token': 'critical',
  'refresh-reuse': 'critical',
  'sign-in-guessing': 'medium',
  'factor-guessing': 'high',
  'authenticator-clone': 'critical',
  limits: 'low',
  'unusual-volume': 'high',
  'off-hours': 'low',
  'emergency-access': 'high',
  'set-up-link': 'medium',
  'privileged-set-up-link': 'high',
  'factor-reset': 'high',
  'tampered-message': 'critical',
  'audit-gap': 'critical',
  'audit-stalled': 'high',
}

const when =
  (holds: (seen: Seen) => boolean, subjectOf: (seen: Seen) => Subject | null) =>
  (seen: Seen): Subject | null =>
    holds(seen) ? subjectOf(seen) : null

const notAllowed = refusedFor([
  'tenant-wall',
  'people-only',
  'no-permission',
  'scope',
  'no-care-team',
  'assignment-not-begun',
  'assignment-ended',
  'emergency-access-ended',
  'not-a-member',
  'not-own',
  'wrong-channel',
  'not-sender',
  'own-account',
  'own-roles',
  'own-care-team',
  'own-emergency-access',
  'not-found',
])
const badToken = refusedFor(
  ['token', 'token-in-url', 'proof', 'nonce', 'unknown-user', 'certificate', 'csrf'],
  ['auth.request', 'auth.refresh', 'auth.step-up', 'auth.logout', 'socket.authenticate', 'session.renew'],
)
// `attempts`: so many were wrong before that this one was not looked at.
const wrongPassword = refusedFor(['password', 'unknown-user', 'unknown-tenant', 'attempts'], ['auth.login'])
const wrongFactor = refusedFor(
  ['second-factor', 'passkey', 'code-used', 'attempts', 'password'],
  ['auth.second-factor', 'auth.passkey', 'auth.step-up', 'session.unlock', 'password.change'],
)
const overLimit = refusedFor([
  'rate',
  'in-flight',
  'subscriptions',
  'sockets-per-user',
  'held-off',
  'pending-sockets',
  'connections',
  'sign-ins',
])

/** Every rule over the events of the log, in the order of docs/alerts.md. What the log itself shows is in watch-log.ts. */
export const RULES: readonly Rule[] = [
  burst({
    name: 'refused-access',
    kind: 'refused-access',
    subjectOf: when(notAllowed, ofActor),
    threshold: 10,
    windowMs: 5 * MINUTE_MS,
    quietMs: 15 * MINUTE_MS,
  }),
  burst({
    name: 'token-failures',
    kind: 'token-failures',
    subjectOf: when(badToken, ofActorOrAddress),
    threshold: 20,
    windowMs: 5 * MINUTE_MS,
    quietMs: 15 * MINUTE_MS,
  }),
  burst({
    name: 'proof-replay',
    kind: 'proof-replay',
    subjectOf: when(refusedFor(['proof-replay']), ofActorOrAddress),
    threshold: 1,
    windowMs: 0,
    quietMs: 15 * MINUTE_MS,
  }),
  burst({
    name: 'stolen-token',
    kind: 'stolen-token',
    subjectOf: when(refusedFor(['device-mismatch', 'session-mismatch']), ofActorOrAddress),
    threshold: 1,
    windowMs: 0,
    quietMs: 15 * MINUTE_MS,
  }),
  burst({
    name: 'refresh-reuse',
    kind: 'refresh-reuse',
    subjectOf: when(refusedFor(['refresh-reuse']), ofActorOrAddress),
    threshold: 1,
    windowMs: 0,
    quietMs: 15 * MINUTE_MS,
  }),
  burst({
    name: 'sign-in-guessing.account',
    kind: 'sign-in-guessing',
    subjectOf: when(wrongPassword, ofActor),
    threshold: 8,
    windowMs: 10 * MINUTE_MS,
    quietMs: 30 * MINUTE_MS,
  }),
  // A hospital's gateway is one address: at the change of a shift some of its staff mistype.
  burst({
    name: 'sign-in-guessing.address',
    kind: 'sign-in-guessing',
    subjectOf: when(wrongPassword, ofAddress),
    threshold: 50,
    windowMs: 10 * MINUTE_MS,
    quietMs: 30 * MINUTE_MS,
  }),
  burst({
    name: 'factor-guessing',
    kind: 'factor-guessing',
    subjectOf: when(wrongFactor, ofActor),
    threshold: 5,
    windowMs: 10 * MINUTE_MS,
    quietMs: 30 * MINUTE_MS,
  }),
  burst({
    name: 'authenticator-clone',
    kind: 'authenticator-clone',
    subjectOf: when(refusedFor(['cloned-authenticator']), ofActor),
    threshold: 1,
    windowMs: 0,
    quietMs: 30 * MINUTE_MS,
  }),
  burst({
    name: 'limits',
    kind: 'limits',
    subjectOf: when(overLimit, ofActorOrAddress),
    threshold: 100,
    windowMs: 5 * MINUTE_MS,
    quietMs: 15 * MINUTE_MS,
  }),
  unusualVolume,
  ownHours,
  adminHours,
  burst({
    name: 'emergency-access',
    kind: 'emergency-access',
    subjectOf: (seen) => {
      const { action, outcome, patient } = seen.event
      const who = action === 'emergency-access.open' && outcome === 'allowed' ? ofActor(seen) : null
      return who && { ...who, key: `${who.key}/${patient ?? ''}`, patient }
    },
    threshold: 1,
    windowMs: 0,
    quietMs: 0,
  }),
  // An hour at the help desk is one alert; of who oversees or administers each link is one.
  burst({
    name: 'set-up-link',
    kind: 'set-up-link',
    subjectOf: ofSetUpLink('ordinary'),
    threshold: 1,
    windowMs: 0,
    quietMs: 60 * MINUTE_MS,
  }),
  burst({
    name: 'privileged-set-up-link',
    kind: 'privileged-set-up-link',
    subjectOf: ofSetUpLink('privileged'),
    threshold: 1,
    windowMs: 0,
    quietMs: 0,
  }),
  burst({
    name: 'factor-reset',
    kind: 'factor-reset',
    subjectOf: ofFactorReset,
    threshold: 1,
    windowMs: 0,
    quietMs: 60 * MINUTE_MS,
  }),
  burst({
    name: 'tampered-message',
    kind: 'tampered-message',
    subjectOf: ({ event: { reason, channel, patient } }) =>
      reason === 'tampered' ? { key: channel ?? patient ?? '', patient } : null,
    threshold: 1,
    windowMs: 0,
    quietMs: 24 * 60 * MINUTE_MS,
  }),
]
