import type { SkipReason } from './fhir-resources.ts'
import type { Place, SourceItem } from './fhir-source.ts'

export type ImportedKind = 'patients' | 'practitioners' | 'roles' | 'assignments'

/** What came of one record. */
export type Outcome = 'added' | 'updated' | 'unchanged'

/** What came of one kind of record. */
export type Tally = Record<Outcome, number>

/** Why something in the files was not taken: the mapping's reasons, the file's, and those met while storing. */
export type LeftReason =
  | SkipReason
  | Extract<SourceItem, { problem: string }>['problem']
  | 'medical-record-number-of-another'
  | 'patient-unknown'
  | 'person-unknown'
  | 'role-not-recognised'
  | 'no-clinical-role'

/** What an import did. Holds places, counts and reasons; no name, number or id of a patient. */
export type ImportReport = {
  readonly counts: Record<ImportedKind, Tally>
  readonly left: { readonly place: Place; readonly type: string; readonly reason: LeftReason }[]
  /** Resources of types that are not imported, counted by type. */
  readonly otherTypes: Map<string, number>
  /** Patients that nobody is assigned to: nobody can open their channel yet. */
  patientsWithoutTeam: number
}

export function emptyReport(): ImportReport {
  const tally = (): Tally => ({ added: 0, updated: 0, unchanged: 0 })
  return {
    counts: {
      patients: tally(),
      practitioners: tally(),
      roles: tally(),
      assignments: tally(),
    },
    left: [],
    otherTypes: new Map(),
    patientsWithoutTeam: 0,
  }
}

const MEANING: Record<LeftReason, string> = {
  'type-not-imported': 'is of a type that is not imported',
  malformed: 'is not shaped as FHIR R4 has it',
  'no-medical-record-number': 'has no identifier of type MR (v2-0203)',
  'no-name': 'has no current name',
  'not-active': 'is not active',
  'replaced-by-another': 'is replaced by another record',
  'text-not-allowed': 'has control characters, or text that is too long, in a name or number',
  'not-json': 'is not JSON',
  'not-a-resource': 'is no FHIR resource',
  'line-too-long': 'is longer than 8 MiB',
  'medical-record-number-of-another': 'bears the medical record number of another patient here',
  'patient-unknown': 'is about a patient who was not imported',
  'person-unknown': 'names a person who was not imported; import Practitioner in the same run',
  'role-not-recognised': 'has a code that stands for none of our roles; the person was kept without one',
  'no-clinical-role': 'puts a person without a clinical role on the team',
}

/** How many of the things left are listed one by one. */
const LISTED = 20

/** The report as text for a terminal. */
export function renderReport(report: ImportReport): string {
  const names: Record<ImportedKind, string> = {
    patients: 'Patients',
    practitioners: 'Practitioners',
    roles: 'Practitioner roles',
    assignments: 'Care team assignments',
  }
  const lines = [`${''.padEnd(24)}${['new', 'updated', 'unchanged'].map((head) => head.padStart(10)).join('')}`]
  for (const kind of Object.keys(names) as ImportedKind[]) {
    const { added, updated, unchanged } = report.counts[kind]
    lines.push(`${names[kind].padEnd(24)}${[added, updated, unchanged].map((n) => String(n).padStart(10)).join('')}`)
  }
  if (report.otherTypes.size > 0) {
    const types = [...report.otherTypes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([type, count]) => `${count} ${type}`)
    lines.push('', `Passed over, of types that are not imported: ${types.join(', ')}`)
  }
  if (report.left.length > 0) {
    lines.push('', `Not taken: ${report.left.length}`)
    for (const { place, type, reason } of report.left.slice(0, LISTED)) {
      lines.push(`  ${place.file}:${place.line}  ${type} ${MEANING[reason]}`)
    }
    if (report.left.length > LISTED) lines.push(`  and ${report.left.length - LISTED} more`)
  }
  if (report.patientsWithoutTeam > 0) {
    lines.push(
      '',
      `${report.patientsWithoutTeam} of these patients have no care team, so nobody can open them yet. Import a CareTeam,`,
      'or run this again with --care-team USERNAME[,USERNAME…].',
    )
  }
  return `${lines.join('\n')}\n`
}
