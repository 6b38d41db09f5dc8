import type { By } from '../audit/by.ts'
import type { Keyring } from '../keys/keyring.ts'
import type { Database } from '../storage/open.ts'
import { importCareTeams } from './care-teams.ts'
import {
  type ImportedCareTeam,
  type ImportedPatient,
  type ImportedPractitioner,
  type ImportedPractitionerRole,
  mapResource,
} from './fhir-resources.ts'
import { type Place, readFhirFile } from './fhir-source.ts'
import { importPatients } from './patients.ts'
import { importPeople } from './people.ts'
import { createReferences } from './references.ts'
import { emptyReport, type ImportReport } from './report.ts'

export type ImportOptions = {
  readonly database: Database
  readonly keyring: Keyring
  readonly tenantId: string
  readonly by: By
  readonly files: readonly string[]
  /** User names that are put on the team of every patient in the files, from now on. */
  readonly careTeam: readonly string[]
  readonly onProgress?: (text: string) => void
}

/** What was read, in the order in which it must be stored: whoever is referred to comes first. */
export type Gathered = {
  readonly patients: Taken<ImportedPatient>[]
  readonly practitioners: Taken<ImportedPractitioner>[]
  readonly roles: Taken<ImportedPractitionerRole>[]
  readonly careTeams: Taken<ImportedCareTeam>[]
}
export type Taken<T> = T & { readonly place: Place; readonly fullUrl: string | null }

/**
 * Takes Patient, Practitioner, PractitionerRole and CareTeam of FHIR R4. Idempotent: the same files again change
 * nothing. Each record is stored by itself with its audit event, so a run that is broken off can simply be run again.
 */
export async function importFhir(options: ImportOptions): Promise<ImportReport> {
  const { database, tenantId, by } = options
  const report = emptyReport()
  const gathered = await gather(options, report)
  const references = createReferences(gathered)
  await importPeople(options, gathered, references, report)
  await importPatients(options, gathered, references, report)
  await importCareTeams(options, gathered, references, report)
  const count =
    gathered.patients.length + gathered.practitioners.length + gathered.roles.length + gathered.careTeams.length
  await database.auditOnly(tenantId, { ...by, action: 'import.run', outcome: 'allowed', count })
  return report
}

async function gather(options: ImportOptions, report: ImportReport): Promise<Gathered> {
  const gathered: Gathered = { patients: [], practitioners: [], roles: [], careTeams: [] }
  for (const file of options.files) {
    options.onProgress?.(`Reading ${file}`)
    for await (const item of readFhirFile(file)) {
      if ('problem' in item) {
        report.left.push({ place: item.place, type: 'Line', reason: item.problem })
        continue
      }
      const type = typeOf(item.resource)
      const mapped = mapResource(item.resource)
      if ('skip' in mapped) {
        if (mapped.skip === 'type-not-imported') report.otherTypes.set(type, (report.otherTypes.get(type) ?? 0) + 1)
        else report.left.push({ place: item.place, type, reason: mapped.skip })
        continue
      }
      const where = { place: item.place, fullUrl: item.fullUrl }
      const { take } = mapped
      if (take.kind === 'patient') gathered.patients.push({ ...take, ...where })
      else if (take.kind === 'practitioner') gathered.practitioners.push({ ...take, ...where })
      else if (take.kind === 'practitioner-role') gathered.roles.push({ ...take, ...where })
      else gathered.careTeams.push({ ...take, ...where })
    }
  }
  return gathered
}

/** The type as the report names it. What does not look like one may be anything: a name, or what a terminal obeys. */
function typeOf(resource: Record<string, unknown>): string {
  const type = String(resource['resourceType'])
  return /^[A-Z][A-Za-z]{1,39}$/.test(type) ? type : 'Unknown'
}
