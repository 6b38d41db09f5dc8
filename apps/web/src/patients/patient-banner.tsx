import type { PatientSummary } from '@wardline/protocol'
import type { ReactNode } from 'react'
import { age, birthDate, mrnGroups, patientName } from '../format/patient.ts'
import { strings } from '../strings.ts'
import styles from './patient-banner.module.css'

const text = strings.patients

/** `123 456`, with gaps to the eye; what is copied is `123456`. */
export function RecordNumber({ mrn }: { readonly mrn: string }) {
  return (
    <span className={styles.mrn}>
      {mrnGroups(mrn).map((group, index) => (
        <span key={`${index}-${group}`}>{group}</span>
      ))}
    </span>
  )
}

/** `born 14-Jul-1945 (81y)`, or without the word beside a label; for the dead, no age that goes on growing. */
export function Born({
  patient,
  now,
  plain = false,
}: {
  readonly patient: PatientSummary
  readonly now: number
  readonly plain?: boolean
}) {
  const date = birthDate(patient.birthDate)
  const years = patient.deceased ? null : age(patient.birthDate, new Date(now))
  if (date === null) return text.bornUnknown
  return (
    <>
      {!plain && <span className={styles.label}>{text.born} </span>}
      <time dateTime={patient.birthDate ?? ''}>{date}</time>
      {years !== null && ` (${years})`}
    </>
  )
}

interface PatientBannerProps {
  readonly patient: PatientSummary
  readonly now: number
  /** The way back, on a phone. */
  readonly before?: ReactNode
  /** The way to the details, where they are not beside it. */
  readonly after?: ReactNode
}

/**
 * Who this is about: name and two identifiers, never the room (NHS CUI patient banner; Joint Commission NPSG.01.01.01).
 * It stands above the messages and the composer and never scrolls away.
 */
export function PatientBanner({ patient, now, before, after }: PatientBannerProps) {
  return (
    <header className={styles.banner} aria-label={text.banner} role="group">
      {before}
      <div className={styles.identity}>
        <h2 className={styles.name}>{patientName(patient)}</h2>
        {patient.deceased && <span className={styles.deceased}>{text.deceased}</span>}
        <span className={styles.identifier}>
          <Born patient={patient} now={now} />
        </span>
        <span className={styles.identifier}>
          <span className={styles.label}>{text.mrn}</span> <RecordNumber mrn={patient.mrn} />
        </span>
      </div>
      {after}
    </header>
  )
}

interface PlainBannerProps {
  readonly title: string
  readonly detail: string
  readonly before?: ReactNode
  readonly after?: ReactNode
}

/** The head of a conversation that is about no patient. */
export function PlainBanner({ title, detail, before, after }: PlainBannerProps) {
  return (
    <header className={styles.banner}>
      {before}
      <div className={styles.identity}>
        <h2 className={styles.name}>{title}</h2>
        {detail !== '' && <span className={styles.identifier}>{detail}</span>}
      </div>
      {after}
    </header>
  )
}
