import { asPhi, type Phi, textProblem } from '@wardline/protocol'
import { z } from 'zod'

/**
 * What Wardline takes of a FHIR R4 resource, and why it leaves one. The schemas here are lenient where those of the wire are
 * strict: a resource holds a hundred fields that we do not read.
 */
export type Mapped =
  | { readonly take: ImportedPatient | ImportedPractitioner | ImportedPractitionerRole | ImportedCareTeam }
  | { readonly skip: SkipReason }

export type SkipReason =
  | 'type-not-imported'
  | 'malformed'
  | 'no-medical-record-number'
  | 'no-name'
  | 'not-active'
  | 'replaced-by-another'
  | 'text-not-allowed'

/** How one resource names another: by type and id, by the Bundle's own `fullUrl`, or by a business identifier. */
export type Reference =
  | { readonly by: 'id'; readonly type: string; readonly id: string }
  | { readonly by: 'fullUrl'; readonly url: string }
  | { readonly by: 'identifier'; readonly value: string }

export type ImportedPatient = {
  readonly kind: 'patient'
  readonly fhirId: string
  readonly mrn: Phi
  readonly family: Phi
  readonly given: Phi
  /** `YYYY-MM-DD`; null where the record has none, or only a part of one, or no day of the calendar. */
  readonly birthDate: Phi | null
  readonly sex: 'female' | 'male' | 'other' | 'unknown'
  readonly deceased: boolean
}

export type ImportedPractitioner = {
  readonly kind: 'practitioner'
  readonly fhirId: string
  /** Business identifiers (an NPI, say) by which roles and teams may refer to this person. */
  readonly identifiers: readonly string[]
  readonly displayName: string
  readonly given: string
  readonly family: string
}

export type ImportedPractitionerRole = {
  readonly kind: 'practitioner-role'
  readonly fhirId: string
  readonly practitioner: Reference
  /** The seeded role that the code stands for, or null where none does. */
  readonly role: 'physician' | 'nurse' | 'pharmacist' | null
  readonly title: string | null
}

export type ImportedCareTeam = {
  readonly kind: 'care-team'
  readonly fhirId: string
  readonly patient: Reference
  readonly participants: readonly {
    readonly member: Reference
    readonly startsAt: string | null
    readonly endsAt: string | null
  }[]
}

const id = z.string().regex(/^[A-Za-z0-9.-]{1,64}$/)
const coding = z.looseObject({ system: z.string().optional(), code: z.string().optional() })
const concept = z.looseObject({ coding: z.array(coding).optional(), text: z.string().optional() })
const identifier = z.looseObject({
  type: concept.optional(),
  system: z.string().optional(),
  value: z.string().optional(),
})
const humanName = z.looseObject({
  use: z.string().optional(),
  family: z.string().optional(),
  given: z.array(z.string()).optional(),
  prefix: z.array(z.string()).optional(),
  text: z.string().optional(),
})
const reference = z.looseObject({ reference: z.string().optional(), identifier: identifier.optional() })
/** A day that there was: the 30th of February is none, and on a banner it would be worse than none. */
const wholeDate = z.iso.date()
const period = z.looseObject({ start: z.string().optional(), end: z.string().optional() })

const patient = z.looseObject({
  id,
  active: z.boolean().optional(),
  identifier: z.array(identifier).optional(),
  name: z.array(humanName).optional(),
  gender: z.enum(['male', 'female', 'other', 'unknown']).optional(),
  birthDate: z.string().optional(),
  deceasedBoolean: z.boolean().optional(),
  deceasedDateTime: z.string().optional(),
  link: z.array(z.looseObject({ type: z.string() })).optional(),
})

const practitioner = z.looseObject({
  id,
  active: z.boolean().optional(),
  identifier: z.array(identifier).optional(),
  name: z.array(humanName).optional(),
})

const practitionerRole = z.looseObject({
  id,
  active: z.boolean().optional(),
  practitioner: reference.optional(),
  code: z.array(concept).optional(),
  specialty: z.array(concept).optional(),
})

const careTeam = z.looseObject({
  id,
  status: z.string().optional(),
  subject: reference.optional(),
  period: period.optional(),
  participant: z.array(z.looseObject({ member: reference.optional(), period: period.optional() })).optional(),
})

/** Reads one resource. Total: whatever the resource holds, the answer says to take it or why not. */
export function mapResource(resource: Record<string, unknown>): Mapped {
  switch (resource['resourceType']) {
    case 'Patient':
      return mapWith(patient, resource, mapPatient)
    case 'Practitioner':
      return mapWith(practitioner, resource, mapPractitioner)
    case 'PractitionerRole':
      return mapWith(practitionerRole, resource, mapPractitionerRole)
    case 'CareTeam':
      return mapWith(careTeam, resource, mapCareTeam)
    default:
      return { skip: 'type-not-imported' }
  }
}

function mapWith<T extends z.ZodType>(schema: T, resource: unknown, map: (parsed: z.infer<T>) => Mapped): Mapped {
  const parsed = schema.safeParse(resource)
  return parsed.success ? map(parsed.data) : { skip: 'malformed' }
}

function mapPatient(source: z.infer<typeof patient>): Mapped {
  if (source.link?.some((link) => link.type === 'replaced-by')) return { skip: 'replaced-by-another' }
  if (source.active === false) return { skip: 'not-active' }
  const mrn = source.identifier?.find((i) => hasCode(i.type, 'MR') && i.value)?.value?.trim()
  if (!mrn) return { skip: 'no-medical-record-number' }
  const name = preferredName(source.name)
  if (!name) return { skip: 'no-name' }
  if (![mrn, name.family, name.given].every(isPlainLine)) return { skip: 'text-not-allowed' }
  return {
    take: {
      kind: 'patient',
      fhirId: source.id,
      mrn: phi(mrn),
      family: phi(name.family),
      given: phi(name.given),
      birthDate: wholeDate.safeParse(source.birthDate).success ? phi(source.birthDate as string) : null,
      sex: source.gender ?? 'unknown',
      deceased: source.deceasedBoolean === true || source.deceasedDateTime !== undefined,
    },
  }
}

function mapPractitioner(source: z.infer<typeof practitioner>): Mapped {
  if (source.active === false) return { skip: 'not-active' }
  const name = preferredName(source.name)
  if (!name) return { skip: 'no-name' }
  const displayName = [name.prefix, name.given, name.family].filter(Boolean).join(' ')
  if (!isPlainLine(displayName)) return { skip: 'text-not-allowed' }
  return {
    take: {
      kind: 'practitioner',
      fhirId: source.id,
      identifiers: (source.identifier ?? []).flatMap((i) => (i.value ? [i.value] : [])),
      displayName: displayName.normalize('NFC'),
      given: name.given,
      family: name.family,
    },
  }
}

function mapPractitionerRole(source: z.infer<typeof practitionerRole>): Mapped {
  if (source.active === false) return { skip: 'not-active' }
  const whom = toReference(source.practitioner)
  if (!whom) return { skip: 'malformed' }
  const concepts = [...(source.code ?? []), ...(source.specialty ?? [])]
  const title = concepts.map((c) => c.text ?? '').find((text) => text !== '' && isPlainLine(text)) ?? null
  const role = concepts.map(roleOf).find((found) => found !== null) ?? null
  return { take: { kind: 'practitioner-role', fhirId: source.id, practitioner: whom, role, title } }
}

function mapCareTeam(source: z.infer<typeof careTeam>): Mapped {
  if (source.status !== undefined && source.status !== 'active' && source.status !== 'proposed')
    return { skip: 'not-active' }
  const subject = toReference(source.subject)
  if (!subject) return { skip: 'malformed' }
  const participants = (source.participant ?? []).flatMap((participant) => {
    const member = toReference(participant.member)
    if (!member) return []
    const startsAt = toInstant(participant.period?.start ?? source.period?.start)
    const endsAt = toInstant(participant.period?.end ?? source.period?.end)
    return [{ member, startsAt, endsAt }]
  })
  return { take: { kind: 'care-team', fhirId: source.id, patient: subject, participants } }
}

/** The seeded role for a code: NUCC provider taxonomy, else a word in the code's text. */
function roleOf(concept_: z.infer<typeof concept>): ImportedPractitionerRole['role'] {
  const codes = (concept_.coding ?? []).map((c) => c.code ?? '')
  if (codes.some((code) => /^20\d\w{6}X$/.test(code))) return 'physician'
  if (codes.some((code) => /^(16[34]|36[34])\w{6}X$/.test(code))) return 'nurse'
  if (codes.some((code) => /^1835\w{5}X$/.test(code))) return 'pharmacist'
  const words = [concept_.text ?? '', ...codes].join(' ').toLowerCase()
  if (/\b(nurse|rn)\b/.test(words)) return 'nurse'
  if (/\bpharmacist\b/.test(words)) return 'pharmacist'
  if (/\b(physician|doctor|surgeon|md)\b/.test(words)) return 'physician'
  return null
}

/** The name in use: official, then usual, then any that is not a former one. */
function preferredName(names: z.infer<typeof humanName>[] | undefined) {
  const order = ['official', 'usual', undefined, 'temp', 'anonymous', 'nickname']
  const name = order
    .map((use) => names?.find((n) => n.use === use && (n.family?.trim() || n.text?.trim())))
    .find((n) => n !== undefined)
  if (!name) return undefined
  const family = name.family?.trim() || name.text?.trim() || ''
  return { family, given: (name.given ?? []).join(' ').trim(), prefix: (name.prefix ?? []).join(' ').trim() }
}

function toReference(source: z.infer<typeof reference> | undefined): Reference | undefined {
  const text = source?.reference
  if (text?.startsWith('urn:')) return { by: 'fullUrl', url: text }
  const query = text?.match(/^[A-Za-z]+\?identifier=(?:[^|]*\|)?(.+)$/)
  if (query?.[1]) return { by: 'identifier', value: query[1] }
  const path = text?.match(/(?:^|\/)([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[^/]+)?$/)
  if (path?.[1] && path[2]) return { by: 'id', type: path[1], id: path[2] }
  const value = source?.identifier?.value
  return value ? { by: 'identifier', value } : undefined
}

/** A FHIR dateTime, whole or partial, as an instant in RFC 3339 UTC; null where there is none to be read. */
function toInstant(text: string | undefined): string | null {
  if (text === undefined) return null
  const time = Date.parse(text)
  return Number.isNaN(time) ? null : new Date(time).toISOString()
}

function hasCode(source: z.infer<typeof concept> | undefined, code: string): boolean {
  return source?.coding?.some((c) => c.code === code) ?? false
}

function isPlainLine(text: string): boolean {
  return text.length <= 200 && textProblem(text) === null && !/[\n\t]/.test(text)
}

function phi(text: string): Phi {
  return asPhi(text.normalize('NFC'))
}
