import type { Role } from '@wardline/protocol'
import { Check } from 'lucide-react'
import { strings } from '../strings.ts'
import { Hidden } from '../ui/hidden.tsx'
import { useRoles } from './api.ts'
import styles from './role-matrix.module.css'

const text = strings.accounts.roles
const { families, others } = strings.permissions

/** Every permission against every role: who may do what is read across, what a role amounts to is read down. */
export function RoleMatrix() {
  const roles = useRoles()
  // The list of roles above says that it loads, or why it could not be had.
  if (roles.data === undefined) return null
  const { items } = roles.data
  const groups = families.map(({ title, list }) => ({ title, list: Object.entries(list) }))
  const known = new Set(groups.flatMap(({ list }) => list.map(([name]) => name)))
  const unknown = [...new Set(items.flatMap(({ permissions }) => permissions))].filter((name) => !known.has(name))
  const all = unknown.length === 0 ? groups : [...groups, { title: others, list: unknown.map((name) => [name, name]) }]
  return (
    // Wider than a phone: it scrolls by itself, by keys as well.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={styles.scroll} role="group" aria-label={text.matrix} tabIndex={0}>
      <table className={styles.table} aria-label={text.matrix}>
        <thead>
          <tr>
            <th scope="col">{text.permission}</th>
            {items.map(({ name }) => (
              <th key={name} scope="col">
                {strings.words.role(name)}
              </th>
            ))}
          </tr>
        </thead>
        {all.map(({ title, list }) => (
          <tbody key={title}>
            <tr>
              <th scope="rowgroup" colSpan={items.length + 1} className={styles.family}>
                {title}
              </th>
            </tr>
            {list.map(([name = '', what]) => (
              <PermissionRow key={name} name={name} what={what ?? name} roles={items} />
            ))}
          </tbody>
        ))}
      </table>
    </div>
  )
}

interface PermissionRowProps {
  readonly name: string
  readonly what: string
  readonly roles: readonly Role[]
}

function PermissionRow({ name, what, roles }: PermissionRowProps) {
  return (
    <tr>
      <th scope="row">
        {what} {what !== name && <code>{name}</code>}
      </th>
      {roles.map((role) =>
        role.permissions.includes(name) ? (
          <td key={role.name} className={styles.may}>
            <Check aria-hidden size={17} strokeWidth={2.6} />
            <Hidden>{text.may}</Hidden>
          </td>
        ) : (
          <td key={role.name}>
            <Hidden>{text.mayNot}</Hidden>
          </td>
        ),
      )}
    </tr>
  )
}
