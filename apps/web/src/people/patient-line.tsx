import { useState } from 'react'
import { age, birthDate, mrnGroups, patientName } from '../format/patient.ts'
import { strings } from '../strings.ts'
import styles from './care-teams.module.css'
import { usePatientIdentity } from './patient-identity.ts'

const text = strings.accounts.careTeams
const { born, bornUnknown, mrn, deceased } = strings.patients

/** Who is meant, by two identifiers; of a patient whom nobody has looked up here, the id alone. */
export function PatientLine({ id }: { readonly id: string }) {
  const patient = usePatientIdentity(id)
  const [today] = useState(() => new Date())
  if (patient === undefined) {
    return (
      <div className={styles.patient}>
        <p className={styles.patientName}>{text.patient(id)}</p>
        <p className={styles.hint}>{text.patientMore}</p>
      </div>
    )
  }
  const years = patient.deceased ? deceased.toLocaleLowerCase() : age(patient.birthDate, today)
  return (
    <div className={styles.patient} role="group" aria-label={text.whom}>
      <p className={styles.patientName}>{patientName(patient)}</p>
      <p>
        {patient.birthDate === null ? (
          bornUnknown
        ) : (
          <>
            <span className={styles.hint}>{born}</span> {birthDate(patient.birthDate)}
            {years !== null && ` (${years})`}
          </>
        )}
      </p>
      <p className={styles.mrn}>
        <span className={styles.hint}>{mrn}</span>{' '}
        {mrnGroups(patient.mrn).map((group, index) => (
          <strong key={`${index}-${group}`}>{group}</strong>
        ))}
      </p>
    </div>
  )
}
