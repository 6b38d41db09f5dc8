import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type AuditHold, type AuditPolicy, changeAuditPolicy } from '@wardline/protocol'
import { type SubmitEvent, useState } from 'react'
import { clock, shortDate } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { Failure, Loading } from '../ui/screen-state.tsx'
import { useAbility, useWardline } from '../wardline/context.tsx'
import { PageHead } from './page-head.tsx'
import { patientOf } from './patient-of.ts'
import styles from './reviews-screen.module.css'

const text = strings.audit.keeping
const moment = (at: string) => `${shortDate(at)} ${clock(at)}`
const POLICY = ['audit-policy']
const HOLDS = ['audit-holds']
/** Reading of the audit leaves an event each time: only what is asked for is read, and once. */
const once = { staleTime: Number.POSITIVE_INFINITY, refetchOnWindowFocus: false, refetchOnReconnect: false } as const

/** For how long the audit is kept, and what is held whatever its age; for administrators a place to change both. */
export function KeepingScreen() {
  const { api } = useWardline()
  const mayChange = useAbility('settings.manage')
  const policy = useQuery({ queryKey: POLICY, queryFn: () => api.admin.auditPolicy(), ...once })
  const holds = useQuery({ queryKey: HOLDS, queryFn: () => api.admin.auditHolds(), ...once })
  return (
    <div className={styles.screen}>
      <PageHead title={text.title} lead={text.lead} />
      {policy.isPending ? (
        <Loading lines={2} />
      ) : policy.isError ? (
        <Failure error={policy.error} onRetry={() => void policy.refetch()} />
      ) : (
        <PolicyForm policy={policy.data} mayChange={mayChange} />
      )}
      {mayChange && <HoldForm />}
      {holds.isPending ? (
        <Loading lines={3} />
      ) : holds.isError ? (
        <Failure error={holds.error} onRetry={() => void holds.refetch()} />
      ) : (
        <ul className={styles.list} aria-label={text.holds}>
          {holds.data.items.length === 0 && <li>{text.noHolds}</li>}
          {holds.data.items.map((hold) => (
            <HoldCard key={hold.id} hold={hold} mayChange={mayChange} />
          ))}
        </ul>
      )}
    </div>
  )
}

function PolicyForm({ policy, mayChange }: { readonly policy: AuditPolicy; readonly mayChange: boolean }) {
  const { api } = useWardline()
  const client = useQueryClient()
  const [years, setYears] = useState(String(policy.retentionYears))
  const [days, setDays] = useState(String(policy.reviewDays))
  const judged = changeAuditPolicy.safeParse({ retentionYears: Number(years), reviewDays: Number(days) })
  const wrong = new Set(judged.success ? [] : judged.error.issues.map(({ path }) => path[0]))
  const save = useMutation({
    mutationFn: (body: Partial<AuditPolicy>) => api.admin.changeAuditPolicy(body),
    onSuccess: (next) => client.setQueryData(POLICY, next),
  })
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (judged.success) save.mutate({ retentionYears: Number(years), reviewDays: Number(days) })
  }
  return (
    <form className={styles.open} aria-label={text.policy} onSubmit={submit} noValidate>
      <TextField
        compact
        label={text.years}
        inputMode="numeric"
        value={years}
        readOnly={!mayChange}
        error={wrong.has('retentionYears') ? text.yearsWrong : null}
        onChange={(event) => setYears(event.target.value)}
      />
      <TextField
        compact
        label={text.days}
        inputMode="numeric"
        value={days}
        readOnly={!mayChange}
        error={wrong.has('reviewDays') ? text.daysWrong : null}
        onChange={(event) => setDays(event.target.value)}
      />
      {mayChange && (
        <Button type="submit" disabled={!judged.success || save.isPending}>
          {text.save}
        </Button>
      )}
      {save.isSuccess && <p role="status">{text.saved}</p>}
      {save.isError && <Failure error={save.error} />}
    </form>
  )
}

function HoldForm() {
  const { api } = useWardline()
  const client = useQueryClient()
  const [patient, setPatient] = useState('')
  const place = useMutation({
    mutationFn: async (typed: string) =>
      api.admin.placeAuditHold({ patient: typed.trim() === '' ? null : await patientOf(api, typed) }),
    onSuccess: () => {
      setPatient('')
      return client.invalidateQueries({ queryKey: HOLDS })
    },
  })
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    place.mutate(patient)
  }
  return (
    <form className={styles.open} aria-label={text.place} onSubmit={submit}>
      <TextField
        compact
        label={text.patient}
        hint={text.patientHint}
        value={patient}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => setPatient(event.target.value)}
      />
      <Button type="submit" kind="primary" disabled={place.isPending}>
        {patient.trim() === '' ? text.placeAll : text.place}
      </Button>
      {place.isError && <Failure error={place.error} />}
    </form>
  )
}

function HoldCard({ hold, mayChange }: { readonly hold: AuditHold; readonly mayChange: boolean }) {
  const { api } = useWardline()
  const client = useQueryClient()
  const release = useMutation({
    mutationFn: () => api.admin.releaseAuditHold(hold.id),
    onSuccess: () => client.invalidateQueries({ queryKey: HOLDS }),
  })
  const { patient, placedBy, placedAt, releasedBy, releasedAt } = hold
  const isOpen = releasedAt === null
  return (
    <li className={styles.card} data-open={isOpen ? '' : undefined}>
      <h2>{patient === null ? text.all : text.of(patient)}</h2>
      <p>{text.placed(placedBy.displayName ?? placedBy.id, moment(placedAt))}</p>
      {releasedAt !== null && (
        <p>{text.released(releasedBy?.displayName ?? releasedBy?.id ?? strings.audit.system, moment(releasedAt))}</p>
      )}
      {isOpen && mayChange && (
        <div className={styles.actions}>
          <Button small disabled={release.isPending} onClick={() => release.mutate()}>
            {text.release}
          </Button>
          {release.isError && <Failure error={release.error} />}
        </div>
      )}
    </li>
  )
}
