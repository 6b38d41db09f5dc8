import type { PatientSummary } from '@wardline/protocol'

/** `DOE, Jane`: the family name in capitals and first, so that two people are told apart in a list (NHS CUI patient name). */
export function patientName(patient: Pick<PatientSummary, 'family' | 'given'>): string {
  return `${patient.family.toLocaleUpperCase()}, ${patient.given}`
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `1945-07-14` → `14-Jul-1945`: a month in letters cannot be taken for a day (NHS CUI date display). Null if it is no date. */
export function birthDate(iso: string | null): string | null {
  const match = iso === null ? null : /^(\d{4})-(\d\d)-(\d\d)$/.exec(iso)
  if (match === null) return null
  const [, year, month, day] = match
  const name = MONTHS[Number(month) - 1]
  return name === undefined ? null : `${day}-${name}-${year}`
}

/**
 * The age on `today`, as a banner says it: days under a month, months under two years, then years (`12d`, `7m`, `81y`).
 * @param iso `YYYY-MM-DD`
 * @param today a date whose local calendar day counts
 */
export function age(iso: string | null, today: Date): string | null {
  const match = iso === null ? null : /^(\d{4})-(\d\d)-(\d\d)$/.exec(iso)
  if (match === null) return null
  const [year, month, day] = [Number(match[1]), Number(match[2]) - 1, Number(match[3])]
  const months = (today.getFullYear() - year) * 12 + today.getMonth() - month - (today.getDate() < day ? 1 : 0)
  if (months < 0) return null
  if (months >= 24) return `${Math.floor(months / 12)}y`
  if (months >= 1) return `${months}m`
  const days = Math.round(
    (Date.UTC(today.getFullYear(), today.getMonth(), today.getDate()) - Date.UTC(year, month, day)) / 86_400_000,
  )
  return `${days}d`
}

/**
 * A record number in groups that an eye can hold: `123456` → `['123','456']`. Shown with gaps and not with spaces, so
 * that what is copied is the number. Numbers of unusual length, or with letters, stay whole.
 */
export function mrnGroups(mrn: string): readonly string[] {
  if (!/^\d+$/.test(mrn)) return [mrn]
  const sizes: Record<number, readonly number[]> = {
    6: [3, 3],
    7: [3, 4],
    8: [4, 4],
    9: [3, 3, 3],
    10: [3, 3, 4],
  }
  const groups: string[] = []
  let at = 0
  for (const size of sizes[mrn.length] ?? [mrn.length]) {
    groups.push(mrn.slice(at, at + size))
    at += size
  }
  return groups
}
