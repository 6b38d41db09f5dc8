import { Link } from '@tanstack/react-router'
import { WardlineError } from '@wardline/client'
import type { AdminUser } from '@wardline/protocol'
import { type SubmitEvent, useId, useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Switch, TextField } from '../ui/field.tsx'
import { Failure, failureText, Loading } from '../ui/screen-state.tsx'
import { useAbility } from '../wardline/context.tsx'
import { useRoles, useSavePerson } from './api.ts'
import styles from './person-dialog.module.css'

const text = strings.accounts.person

interface PersonDialogProps {
  /** Whose account is changed; null: a new one is made. */
  readonly person: AdminUser | null
  /** Says what was done, and closes. `open`: somebody new who has no password yet. */
  readonly onDone: (said: string, open?: AdminUser) => void
  /** Asks for a link by which they set their password. */
  readonly onSetUp?: () => void
  readonly onClose: () => void
}

/** An account, new or changed: who somebody is to their colleagues, what they may do, and whether they may sign in at all. */
export function PersonDialog({ person, onDone, onSetUp, onClose }: PersonDialogProps) {
  const form = useId()
  const save = useSavePerson()
  const mayAssign = useAbility('role.assign')
  const maySetUp = useAbility('password.reset')
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [displayName, setDisplayName] = useState(person?.displayName ?? '')
  const [title, setTitle] = useState(person?.title ?? '')
  const [roles, setRoles] = useState<readonly string[]>(person?.roles ?? [])
  const [disabled, setDisabled] = useState(person?.disabled ?? false)
  const ready = displayName.trim() !== '' && (person !== null || username.trim() !== '')

  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (!ready || save.isPending) return
    const name = displayName.trim()
    if (person === null) {
      const body = {
        username: username.trim(),
        displayName: name,
        roles: [...roles],
        ...(title.trim() === '' ? {} : { title: title.trim() }),
        ...(password === '' ? {} : { password }),
      }
      save.mutate((admin) => admin.createUser(body), {
        onSuccess: (created) => onDone(text.created(name), password === '' ? created : undefined),
      })
      return
    }
    const changes = {
      ...(name === person.displayName ? {} : { displayName: name }),
      ...(title.trim() === (person.title ?? '') ? {} : { title: title.trim() === '' ? null : title.trim() }),
      ...(sameRoles(roles, person.roles) ? {} : { roles: [...roles] }),
      ...(disabled === person.disabled ? {} : { disabled }),
    }
    if (Object.keys(changes).length === 0) onDone(text.unchanged)
    else save.mutate((admin) => admin.changeUser(person.id, changes), { onSuccess: () => onDone(text.saved(name)) })
  }

  return (
    <Dialog
      title={person === null ? text.createTitle : text.editTitle(person.displayName)}
      onClose={onClose}
      footer={
        <>
          {save.error !== null && (
            <p role="alert" className={styles.failure}>
              {whyNot(save.error)}
            </p>
          )}
          <Button onClick={onClose}>{strings.words.cancel}</Button>
          <Button type="submit" form={form} kind="primary" disabled={!ready} aria-disabled={save.isPending}>
            {person === null ? text.create : text.save}
          </Button>
        </>
      }
    >
      <form id={form} className={styles.form} onSubmit={submit} noValidate>
        {person === null && (
          <TextField
            label={text.username}
            hint={text.usernameHint}
            value={username}
            maxLength={64}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            onChange={(event) => setUsername(event.target.value)}
          />
        )}
        <TextField
          label={text.displayName}
          hint={text.displayNameHint}
          value={displayName}
          maxLength={120}
          autoComplete="off"
          onChange={(event) => setDisplayName(event.target.value)}
        />
        <TextField
          label={text.title}
          hint={text.titleHint}
          value={title}
          maxLength={120}
          autoComplete="off"
          onChange={(event) => setTitle(event.target.value)}
        />
        {person === null && (
          <TextField
            label={text.password}
            hint={text.passwordHint}
            type="password"
            value={password}
            maxLength={1024}
            autoComplete="new-password"
            onChange={(event) => setPassword(event.target.value)}
          />
        )}
        {mayAssign && <RoleChoice held={roles} onChange={setRoles} />}
        {person !== null && (
          <Switch
            label={text.active}
            hint={text.activeHint}
            checked={!disabled}
            onChange={(active) => setDisabled(!active)}
          />
        )}
        {person !== null && !person.disabled && maySetUp && onSetUp !== undefined && (
          <div className={styles.way}>
            <Button aria-haspopup="dialog" onClick={onSetUp}>
              {text.setUp}
            </Button>
            <p className={styles.what}>{text.setUpHint}</p>
          </div>
        )}
        {person !== null && <Looks person={person.id} />}
      </form>
    </Dialog>
  )
}

interface RoleChoiceProps {
  readonly held: readonly string[]
  readonly onChange: (roles: readonly string[]) => void
}

function RoleChoice({ held, onChange }: RoleChoiceProps) {
  const roles = useRoles()
  if (roles.isPending) return <Loading lines={3} />
  if (roles.isError) return <Failure error={roles.error} onRetry={() => void roles.refetch()} />
  return (
    <fieldset className={styles.roles}>
      <legend>{text.roles}</legend>
      {roles.data.items.map(({ name, label }) => (
        <label key={name}>
          <input
            type="checkbox"
            checked={held.includes(name)}
            onChange={(event) =>
              onChange(event.target.checked ? [...held, name] : held.filter((each) => each !== name))
            }
          />
          <span>
            {strings.words.role(name)}
            <span className={styles.what}>{label}</span>
          </span>
        </label>
      ))}
    </fieldset>
  )
}

/** Where else there is something about them. */
function Looks({ person }: { readonly person: string }) {
  const careTeams = useAbility('care-team.read')
  const sessions = useAbility('session.read')
  const audit = useAbility('audit.read')
  return (
    <p className={styles.looks}>
      {text.look}{' '}
      {careTeams && (
        <Link to="/people/care-teams" search={{ person }}>
          {text.lookCare}
        </Link>
      )}
      {sessions && (
        <Link to="/people/sign-ins" search={{ person }}>
          {text.lookSessions}
        </Link>
      )}
      {audit && (
        <Link to="/audit" search={{ actor: person }}>
          {text.lookAudit}
        </Link>
      )}
    </p>
  )
}

function sameRoles(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each) => b.includes(each))
}

function whyNot(error: Error): string {
  if (!(error instanceof WardlineError)) return failureText(error).title
  if (error.why === 'password-common' || error.why === 'password-of-account') return text.common
  if (error.code === 'conflict') return text.taken
  return error.code === 'invalid' ? text.wrong : failureText(error).title
}
