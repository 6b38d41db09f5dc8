import { strings } from '../strings.ts'
import { Switch } from '../ui/field.tsx'
import { Failure, failureText, Loading } from '../ui/screen-state.tsx'
import { useAbility } from '../wardline/context.tsx'
import { useRequireFactor, useRoles } from './api.ts'
import styles from './people-screen.module.css'

const text = strings.accounts.roles

/** Each role, and whether it needs a second factor. */
export function RoleList() {
  const roles = useRoles()
  const require = useRequireFactor()
  const mayChange = useAbility('settings.manage')
  if (roles.isPending) return <Loading lines={4} />
  if (roles.isError) return <Failure error={roles.error} onRetry={() => void roles.refetch()} />
  // Until the server has answered, the switch shows what it was asked to be.
  const wanted = require.isPending ? require.variables : null
  return (
    <>
      {require.isError && (
        <p role="alert" className={styles.failure}>
          {failureText(require.error).title}
        </p>
      )}
      <ul className={styles.list}>
        {roles.data.items.map(({ name, label, permissions, requireSecondFactor }) => (
          <li key={name} className={styles.row}>
            <div>
              <p className={styles.name}>{strings.words.role(name)}</p>
              <p className={styles.hint}>
                {label} · {text.permissions(permissions.length)}
              </p>
            </div>
            {mayChange ? (
              <Switch
                label={text.needs}
                name={text.label(strings.words.role(name))}
                checked={wanted?.name === name ? wanted.requireSecondFactor : requireSecondFactor}
                onChange={(checked) => {
                  if (!require.isPending) require.mutate({ name, requireSecondFactor: checked })
                }}
              />
            ) : (
              <p className={styles.hint}>{requireSecondFactor ? text.needs : null}</p>
            )}
          </li>
        ))}
      </ul>
    </>
  )
}
