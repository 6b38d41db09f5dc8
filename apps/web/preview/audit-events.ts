import { fakeId } from '@wardline/client/fake-server'
import type { AuditEventView, AuditHistogram, AuditHold, AuditReviews, PatientAccess } from '@wardline/protocol'
import { chen, lind, okafor, patientChannel, reyes, vega } from './world.ts'

const KINDS = [
  ['socket.connect', 'allowed', null, lind],
  ['socket.authenticate', 'allowed', null, lind],
  ['channel.subscribe', 'allowed', 'care-team', lind],
  ['message.post', 'allowed', 'care-team', okafor],
  ['channel.subscribe', 'refused', 'no-care-team', vega],
  ['message.acknowledge', 'allowed', 'care-team', lind],
  ['auth.login', 'failed', null, null],
  ['audit.read', 'allowed', 'role', chen],
  ['message.post', 'repeated', 'care-team', okafor],
  ['care-team.manage', 'allowed', 'role', reyes],
] as const

/** Invented audit events, newest first. */
export function auditEvents(count: number): AuditEventView[] {
  return Array.from({ length: count }, (_, index) => {
    const [action, outcome, reason, actor] = KINDS[index % KINDS.length] ?? KINDS[0]
    const about = action.startsWith('message') || action.startsWith('channel')
    return {
      writer: 'w1',
      seq: count - index,
      at: new Date(Date.now() - index * 7_300).toISOString(),
      action,
      outcome,
      reason,
      actor: actor === null ? null : { id: actor.id, displayName: actor.displayName },
      session: null,
      device: null,
      connection: actor === null ? null : `0${index % 3}f1c2d3-aaaa-4bbb-8ccc-00000000000${index % 3}`,
      address: actor === null ? '198.51.100.23' : '10.4.2.17',
      origin: 'https://wardline.test',
      resource: about
        ? { kind: action.startsWith('message') ? 'message' : 'channel', id: patientChannel(index % 5), name: null }
        : action === 'care-team.manage'
          ? { kind: 'user', id: lind.id, name: lind.displayName }
          : null,
      also: action === 'care-team.manage' ? [{ kind: 'role', id: 'nurse', name: null }] : [],
      count: action === 'audit.read' ? 100 : outcome === 'refused' && index % 3 === 1 ? 214 : null,
      sequence: action === 'message.post' ? 40 + index : null,
      until: null,
      patient: about ? fakeId(0xc1 + (index % 5)) : null,
      index: index < 2 ? null : count - index,
    }
  })
}

/** Two days of a hospital, with a night in between and a burst of refusals. */
export function auditHistogram(): AuditHistogram {
  const stepMs = 3_600_000
  const from = Math.floor((Date.now() - 60 * stepMs) / stepMs) * stepMs
  const buckets = Array.from({ length: 60 }, (_, hour) => ({
    at: new Date(from + hour * stepMs).toISOString(),
    allowed: Math.round(900 + 800 * Math.sin(hour / 3.8) + (hour % 7) * 40),
    refused: hour === 41 ? 230 : hour % 9 === 0 ? 4 : 0,
    failed: hour % 13 === 0 ? 2 : 0,
    repeated: hour % 5,
  }))
  return { from: new Date(from).toISOString(), until: new Date().toISOString(), stepMs, buckets }
}

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()

/** Who saw a patient: the team, the system, and somebody who tried. */
export function patientPeople(patient: string): PatientAccess {
  const person = ({ id, displayName }: { readonly id: string; readonly displayName: string }) => ({ id, displayName })
  return {
    patient,
    people: [
      {
        user: person(lind),
        first: ago(4_320),
        last: ago(2),
        allowed: 214,
        refused: 0,
        lists: 37,
        moreLists: false,
        actions: [
          { action: 'channel.read', count: 96 },
          { action: 'message.post', count: 61 },
          { action: 'patient.read', count: 40 },
          { action: 'message.acknowledge', count: 12 },
          { action: 'channel.subscribe', count: 5 },
        ],
      },
      {
        user: person(okafor),
        first: ago(4_000),
        last: ago(31),
        allowed: 88,
        refused: 0,
        lists: 12,
        moreLists: false,
        actions: [{ action: 'message.post', count: 88 }],
      },
      {
        user: person(vega),
        first: ago(700),
        last: ago(699),
        allowed: 0,
        refused: 3,
        lists: 0,
        moreLists: false,
        actions: [{ action: 'patient.read', count: 3 }],
      },
      {
        user: null,
        first: ago(5_000),
        last: ago(5_000),
        allowed: 2,
        refused: 0,
        lists: 0,
        moreLists: false,
        actions: [{ action: 'patient.create', count: 2 }],
      },
    ],
  }
}

/** One review that is open, one that is signed off, and one that is due. */
export function auditReviews(): AuditReviews {
  const by = { id: chen.id, displayName: chen.displayName }
  return {
    due: { since: ago(2_000), from: ago(45_000) },
    items: [
      {
        id: fakeId(0xe1),
        from: ago(45_000),
        until: ago(100),
        openedBy: by,
        openedAt: ago(60),
        signedBy: null,
        signedAt: null,
        events: null,
        size: null,
        marks: 7,
        followUps: 2,
      },
      {
        id: fakeId(0xe2),
        from: ago(90_000),
        until: ago(45_000),
        openedBy: by,
        openedAt: ago(44_000),
        signedBy: by,
        signedAt: ago(43_900),
        events: 48_213,
        size: 51_002,
        marks: 12,
        followUps: 0,
      },
    ],
  }
}

/** One hold in force, and one that was released. */
export function auditHolds(): { items: AuditHold[] } {
  const by = { id: reyes.id, displayName: reyes.displayName }
  return {
    items: [
      { id: fakeId(0xe3), patient: null, placedBy: by, placedAt: ago(9_000), releasedBy: null, releasedAt: null },
      {
        id: fakeId(0xe4),
        patient: fakeId(0xc1),
        placedBy: by,
        placedAt: ago(90_000),
        releasedBy: by,
        releasedAt: ago(45_000),
      },
    ],
  }
}
