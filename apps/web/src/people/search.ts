import { uuid } from '@wardline/protocol'

/** What the care teams and the sign-ins are narrowed to, as it stands in the address bar: ids alone. */
export interface PeopleSearch {
  readonly patient?: string
  readonly person?: string
}

/** What of an address is an id; the rest is left out. */
export function peopleSearch(raw: Record<string, unknown>): PeopleSearch {
  const patient = uuid.safeParse(raw['patient'])
  const person = uuid.safeParse(raw['person'])
  return {
    ...(patient.success ? { patient: patient.data } : {}),
    ...(person.success ? { person: person.data } : {}),
  }
}
