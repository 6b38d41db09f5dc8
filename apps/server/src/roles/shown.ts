import type { Role } from '@wardline/protocol'

type RoleRow = {
  readonly name: string
  readonly label: string
  readonly system: boolean
  readonly requireSecondFactor: boolean
  readonly permissions: readonly { readonly permission: string }[]
}

/** A role as administrators and auditors see it, its permissions by name. */
export function shownRole({ name, label, system, requireSecondFactor, permissions }: RoleRow): Role {
  return {
    name,
    label,
    system,
    requireSecondFactor,
    permissions: permissions.map(({ permission }) => permission).sort(),
  }
}
