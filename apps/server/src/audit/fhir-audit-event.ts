import type { AuditEventView } from '@wardline/protocol'

/**
 * HL7 FHIR R4 AuditEvent (hl7.org/fhir/R4/auditevent.html) in the shapes of IHE Basic Audit Log Patterns
 * (profiles.ihe.net/ITI/BALP 1.1): the client's machine, this server and the person are an agent each, the patient and what it was done
 * to an entity each.
 */
export type FhirAuditEvent = {
  readonly resourceType: 'AuditEvent'
  readonly id: string
  readonly meta?: { readonly profile: readonly string[] }
  readonly type: Coding
  readonly subtype: readonly Coding[]
  readonly action: Verb
  readonly recorded: string
  readonly outcome: '0' | '4' | '8'
  readonly outcomeDesc?: string
  readonly agent: readonly FhirAgent[]
  readonly source: { readonly observer: FhirReference; readonly type: readonly Coding[] }
  readonly entity?: readonly FhirEntity[]
}

type Verb = 'C' | 'R' | 'U' | 'D' | 'E'
type Coding = { readonly system: string; readonly code: string }
type FhirReference = {
  readonly type?: 'Patient'
  readonly identifier?: { readonly system: string; readonly value: string }
  readonly display?: string
}
type FhirAgent = {
  readonly type: { readonly coding: readonly Coding[] }
  readonly who: FhirReference
  readonly name?: string
  readonly requestor: boolean
  readonly network?: { readonly address: string; readonly type: '1' | '2' }
}
type FhirDetail = { readonly type: string; readonly valueString: string }
type FhirEntity = {
  readonly what: FhirReference
  readonly type: Coding
  readonly role: Coding
  readonly detail?: readonly FhirDetail[]
}

const DICOM = 'http://dicom.nema.org/resources/ontology/DCM'
const EVENT_TYPE = 'http://terminology.hl7.org/CodeSystem/audit-event-type'
const INTERACTION = 'http://hl7.org/fhir/restful-interaction'
const PARTICIPATION = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType'
const ENTITY_TYPE = 'http://terminology.hl7.org/CodeSystem/audit-entity-type'
const OBJECT_ROLE = 'http://terminology.hl7.org/CodeSystem/object-role'
const SOURCE_TYPE = 'http://terminology.hl7.org/CodeSystem/security-source-type'
const BALP = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.'
const PERSON: Coding = { system: ENTITY_TYPE, code: '1' }
const SYSTEM_OBJECT: Coding = { system: ENTITY_TYPE, code: '2' }
const PATIENT: Coding = { system: OBJECT_ROLE, code: '1' }
const DOMAIN_RESOURCE: Coding = { system: OBJECT_ROLE, code: '4' }
/** Where data comes from and where it goes (DICOM PS3.16): of a reading, from the server to the client; else the other way. */
const SOURCE_ROLE: Coding = { system: DICOM, code: '110153' }
const DESTINATION_ROLE: Coding = { system: DICOM, code: '110152' }

/** DICOM 110114: User Authentication; 110101: Audit Log Used. Everything else is an operation on a resource. */
function typeOf(action: string): Coding {
  if (/^(?:auth|session|token|factor|password|device|socket)\./.test(action)) return { system: DICOM, code: '110114' }
  if (/^(?:audit)\./.test(action)) return { system: DICOM, code: '110101' }
  return { system: EVENT_TYPE, code: 'rest' }
}

const VERBS: readonly (readonly [RegExp, Verb])[] = [
  [/\.(?:post|create|create-direct|create-group|open|assign|enrol|join|raise)$/, 'C'],
  [/\.(?:read|view|look-up|subscribe|export)$/, 'R'],
  [/\.(?:correct|update|manage|change|mark|set|archive|enable|disable|rotate)$/, 'U'],
  [/\.(?:recall|delete|remove|end|destroy|revoke|leave)$/, 'D'],
]
const INTERACTIONS: Readonly<Record<Verb, string>> = {
  C: 'create',
  R: 'read',
  U: 'update',
  D: 'delete',
  E: 'operation',
}

/** Refused is a minor failure (4): the system did what it should; failed is a serious one (8). */
const OUTCOMES = { allowed: '0', repeated: '0', refused: '4', failed: '8' } as const

/**
 * An audit event as FHIR has it. Ids are ours, as identifiers with systems of ours; there is no content in it.
 * @param host the server's public name
 */
export function fhirAuditEvent(event: AuditEventView, host: string): FhirAuditEvent {
  const { address, patient, action, reason } = event
  const type = typeOf(action)
  const verb = VERBS.find(([pattern]) => pattern.test(action))?.[1] ?? 'E'
  const outcome = OUTCOMES[event.outcome]
  const isRest = type.system === EVENT_TYPE
  const entity = entitiesOf(event, isRest)
  // A profile of a successful reading is claimed where all that it asks for is known: the address, too.
  const isBalpRead = isRest && verb === 'R' && outcome === '0' && address !== null
  return {
    resourceType: 'AuditEvent',
    id: `${event.writer}.${event.seq}`,
    ...(isBalpRead ? { meta: { profile: [`${BALP}${patient === null ? 'Read' : 'PatientRead'}`] } } : {}),
    type,
    subtype: [
      ...(isRest ? [{ system: INTERACTION, code: INTERACTIONS[verb] }] : []),
      { system: 'urn:wardline:audit-action', code: action },
    ],
    action: verb,
    recorded: event.at,
    outcome,
    ...(reason === null ? {} : { outcomeDesc: reason }),
    agent: agentsOf(event, verb, host),
    source: { observer: serverOf(host), type: [{ system: SOURCE_TYPE, code: '4' }] },
    ...(entity.length === 0 ? {} : { entity }),
  }
}

function agentsOf({ actor, address, device }: AuditEventView, verb: Verb, host: string): FhirAgent[] {
  const isReading = verb === 'R'
  const client: FhirAgent = {
    type: { coding: [isReading ? DESTINATION_ROLE : SOURCE_ROLE] },
    who: device === null ? { display: 'a device that is not known' } : reference('device', device),
    requestor: actor === null,
    ...(address === null ? {} : { network: { address, type: '2' } }),
  }
  const server: FhirAgent = {
    type: { coding: [isReading ? SOURCE_ROLE : DESTINATION_ROLE] },
    who: serverOf(host),
    requestor: false,
    network: { address: host, type: '1' },
  }
  if (actor === null) return [client, server]
  const user: FhirAgent = {
    type: { coding: [{ system: PARTICIPATION, code: isReading ? 'IRCP' : 'AUT' }] },
    who: reference('user', actor.id, actor.displayName),
    ...(actor.displayName === null ? {} : { name: actor.displayName }),
    requestor: true,
  }
  return [client, server, user]
}

/**
 * An operation on a resource has one that it was done to: the patient where it names no other, else all things of its kind. What else
 * the event says is detail of it.
 */
function entitiesOf(event: AuditEventView, isRest: boolean): FhirEntity[] {
  const { action, patient, resource } = event
  const who = patient === null ? null : { type: 'Patient' as const, ...reference('patient', patient) }
  const kind = action.slice(0, action.indexOf('.'))
  const what =
    resource === null ? (who ?? reference('kind', kind)) : reference(resource.kind, resource.id, resource.name)
  const detail = detailsOf(event)
  const isData = isRest || resource !== null || detail.length > 0
  return [
    ...(who === null ? [] : [{ what: who, type: PERSON, role: PATIENT }]),
    ...(isData ? [{ what, type: SYSTEM_OBJECT, role: DOMAIN_RESOURCE, ...(detail.length > 0 && { detail }) }] : []),
  ]
}

function detailsOf({ also, count, sequence, until }: AuditEventView): FhirDetail[] {
  const values = { count, sequence, until }
  return [
    ...also.map(({ kind, id }) => ({ type: kind, valueString: id })),
    ...Object.entries(values).flatMap(([type, value]) =>
      value === null ? [] : [{ type, valueString: String(value) }],
    ),
  ]
}

/** Whoever writes the log is the server itself: the observer is one of the agents (BALP, val-audit-source). */
function serverOf(host: string): FhirReference {
  return { identifier: { system: 'urn:wardline:server', value: host }, display: 'Wardline' }
}

function reference(kind: string, value: string, display: string | null = null): FhirReference {
  return { identifier: { system: `urn:wardline:${kind}`, value }, ...(display === null ? {} : { display }) }
}
