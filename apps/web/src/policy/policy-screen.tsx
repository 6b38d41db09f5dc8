import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { WardlineError } from '@wardline/client'
import { changeTenantSettings, type RiskAnswer, riskAnswer, type TenantSettings } from '@wardline/protocol'
import { type SubmitEvent, useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { SelectField, TextField } from '../ui/field.tsx'
import { Failure, Loading } from '../ui/screen-state.tsx'
import { useAbility, useMe, useWardline } from '../wardline/context.tsx'
import styles from './policy-screen.module.css'

const text = strings.policy

/** Times as a person thinks of them: how many seconds one of the unit is. */
const TIMES = [
  { name: 'idleSeconds', unit: 60, label: text.idle, hint: text.idleHint },
  { name: 'warningSeconds', unit: 1, label: text.warning, hint: text.warningHint },
  { name: 'sessionSeconds', unit: 3_600, label: text.session, hint: text.sessionHint },
  { name: 'accessTokenSeconds', unit: 1, label: text.token, hint: text.tokenHint },
  { name: 'stepUpSeconds', unit: 60, label: text.stepUp, hint: text.stepUpHint },
] as const
const RISKS = ['onNetworkChange', 'onAgentChange', 'onPasswordChange', 'onRoleChange'] as const

type TimeName = (typeof TIMES)[number]['name']

/** What an organisation decides about its sign-ins, for who may see it; for who may change it, a form. */
export function PolicyScreen() {
  const { api } = useWardline()
  const me = useMe()
  const held = useQuery({ queryKey: ['policy', me.tenant.id], queryFn: () => api.admin.settings() })
  return (
    <section className={styles.screen} aria-label={text.title}>
      <h1>{text.title}</h1>
      <p className={styles.lead}>{text.lead}</p>
      {held.isPending && <Loading lines={6} label={strings.words.loading} />}
      {held.error !== null && <Failure error={held.error} onRetry={() => void held.refetch()} />}
      {held.data !== undefined && <PolicyForm settings={held.data} />}
    </section>
  )
}

function PolicyForm({ settings }: { readonly settings: TenantSettings }) {
  const { api } = useWardline()
  const me = useMe()
  const client = useQueryClient()
  const mayChange = useAbility('settings.manage')
  const [times, setTimes] = useState<Readonly<Record<TimeName, string>>>(() => shown(settings))
  const [risks, setRisks] = useState(() => settings)
  const [wrong, setWrong] = useState<ReadonlySet<string>>(new Set())
  const [said, setSaid] = useState<string | null>(null)
  const save = useMutation({
    mutationFn: (changes: Partial<TenantSettings>) => api.admin.changeSettings(changes),
    onSuccess: (next) => {
      setSaid(text.saved)
      setTimes(shown(next))
      setRisks(next)
      client.setQueryData(['policy', me.tenant.id], next)
    },
    onError: (error) => {
      if (error instanceof WardlineError) setWrong(new Set(error.fields.map((field) => field.slice(1))))
    },
  })

  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const changes = changesIn(settings, times, risks)
    const judged = changeTenantSettings.safeParse(changes)
    setSaid(null)
    setWrong(new Set(judged.success ? [] : judged.error.issues.map(({ path }) => String(path[0]))))
    if (!judged.success) return
    if (Object.keys(changes).length === 0) setSaid(text.unchanged)
    else save.mutate(changes)
  }

  return (
    <form className={styles.form} onSubmit={submit} noValidate>
      {TIMES.map(({ name, label, hint }) => (
        <TextField
          key={name}
          label={label}
          hint={hint}
          name={name}
          inputMode="numeric"
          value={times[name]}
          readOnly={!mayChange}
          error={wrong.has(name) ? text.outOfBounds : null}
          onChange={(event) => setTimes({ ...times, [name]: event.target.value })}
        />
      ))}
      <h2>{text.risk}</h2>
      {RISKS.map((name) =>
        mayChange ? (
          <SelectField
            key={name}
            label={text.risks[name]}
            value={risks[name]}
            options={riskAnswer.options.map((value) => ({ value, text: text.answers[value] }))}
            onChange={(value) => setRisks({ ...risks, [name]: value as RiskAnswer })}
          />
        ) : (
          <p key={name}>
            {text.risks[name]}: {text.answers[risks[name]]}
          </p>
        ),
      )}
      {save.error !== null && wrong.size === 0 && <Failure error={save.error} />}
      {said !== null && <p role="status">{said}</p>}
      {mayChange && (
        <div>
          <Button type="submit" kind="primary" aria-disabled={save.isPending}>
            {text.save}
          </Button>
        </div>
      )}
    </form>
  )
}

function shown(settings: TenantSettings): Readonly<Record<TimeName, string>> {
  const entries = TIMES.map(({ name, unit }) => [name, String(Math.round((settings[name] / unit) * 100) / 100)])
  return Object.fromEntries(entries) as Record<TimeName, string>
}

/** What is another than it was. A field that holds no number is sent as one that no server takes, and so is said to be wrong. */
function changesIn(
  before: TenantSettings,
  times: Readonly<Record<TimeName, string>>,
  risks: TenantSettings,
): Partial<TenantSettings> {
  const was = shown(before)
  const changed = TIMES.filter(({ name }) => times[name].trim() !== was[name]).map(({ name, unit }) => {
    const typed = times[name].trim()
    return [name, /^\d{1,5}$/.test(typed) ? Number(typed) * unit : -1]
  })
  const others = RISKS.filter((name) => risks[name] !== before[name]).map((name) => [name, risks[name]])
  return Object.fromEntries([...changed, ...others]) as Partial<TenantSettings>
}
