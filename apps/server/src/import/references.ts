import type { Reference } from './fhir-resources.ts'
import type { Gathered } from './import-fhir.ts'

/** Whom a reference names: our row's id, once that row is stored or found. */
export type References = {
  /** Notes that the resource `type/fhirId` is our row `id`. */
  settle(type: 'Patient' | 'Practitioner', fhirId: string, id: string): void
  /** The row that a reference names, or undefined. `fhirId` too: a row of an earlier run is looked up by its digest. */
  resolve(
    type: 'Patient' | 'Practitioner',
    reference: Reference,
  ): { id?: string; fhirId?: string; username?: string } | undefined
}

/** Resolves references among the files of one run: by id, by a Bundle's `fullUrl`, by a practitioner's business identifier. */
export function createReferences(gathered: Gathered): References {
  const settled = new Map<string, string>()
  const byUrl = new Map<string, { type: string; fhirId: string }>()
  const byIdentifier = new Map<string, string>()
  for (const patient of gathered.patients)
    if (patient.fullUrl) byUrl.set(patient.fullUrl, { type: 'Patient', fhirId: patient.fhirId })
  for (const person of gathered.practitioners) {
    if (person.fullUrl) byUrl.set(person.fullUrl, { type: 'Practitioner', fhirId: person.fhirId })
    for (const value of person.identifiers) byIdentifier.set(value, person.fhirId)
  }
  // A team may name a role that a person fills instead of the person.
  const viaRole = new Map<string, Reference>()
  for (const role of gathered.roles) {
    viaRole.set(`PractitionerRole/${role.fhirId}`, role.practitioner)
    if (role.fullUrl) viaRole.set(role.fullUrl, role.practitioner)
  }
  const found = (type: string, fhirId: string) => {
    const id = settled.get(`${type}/${fhirId}`)
    return id === undefined ? { fhirId } : { id, fhirId }
  }
  return {
    settle: (type, fhirId, id) => void settled.set(`${type}/${fhirId}`, id),
    resolve(type, given) {
      const key = given.by === 'id' ? `${given.type}/${given.id}` : given.by === 'fullUrl' ? given.url : ''
      const reference = viaRole.get(key) ?? given
      if (reference.by === 'identifier') {
        const fhirId = byIdentifier.get(reference.value)
        return fhirId === undefined ? { username: reference.value } : found('Practitioner', fhirId)
      }
      const target =
        reference.by === 'fullUrl' ? byUrl.get(reference.url) : { type: reference.type, fhirId: reference.id }
      return target?.type === type ? found(type, target.fhirId) : undefined
    },
  }
}
