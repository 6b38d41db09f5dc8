import type { AuditEventView } from '@wardline/protocol'

/** HL7 FHIR R4 AuditEvent (hl7.org/fhir/R4/auditevent.html), the elements that we have something to say for. */
export type FhirAuditEvent = {
  readonly resourceType: 'AuditEvent'
  readonly id: string
  readonly type: Coding
  readonly subtype: readonly Coding[]
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E'
  readonly recorded: string
  readonly outcome: '0' | '4' | '8'
  readonly outcomeDesc?: string
  readonly agent: readonly FhirAgent[]
  readonly source: { readonly observer: FhirReference; readonly type: readonly Coding[] }
  readonly entity?: readonly FhirEntity[]
}

type Coding = { readonly system: string; readonly code: string }
type FhirReference = {
  readonly identifier?: { readonly system: string; readonly value: string }
  readonly display?: string
}
type FhirAgent = {
  readonly who: FhirReference
  readonly requestor: boolean
  readonly network?: { readonly address: string; readonly type: '2' }
}
type FhirEntity = { readonly what: FhirReference; readonly type: Coding; readonly role: Coding }

const DICOM = 'http://dicom.nema.org/resources/ontology/DCM'
const EVENT_TYPE = 'http://terminology.hl7.org/CodeSystem/audit-event-type'
const ENTITY_TYPE = 'http://terminology.hl7.org/CodeSystem/audit-entity-type'
const OBJECT_ROLE = 'http://terminology.hl7.org/CodeSystem/object-role'
const SOURCE_TYPE = 'http://terminology.hl7.org/CodeSystem/security-source-type'
const PERSON: Coding = { system: ENTITY_TYPE, code: '1' }
const SYSTEM_OBJECT: Coding = { system: ENTITY_TYPE, code: '2' }
const PATIENT: Coding = { system: OBJECT_ROLE, code: '1' }
const DOMAIN_RESOURCE: Coding = { system: OBJECT_ROLE, code: '4' }

/** DICOM 110114: User Authentication; 110113: Security Alert, for what was refused to somebody unknown. */
function typeOf(action: string): Coding {
  if (/^(?:auth|session|token|factor|password|device|socket)\./.test(action)) return { system: DICOM, code: '110114' }
  if (/^(?:audit)\./.test(action)) return { system: DICOM, code: '110101' }
  return { system: EVENT_TYPE, code: 'rest' }
}

const VERBS: readonly (readonly [RegExp, FhirAuditEvent['action']])[] = [
  [/\.(?:post|create|create-direct|create-group|open|assign|enrol|join|raise)$/, 'C'],
  [/\.(?:read|view|look-up|subscribe|export)$/, 'R'],
  [/\.(?:correct|update|manage|change|mark|set|archive|enable|disable|rotate)$/, 'U'],
  [/\.(?:recall|delete|remove|end|destroy|revoke|leave)$/, 'D'],
]

/** Refused is a minor failure (4): the system did what it should; failed is a serious one (8). */
const OUTCOMES = { allowed: '0', repeated: '0', refused: '4', failed: '8' } as const

/** An audit event as FHIR has it. Ids are ours, as identifiers with systems of ours; there is no content in it. */
export function fhirAuditEvent(event: AuditEventView): FhirAuditEvent {
  const { actor, address, patient, resource, action, reason } = event
  const entities: FhirEntity[] = []
  if (patient !== null) entities.push({ what: reference('patient', patient), type: PERSON, role: PATIENT })
  if (resource !== null) {
    entities.push({ what: reference(resource.kind, resource.id), type: SYSTEM_OBJECT, role: DOMAIN_RESOURCE })
  }
  return {
    resourceType: 'AuditEvent',
    id: `${event.writer}.${event.seq}`,
    type: typeOf(action),
    subtype: [{ system: 'urn:wardline:audit-action', code: action }],
    action: VERBS.find(([pattern]) => pattern.test(action))?.[1] ?? 'E',
    recorded: event.at,
    outcome: OUTCOMES[event.outcome],
    ...(reason === null ? {} : { outcomeDesc: reason }),
    agent: [
      {
        who:
          actor === null
            ? { display: 'unknown, or the system itself' }
            : reference('user', actor.id, actor.displayName),
        requestor: true,
        ...(address === null ? {} : { network: { address, type: '2' } }),
      },
    ],
    source: { observer: { display: 'Wardline' }, type: [{ system: SOURCE_TYPE, code: '4' }] },
    ...(entities.length === 0 ? {} : { entity: entities }),
  }
}

function reference(kind: string, value: string, display: string | null = null): FhirReference {
  return { identifier: { system: `urn:wardline:${kind}`, value }, ...(display === null ? {} : { display }) }
}
