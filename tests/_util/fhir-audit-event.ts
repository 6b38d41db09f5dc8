import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'

/** HL7's own JSON Schema of FHIR R4, as far as an AuditEvent needs it; with its required bindings. */
const schema = JSON.parse(
  readFileSync(new URL('../audit/fhir-r4-audit-event.schema.json', import.meta.url), 'utf8'),
) as object
const isValid = new Ajv({ strict: false, allErrors: true }).compile(schema)

const DICOM = 'http://dicom.nema.org/resources/ontology/DCM'
const TERMINOLOGY = 'http://terminology.hl7.org/CodeSystem/'
const BALP = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.'

type Coding = { readonly system: string; readonly code: string }
type Event = {
  readonly id: string
  readonly meta?: { readonly profile: readonly string[] }
  readonly type: Coding
  readonly subtype: readonly Coding[]
  readonly action: string
  readonly outcome: string
  readonly agent: readonly {
    readonly type: { readonly coding: readonly Coding[] }
    readonly who: unknown
    readonly requestor: boolean
    readonly network?: { readonly address: string }
  }[]
  readonly source: { readonly observer: unknown; readonly type: readonly Coding[] }
  readonly entity?: readonly {
    readonly what: { readonly type?: string }
    readonly type: Coding
    readonly role: Coding
  }[]
}

/** Codes of the value sets that bind what an AuditEvent says (hl7.org/fhir/R4/auditevent.html), those that a schema does not know. */
const CODES: readonly (readonly [system: string, codes: RegExp])[] = [
  [DICOM, /^1101(?:0\d|1[0-4])$/],
  [`${TERMINOLOGY}audit-event-type`, /^rest$/],
  [`${TERMINOLOGY}audit-entity-type`, /^[1-4]$/],
  [`${TERMINOLOGY}object-role`, /^(?:1?\d|2[0-4])$/],
  [`${TERMINOLOGY}security-source-type`, /^[1-9]$/],
  ['http://hl7.org/fhir/restful-interaction', /^(?:read|update|delete|create|operation)$/],
]

/** What is wrong with it by the schema, by its value sets, and by the profile of IHE BALP that it claims. Nothing: it is right. */
export function faultsOf(resource: unknown): string[] {
  const faults = isValid(resource) ? [] : (isValid.errors ?? []).map((e) => `${e.instancePath} ${e.message}`)
  const event = resource as Event
  if (!/^[A-Za-z0-9.-]{1,64}$/.test(event.id)) faults.push('id')
  const { type, subtype, agent, source, entity = [] } = event
  const codings = [type, ...subtype, ...source.type, ...entity.flatMap((each) => [each.type, each.role])]
  for (const { system, code } of codings) {
    const known = CODES.find(([name]) => name === system)
    if (known === undefined ? system !== 'urn:wardline:audit-action' : !known[1].test(code))
      faults.push(`${system}#${code}`)
  }
  if (!agent.some(({ who }) => JSON.stringify(who) === JSON.stringify(source.observer))) faults.push('val-audit-source')
  if (agent.filter(({ requestor }) => requestor).length !== 1) faults.push('requestor')
  for (const profile of event.meta?.profile ?? []) faults.push(...profileFaults(event, profile))
  return faults
}

/** IHE.BasicAudit.Read and .PatientRead (BALP 1.1, input/fsh/PatientRead.fsh of IHE/ITI.BasicAudit). */
function profileFaults({ type, subtype, action, outcome, agent, entity = [] }: Event, profile: string): string[] {
  const has = (code: string) => agent.filter((each) => each.type.coding.some((coding) => coding.code === code))
  const [client, server, user] = [has('110152'), has('110153'), has('IRCP')]
  const ofType = (code: string) => entity.filter((each) => each.type.code === code)
  const rules: Record<string, boolean> = {
    'a profile of BALP': [`${BALP}Read`, `${BALP}PatientRead`].includes(profile),
    'type rest': type.code === 'rest',
    'subtype read': subtype.some(({ code }) => code === 'read'),
    'action R, outcome 0': action === 'R' && outcome === '0',
    'one client with its network': client.length === 1 && client[0]?.network !== undefined,
    'one server with its network': server.length === 1 && server[0]?.network !== undefined,
    'at most one user, the requestor, no network device':
      user.every((u) => u.requestor && u.network === undefined) && user.length < 2,
    'one entity of data': ofType('2').length === 1 && ['3', '4', '20'].includes(ofType('2')[0]?.role.code ?? ''),
    'the patient, where it is about one':
      !profile.endsWith('PatientRead') ||
      (ofType('1').length === 1 && ofType('1')[0]?.role.code === '1' && ofType('1')[0]?.what.type === 'Patient'),
  }
  return Object.entries(rules).flatMap(([rule, holds]) => (holds ? [] : [`${profile}: ${rule}`]))
}
