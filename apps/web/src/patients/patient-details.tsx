import type { PatientSummary } from '@wardline/protocol'
import { Check, Copy } from 'lucide-react'
import { patientName } from '../format/patient.ts'
import { strings } from '../strings.ts'
import { IconButton } from '../ui/button.tsx'
import { useCopied } from '../ui/use-copied.ts'
import { Born, RecordNumber } from './patient-banner.tsx'
import styles from './patient-details.module.css'

const text = strings.patients

/** The patient once more, with what the banner has no room for. */
export function PatientDetails({ patient, now }: { readonly patient: PatientSummary; readonly now: number }) {
  const { copied, copy } = useCopied(patient.mrn)
  return (
    <dl className={styles.details}>
      <div>
        <dt>{text.labels.name}</dt>
        <dd className={styles.name}>{patientName(patient)}</dd>
      </div>
      <div>
        <dt>{text.labels.born}</dt>
        <dd>
          <Born plain patient={patient} now={now} />
        </dd>
      </div>
      <div>
        <dt>{text.labels.mrn}</dt>
        <dd className={styles.copy}>
          <RecordNumber mrn={patient.mrn} />
          <IconButton
            label={copied ? text.copied : text.copyMrn}
            icon={copied ? Check : Copy}
            size={15}
            onClick={copy}
          />
        </dd>
      </div>
      <div>
        <dt>{text.labels.sex}</dt>
        <dd>
          {text.sex[patient.sex]}
          {patient.deceased && ` · ${text.deceased}`}
        </dd>
      </div>
    </dl>
  )
}
