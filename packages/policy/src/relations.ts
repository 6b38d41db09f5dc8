import type { Actor, Assignment } from './actor.ts'
import type { Allowed, AllowReason, DenyReason } from './decision.ts'
import type {
  ChannelResource,
  EmergencyAccessResource,
  MessageResource,
  PatientResource,
  SessionResource,
  UserResource,
} from './resources.ts'

/** How an actor stands to a resource: the right it gives, or why it gives none. */
export type Relation<R> = (actor: Actor, resource: R, now: number) => Allowed | DenyReason

/** Rights without an end of their own, made once: these are returned for every frame. */
const lasting: { readonly [R in AllowReason]: Allowed } = {
  'care-team': { allowed: true, reason: 'care-team', until: null },
  'emergency-access': { allowed: true, reason: 'emergency-access', until: null },
  member: { allowed: true, reason: 'member', until: null },
  role: { allowed: true, reason: 'role', until: null },
  own: { allowed: true, reason: 'own', until: null },
}

/** The right `reason` until `until` (milliseconds of the epoch), or without end at infinity. */
function right(reason: AllowReason, until: number): Allowed {
  return until === Number.POSITIVE_INFINITY ? lasting[reason] : { allowed: true, reason, until }
}

/** The permission alone is enough. */
export const byRole: Relation<unknown> = () => lasting.role

/** The account, session or use of emergency access is the actor’s own. */
export const own: Relation<UserResource | SessionResource | EmergencyAccessResource> = (actor, resource) =>
  ownerOf(resource) === actor.user ? lasting.own : 'not-own'

/** The patient is in the actor’s care now. */
export const caresFor: Relation<PatientResource> = (actor, patient, now) => careOf(actor, patient.id, now)

/**
 * Whoever is in the care of the patient belongs to the patient’s channel, and nobody else does, whatever rows of membership
 * say. Any other channel is its members’; if it is about a patient, only while that patient is in their care as well.
 */
export const belongs: Relation<ChannelResource> = (actor, channel, now) => {
  if (channel.channelKind === 'patient') {
    return channel.patient === null ? 'no-care-team' : careOf(actor, channel.patient, now)
  }
  const membership = actor.memberships.get(channel.id)
  if (membership === undefined || !(membership.joinedAt <= now)) return 'not-a-member'
  if (channel.patient === null) return lasting.member
  return careOf(actor, channel.patient, now)
}

/** As `belongs`, of the channel that the message is in. */
export const belongsToItsChannel: Relation<MessageResource> = (actor, message, now) =>
  belongs(actor, message.channel, now)

function ownerOf(resource: UserResource | SessionResource | EmergencyAccessResource): string {
  if (resource.kind === 'user') return resource.id
  return resource.kind === 'session' ? resource.owner : resource.user
}

/**
 * Care-team assignments and emergency access (R-36; 45 CFR 164.312(a)(2)(ii)) both put a patient into someone’s care.
 * The right lasts as long as they cover the time without a gap; its reason is the assignment where one is in force.
 */
function careOf(actor: Actor, patient: string, now: number): Allowed | DenyReason {
  const assignments = actor.careTeam.get(patient) ?? []
  const emergencyUntil = actor.emergencyAccess.get(patient)?.until
  const until = coveredUntil(assignments, emergencyUntil, now)
  if (until > now)
    return right(assignments.some((each) => inForce(each, now)) ? 'care-team' : 'emergency-access', until)
  if (assignments.some((each) => each.startsAt > now)) return 'assignment-not-begun'
  if (assignments.length > 0) return 'assignment-ended'
  return emergencyUntil === undefined ? 'no-care-team' : 'emergency-access-ended'
}

/** The end of the unbroken stretch of care that begins at `now`; `now` itself when there is none. */
function coveredUntil(assignments: readonly Assignment[], emergencyUntil: number | undefined, now: number): number {
  let end = emergencyUntil !== undefined && emergencyUntil > now ? emergencyUntil : now
  for (let grown = true; grown; ) {
    grown = false
    for (const { startsAt, endsAt } of assignments) {
      if (!(startsAt <= end)) continue
      if (endsAt === null) return Number.POSITIVE_INFINITY
      if (endsAt > end) {
        end = endsAt
        grown = true
      }
    }
  }
  return end
}

function inForce({ startsAt, endsAt }: Assignment, now: number): boolean {
  return startsAt <= now && (endsAt === null || now < endsAt)
}
